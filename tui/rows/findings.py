"""What is wrong with a virtual machine: the one judgement of header, filter, table and detail.

That its host does not answer is the host's trouble, told there; what was last known of the
machine goes on counting.
"""

from __future__ import annotations

from tui.hyperv.model import VmVitals
from tui.hyperv.states import RUNNING
from tui.rows import levels, text
from tui.rows.levels import Finding
from tui.store.rows import VmRow

__all__ = ["Finding", "finding", "passing", "stuck"]

_WELL = frozenset({0, 5})
_SILENT = 12
_LOST = frozenset({6, 13})


def finding(row: VmRow) -> Finding | None:
    """The most urgent thing that is wrong with a machine; None when nothing is."""
    vitals = row.vitals
    if vitals.state in text.CRITICAL:
        return Finding(text.vm_state(vitals.state).word, "error")
    if vitals.state in text.CHANGING:
        if found := stuck(row):
            return found
    elif vitals.state == 0 or vitals.state not in text.VM_STATES:
        return Finding("state not known", "error")
    if vitals.health not in _WELL:
        return Finding(f"health {vitals.health}", "error")
    if vitals.heartbeat != 2 and vitals.state in RUNNING and (found := _heartbeat(row)):
        return found
    if vitals.replication > 1:
        word, _ = text.REPLICATION.get(vitals.replication, ("", ""))
        if word and (tone := levels.severity(f"replication_{word.lower()}")):
            return Finding(f"replication {word.lower()}", tone)
    return _checkpoints(row) if row.vm.checkpoints else None


def stuck(row: VmRow) -> Finding | None:
    """It has been on its way from one state to another for longer than that takes."""
    vitals = row.vitals
    if vitals.state not in text.CHANGING or not vitals.since:
        return None
    spent = row.host_vitals.read_at - vitals.since
    tone = levels.tone("transition", spent)
    if not tone:
        return None
    word = text.vm_state(vitals.state).word.lower()
    return Finding(f"{word} for {passing(vitals, row.host_vitals.read_at)}", tone)


def passing(vitals: VmVitals, now: float) -> str:
    """How long it has been in its state: ``12m 5s``, and whether it may be longer."""
    least = "at least " if vitals.since_at_least else ""
    return least + text.uptime(max(0.0, now - vitals.since))


def _heartbeat(row: VmRow) -> Finding | None:
    """Silence is a loss only where there was contact, and none is expected while we act on it."""
    vitals = row.vitals
    if row.pending:
        return None
    tone = levels.severity("heartbeat_lost")
    lost = vitals.heartbeat in _LOST or (vitals.heartbeat == _SILENT and vitals.had_contact)
    if not lost or not tone:
        return None
    return Finding("heartbeat error" if vitals.heartbeat == 6 else "heartbeat lost", tone)


def _checkpoints(row: VmRow) -> Finding | None:
    points = row.vm.checkpoints
    if any(point.kind == "missing" for point in points):
        return Finding("checkpoint files missing", "error")
    now = row.host_vitals.read_at
    left = [p.created_at for p in points if p.kind == "recovery" and p.created_at]
    since = now - min(left, default=now)
    tone = levels.tone("backup_checkpoint", since)
    return Finding(f"backup checkpoint left for {text.age(since)}", tone) if tone else None

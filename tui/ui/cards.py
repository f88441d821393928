"""Lines of the logs and of the audit, written out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from tui.collector.messages import CallUpdate, Exchange
from tui.hyperv.sheet import Event
from tui.rows import text
from tui.rows.activity import PHASES, STANDS
from tui.rows.happenings import LEVELS as LEVEL_STATES
from tui.rows.remarks import LEVELS, Remark
from tui.store import Notice
from tui.ui.dialogs import Card

if TYPE_CHECKING:
    from tui.ui.app import DeckApp


class LeftBehind(Card):
    """A call that failed midway: what it made, and the key that takes it back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("u", "take_back", show=False)]
    app: DeckApp

    def __init__(self, call: CallUpdate, parts: list[tuple[str, str]]) -> None:
        super().__init__("Action", parts, error=True)
        self.call = call

    def action_take_back(self) -> None:
        operator, call = self.app.operator, self.call
        self.leave(None)
        self.app.call_later(operator.take_back, call)


def call_card(call: CallUpdate) -> Card:
    """An action: what was asked, where it stands, and why it failed."""
    word = PHASES[call.phase][0].lower()
    parts = [
        ("dialog-question", f"{call.action} {call.name} on {call.host}: {word}"),
        ("dialog-hint", f"{text.day(call.at)}   target {call.target}   call {call.id}"),
    ]
    if call.job:
        parts.append(("dialog-hint", f"job {call.job}"))
    trouble = call.trouble
    if trouble is None:
        return Card("Action", parts)
    parts.append(("dialog-text", "\n".join(filter(None, (trouble.title, trouble.cause)))))
    if trouble.hint:
        parts.append(("dialog-text", f"What to do: {trouble.hint}"))
    if trouble.code:
        parts.append(("dialog-hint", f"code 0x{trouble.code & 0xFFFFFFFF:08X} ({trouble.code})"))
    if call.made:
        parts.append(("dialog-text", "It left:\n" + "\n".join(f"  {what}" for what in call.made)))
    if call.undo is None:
        return Card("Action", parts, error=True)
    parts.append(("dialog-hint", f"u  takes back what was made: {', '.join(call.made)}"))
    return LeftBehind(call, parts)


def notice_card(notice: Notice) -> Card:
    """A change of something watched."""
    where = f" on {notice.host}" if notice.host and notice.host != notice.name else ""
    parts = [
        ("dialog-question", f"{notice.name}{where}: {STANDS[notice.tone].lower()}"),
        ("dialog-hint", f"noticed {text.day(notice.at)}"),
    ]
    if notice.why:
        parts.insert(1, ("dialog-text", notice.why))
    return Card("Watch", parts, error=notice.tone == "error")


def exchange_card(line: Exchange) -> Card:
    """A message exchanged with a host."""
    took = f"{text.latency(line.seconds)}, {text.size(line.bytes)}, {line.lane} lane"
    return Card(
        "Message",
        [
            ("dialog-question", f"{line.host} at {text.clock(line.at)}: {line.outcome}"),
            ("dialog-call", line.operation),
            ("dialog-hint", took),
        ],
        error=line.outcome != "ok",
    )


def event_card(event: Event) -> Card:
    """A record of a host's log in full."""
    level = str(LEVEL_STATES.get(event.level, event.level))
    return Card(
        "Event",
        [
            ("dialog-question", f"{level}: {event.source} {event.code}"),
            ("dialog-text", event.message),
            ("dialog-hint", f"{text.day(event.at)}   record {event.number} of the System log"),
        ],
        error=event.level == 1,
    )


def remark_card(remark: Remark) -> Card:
    """A finding in full."""
    parts = [
        ("dialog-question", remark.says),
        ("dialog-text", f"What helps: {remark.hint}"),
        ("dialog-hint", f"hosts: {', '.join(remark.hosts)}"),
    ]
    if remark.vms:
        parts.append(("dialog-hint", f"machines: {', '.join(remark.vms)}"))
    return Card(f"{LEVELS[remark.tone]}: {remark.topic}", parts, error=remark.tone == "error")

"""What goes wrong on a simulated host, as knobs that may be turned at any time.

``HOST:knob=value`` on the command line and plain attributes in tests. The HTTP knobs live in
``http.HttpFaults``; the ones here are those of the WS-Management service and of Hyper-V.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from tui.errors import UsageError
from tui.sim.http import HttpFaults


@dataclass(slots=True)
class Faults:
    """Knobs of one host. Counters run down with each use; -1 never runs out."""

    http: HttpFaults = field(default_factory=HttpFaults)
    access_denied: bool = False
    """The account may not use the service."""
    quota: int = 0
    """So many Enumerates to come are refused with the quota fault."""
    unknown_classes: set[str] = field(default_factory=set)
    """Class names, lower case, that the host claims not to know."""
    unknown_columns: set[str] = field(default_factory=set)
    """Properties, as ``class.property`` in lower case, that its classes lack."""
    missing_namespaces: set[str] = field(default_factory=set)
    """Namespaces, lower case, that the host does not have."""
    shape: int = 3
    """Form of fault detail for what WMI refuses: 2 or 3 (wsman-wire.md 12.2)."""
    slow_methods: float = 1.0
    """Factor on the time jobs take."""
    replica_down: bool = False
    """No replication connection reaches the host or leaves it."""
    replica_rate: float = 0.0
    """MB a second in which replicas arrive here; 0 for what the network gives."""
    replica_full: bool = False
    """There is no room for what a primary sends."""
    job_fails_at: int = -1
    """Percent at which every new job fails; -1 for none."""
    job_fails: int = -1
    """How many new jobs ``job_fails_at`` still applies to; -1 to all."""
    moves_fail_at: int = -1
    """Percent at which every migration from here fails; -1 for none."""
    moves_fail: int = -1
    """How many migrations ``moves_fail_at`` still applies to; -1 to all."""
    vanishes_at: int = -1
    """Percent of the next migration to here at which this host goes down; -1 for never."""
    vanishes_for: float = 300.0
    """Seconds until it is back."""
    listed_twice: float = 0.0
    """Seconds a machine that has moved away is still listed here."""

    dies_after: float = 0.0
    """Seconds of the fabric's time until the host loses its power."""
    returns_after: float = 0.0
    """Seconds until it is switched on again."""
    isolated_after: float = 0.0
    """Seconds until it cannot reach the other nodes of its cluster."""
    rejoins_after: float = 0.0
    """Seconds until it can again."""

    def take(self, name: str) -> bool:
        """Use one of a counter up; True while there is something to use."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left != 0


_ALIASES = {
    "drop": "drop_after",
    "auth": "refuse_auth",
    "denied": "access_denied",
    "unknown": "unknown_classes",
    "column": "unknown_columns",
    "namespace": "missing_namespaces",
    "job": "job_fails_at",
    "move": "moves_fail_at",
    "vanish": "vanishes_at",
    "twice": "listed_twice",
}


def apply(faults: Faults, text: str) -> None:
    """Turn one knob, written ``knob=value``; latency is in milliseconds."""
    word, _, value = text.partition("=")
    name = _ALIASES.get(word.strip().lower(), word.strip().lower().replace("-", "_"))
    owner: object = faults.http if _has(faults.http, name) else faults
    if not _has(owner, name) or name == "http":
        known = sorted(_names(faults.http) | _names(faults) - {"http"})
        raise UsageError(
            f"no fault knob {word!r}", cause=f"there are {', '.join(known)}", hint="HOST:knob=value"
        )
    try:
        setattr(owner, name, _value(getattr(owner, name), value, milliseconds=name == "latency"))
    except ValueError:
        raise UsageError(f"fault knob {name} cannot be {value!r}", hint="HOST:knob=value") from None


def _names(owner: HttpFaults | Faults) -> set[str]:
    return {item.name for item in fields(owner)}


def _has(owner: object, name: str) -> bool:
    return isinstance(owner, HttpFaults | Faults) and name in _names(owner)


def _value(old: object, text: str, *, milliseconds: bool) -> object:
    if isinstance(old, bool):
        return text.lower() in ("", "1", "true", "yes", "on")
    if isinstance(old, set):
        return {part.strip().lower() for part in text.split(",") if part.strip()}
    if isinstance(old, int):
        return int(text or -1)
    return float(text) / 1000.0 if milliseconds else float(text)

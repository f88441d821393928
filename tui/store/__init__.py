"""What the deck knows: rows by identity, history, marks, calls. Knows no screen and no wire."""

from tui.store.changes import Changes, Delta, LinkChange
from tui.store.fleet import HostEntry
from tui.store.growth import Growth, Trend
from tui.store.rows import (
    HostRow,
    JobRow,
    Mark,
    NodeRow,
    ReplicaRow,
    RoleRow,
    Stale,
    SwitchRow,
    VmRow,
    VolumeRow,
)
from tui.store.series import History, Metric
from tui.store.store import Store
from tui.store.watches import Notice

__all__ = [
    "Changes",
    "Delta",
    "Growth",
    "History",
    "HostEntry",
    "HostRow",
    "JobRow",
    "LinkChange",
    "Mark",
    "Metric",
    "NodeRow",
    "Notice",
    "ReplicaRow",
    "RoleRow",
    "Stale",
    "Store",
    "SwitchRow",
    "Trend",
    "VmRow",
    "VolumeRow",
]

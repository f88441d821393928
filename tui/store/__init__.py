"""What the deck knows: rows by identity, history, marks, calls. Knows no screen and no wire."""

from tui.store.changes import Changes, Delta, LinkChange
from tui.store.fleet import HostEntry
from tui.store.growth import Growth, Trend
from tui.store.meterrows import (
    MICRO,
    AdapterMetric,
    AdapterRow,
    DiskMetric,
    DiskRow,
    HostVolumeRow,
    MachineMetric,
    MeterRow,
    UplinkRow,
)
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
    "MICRO",
    "AdapterMetric",
    "AdapterRow",
    "Changes",
    "Delta",
    "DiskMetric",
    "DiskRow",
    "Growth",
    "History",
    "HostEntry",
    "HostRow",
    "HostVolumeRow",
    "JobRow",
    "LinkChange",
    "MachineMetric",
    "Mark",
    "MeterRow",
    "Metric",
    "NodeRow",
    "Notice",
    "ReplicaRow",
    "RoleRow",
    "Stale",
    "Store",
    "SwitchRow",
    "Trend",
    "UplinkRow",
    "VmRow",
    "VolumeRow",
]

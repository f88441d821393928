"""TABLE: what each table pane lists: columns, rows, filter kind, first order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tui.actions import Kind
from tui.rows.columns import (
    CALL_COLUMNS,
    CALL_DEFAULT,
    EXCHANGE_COLUMNS,
    EXCHANGE_DEFAULT,
    HOST_COLUMNS,
    HOST_DEFAULT,
    JOB_COLUMNS,
    JOB_DEFAULT,
    REPLICA_COLUMNS,
    REPLICA_DEFAULT,
    SWITCH_COLUMNS,
    SWITCH_DEFAULT,
    VM_COLUMNS,
    VM_DEFAULT,
    Column,
)
from tui.store import Changes, Delta, Store


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of row in one pane."""

    id: str
    title: str
    noun: str
    """Plural, lower case, for sentences."""
    filter_kind: str
    """Vocabulary of the filter grammar."""
    columns: tuple[Column[Any], ...]
    default: tuple[str, ...]
    rows: Callable[[Store], Mapping[str, Any]]
    delta: Callable[[Changes], Delta]
    kind: Kind | None = None
    """What actions see in its rows; None: they are only looked at."""
    sort: str = ""
    """Column of the first order; empty: as the store gives them."""
    descending: bool = False
    empty: str = ""


class Exchanges(Mapping[str, Any]):
    """The store's log as rows: each line keeps its number while older ones fall out."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, key: str) -> Any:
        index = self._store.exchanged - int(key)
        if not 0 <= index < len(self._store.exchanges):
            raise KeyError(key)
        return self._store.exchanges[index]

    def __len__(self) -> int:
        return len(self._store.exchanges)

    def __iter__(self) -> Any:
        newest = self._store.exchanged
        return (str(newest - index) for index in range(len(self._store.exchanges)))

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default


class Deeds(Mapping[str, Any]):
    """Actions taken here, and notices about what is watched."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, key: str) -> Any:
        return self._store.calls.get(key) or self._store.watches.notices[key]

    def __len__(self) -> int:
        return len(self._store.calls) + len(self._store.watches.notices)

    def __iter__(self) -> Iterator[str]:
        yield from self._store.calls
        yield from self._store.watches.notices


def _exchange_delta(changes: Changes) -> Delta:
    return Delta(added={"new"}) if changes.exchanges else Delta()


def _call_delta(changes: Changes) -> Delta:
    return Delta(added=changes.calls | changes.notices)


HOSTS = Subject(
    "hosts", "Hosts", "hosts", "host", HOST_COLUMNS, HOST_DEFAULT,
    lambda store: store.host_rows, lambda changes: changes.hosts, Kind.HOST,
    empty="No hosts yet",
)  # fmt: skip
VMS = Subject(
    "vms", "Virtual machines", "virtual machines", "vm", VM_COLUMNS, VM_DEFAULT,
    lambda store: store.vms, lambda changes: changes.vms, Kind.VM, "name",
    empty="No virtual machines yet",
)  # fmt: skip
NETWORKS = Subject(
    "networks", "Networks", "virtual switches", "switch", SWITCH_COLUMNS, SWITCH_DEFAULT,
    lambda store: store.switches, lambda changes: changes.switches, Kind.SWITCH, "name",
    empty="No virtual switches yet",
)  # fmt: skip
JOBS = Subject(
    "jobs", "Jobs on the hosts", "jobs", "job", JOB_COLUMNS, JOB_DEFAULT,
    lambda store: store.jobs, lambda changes: changes.jobs, Kind.JOB, "started", True,
    empty="No host works on a job",
)  # fmt: skip
REPLICAS = Subject(
    "replicas", "Replication", "replication relationships", "replica",
    REPLICA_COLUMNS, REPLICA_DEFAULT,
    lambda store: store.replicas.rows, lambda changes: changes.replicas, Kind.REPLICA, "name",
    empty="No machine is replicated",
)  # fmt: skip
CALLS = Subject(
    "calls", "Actions taken here and notices", "actions", "call", CALL_COLUMNS, CALL_DEFAULT,
    Deeds, _call_delta, None, "at", True,
    empty="Nothing has been asked of a host yet, and nothing watched has changed",
)  # fmt: skip
EXCHANGES = Subject(
    "exchanges", "Messages exchanged with hosts", "messages", "exchange",
    EXCHANGE_COLUMNS, EXCHANGE_DEFAULT, Exchanges, _exchange_delta, None,
    empty="Nothing has been exchanged yet",
)  # fmt: skip

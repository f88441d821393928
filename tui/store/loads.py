"""What hvdeck asks of every host and how fast that is answered, as collectors told it last."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import msgspec

from tui.collector.messages import HostLoad, OperationLoad
from tui.hyperv.model import Host


@dataclass(slots=True, eq=False)
class OperationRow:
    """One kind of request to one host."""

    key: str
    host: Host
    load: OperationLoad

    @property
    def name(self) -> str:
        return self.load.operation


class Loads:
    """By host, and the operations behind them."""

    def __init__(self) -> None:
        self.hosts: dict[str, HostLoad] = {}
        self.operations: dict[str, OperationRow] = {}

    def take(self, told: Iterable[HostLoad], known: dict[str, Host]) -> set[str]:
        """Take in what was told of configured hosts; answers which they are."""
        touched = set()
        for load in told:
            host = known.get(load.host)
            if host is None:
                continue
            touched.add(load.host)
            if load.operations is not None:
                self._renew(host, load.operations)
            self.hosts[load.host] = msgspec.structs.replace(load, operations=None)
        return touched

    @property
    def told(self) -> tuple[HostLoad, ...]:
        """All of it, as it would be told anew."""
        operations: dict[str, list[OperationLoad]] = {host: [] for host in self.hosts}
        for row in self.operations.values():
            operations[row.host.id].append(row.load)
        return tuple(
            msgspec.structs.replace(load, operations=tuple(operations[host]))
            for host, load in self.hosts.items()
        )

    def forget(self, host: str) -> None:
        """The host is no longer configured."""
        self.hosts.pop(host, None)
        self._drop(host, ())

    def _renew(self, host: Host, operations: Iterable[OperationLoad]) -> None:
        rows = {f"{host.id} {load.operation}": load for load in operations}
        self._drop(host.id, rows)
        for key, load in rows.items():
            row = self.operations.get(key)
            if row is None:
                self.operations[key] = OperationRow(key, host, load)
            else:
                row.host, row.load = host, load

    def _drop(self, host: str, kept: Collection[str]) -> None:
        gone = [key for key, row in self.operations.items() if row.host.id == host]
        for key in gone:
            if key not in kept:
                del self.operations[key]

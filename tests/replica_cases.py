"""A case for every verb of replication in the scene replica, judged by what both hosts say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.verb_story_kit import SYSTEM, Given, Served, Shell, Truth, options

BERLIN, DRESDEN = "BERLIN", "DRESDEN"
PRIMARY, REPLICA, TEST = 1, 2, 3
RUNNING, OFF = 2, 3
REPLICATING, PREPARED, RECOVERED, COMMITTED, PAUSED = 3, 4, 5, 6, 7


class Fabric:
    """Both hosts, asked in WQL."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def at(self, host: str) -> Truth:
        return self._served.truth(host)

    def _machine(self, host: str, name: str) -> Mapping[str, object]:
        wql = f"SELECT * FROM Msvm_ComputerSystem WHERE ElementName = '{name}'"
        (row,) = self.at(host)(wql)
        return row.values

    def mode(self, host: str, name: str) -> object:
        return self._machine(host, name)["ReplicationMode"]

    def power(self, host: str, name: str) -> object:
        return self._machine(host, name)["EnabledState"]

    def relation(self, host: str, name: str) -> Mapping[str, object]:
        identity = f"Microsoft:{self.at(host).vm(name)}"
        wql = f"SELECT * FROM Msvm_ReplicationRelationship WHERE InstanceID LIKE '{identity}%'"
        (row,) = self.at(host)(wql)
        return row.values

    def state(self, host: str, name: str) -> object:
        return self.relation(host, name)["ReplicationState"]

    def health(self, host: str, name: str) -> object:
        return self.relation(host, name)["ReplicationHealth"]

    def points(self, host: str, name: str) -> list[str]:
        """InstanceIDs of recovery points, oldest first."""
        wql = f"SELECT * FROM {SYSTEM} WHERE VirtualSystemIdentifier = '{self.at(host).vm(name)}'"
        rows = [row for row in self.at(host)(wql) if ":Replica:" in str(row["VirtualSystemType"])]
        return [
            str(row["InstanceID"]) for row in sorted(rows, key=lambda r: str(r["CreationTime"]))
        ]


@dataclass(frozen=True)
class ReplicaCase:
    """A verb on one end of a relationship, and what both hosts say afterwards."""

    action: str
    on: str
    host: str
    proof: Callable[[Fabric], object]
    """True when it has been done; never before."""
    given: Given = field(default_factory=dict)
    """As typed; ``{oldest}`` is the oldest recovery point."""
    off: bool = False
    """The machine is turned off first."""

    @property
    def id(self) -> str:
        return f"{self.action} {self.on}@{self.host}"

    def prepare(self, fabric: Fabric) -> dict[str, str | bool]:
        """Have it as the verb needs it; what is typed then."""
        if self.off:
            fabric.at(self.host).stop(self.on)
        assert not proven(self, fabric), "it is so already: the case proves nothing"
        oldest = next(iter(fabric.points(self.host, self.on)), "")
        return {
            name: value.replace("{oldest}", oldest) if isinstance(value, str) else value
            for name, value in self.given.items()
        }


def proven(case: ReplicaCase, fabric: Fabric) -> bool:
    """Whether the hosts show what the case is about."""
    try:
        return bool(case.proof(fabric))
    except (ValueError, KeyError):  # what it asks about is not there
        return False


CASES: Final = (
    ReplicaCase("replica.pause", "erp-db", BERLIN, lambda f: f.state(BERLIN, "erp-db") == PAUSED),
    ReplicaCase("replica.resume", "erp-db", BERLIN,
                lambda f: f.state(BERLIN, "erp-db") == REPLICATING),
    ReplicaCase("replica.pause", "files", DRESDEN,
                lambda f: f.state(DRESDEN, "files") == PAUSED),
    ReplicaCase("replica.resume", "intranet", DRESDEN,
                lambda f: f.state(DRESDEN, "intranet") == REPLICATING),
    ReplicaCase("replica.resync", "wiki", BERLIN,
                lambda f: f.state(BERLIN, "wiki") == REPLICATING),
    ReplicaCase("replica.start", "hr-app", BERLIN,
                lambda f: f.state(BERLIN, "hr-app") in (2, REPLICATING)),
    ReplicaCase("replica.test-failover", "erp-db", DRESDEN,
                lambda f: f.mode(DRESDEN, "erp-db - Test") == TEST
                and f.power(DRESDEN, "erp-db - Test") == OFF, {"point": "{oldest}"}),
    ReplicaCase("replica.stop-test", "erp-db", DRESDEN,
                lambda f: "erp-db - Test" not in f.at(DRESDEN).names()
                and f.mode(DRESDEN, "erp-db") == REPLICA),
    ReplicaCase("replica.prepare-failover", "erp-db", BERLIN,
                lambda f: f.state(BERLIN, "erp-db") == PREPARED, off=True),
    ReplicaCase("replica.cancel-failover", "erp-db", BERLIN,
                lambda f: f.state(BERLIN, "erp-db") == REPLICATING),
    ReplicaCase("replica.planned-failover", "print", DRESDEN,
                lambda f: (f.mode(DRESDEN, "print"), f.mode(BERLIN, "print")) == (PRIMARY, REPLICA)
                and f.state(DRESDEN, "print") == f.state(BERLIN, "print") == REPLICATING
                and f.power(DRESDEN, "print") == RUNNING and f.power(BERLIN, "print") == OFF),
    ReplicaCase("replica.failover", "crm", DRESDEN,
                lambda f: f.state(DRESDEN, "crm") == RECOVERED
                and f.power(DRESDEN, "crm") == RUNNING
                and f.relation(DRESDEN, "crm")["FailedOverReplicationType"] == 1),
    ReplicaCase("replica.commit", "crm", DRESDEN,
                lambda f: f.state(DRESDEN, "crm") == COMMITTED),
    ReplicaCase("replica.failover", "erp-db", DRESDEN,
                lambda f: f.state(DRESDEN, "erp-db") == RECOVERED
                and f.power(DRESDEN, "erp-db") == OFF, {"point": "{oldest}", "start": False}),
    ReplicaCase("replica.cancel-failover", "build", DRESDEN,
                lambda f: f.state(DRESDEN, "build") not in (RECOVERED, COMMITTED)
                and f.relation(DRESDEN, "build")["FailedOverReplicationType"] == 0),
    ReplicaCase("replica.reverse", "license", DRESDEN,
                lambda f: (f.mode(DRESDEN, "license"), f.mode(BERLIN, "license"))
                == (PRIMARY, REPLICA)),
    ReplicaCase("replica.start", "license", DRESDEN,
                lambda f: f.state(DRESDEN, "license") in (2, REPLICATING), {"how": "compare"}),
)  # fmt: skip


class PairShell(Shell):
    """The command, told of both hosts."""

    def both(self, *words: str) -> str:
        """What it prints; it must end well."""
        ran = self(DRESDEN, *words, "--host", self.fabric.url(BERLIN))
        assert ran.code == 0, ran.out + ran.err
        return ran.out

    def replicate(self, case: ReplicaCase, given: Given) -> str:
        noun, verb = case.action.split(".")
        where = self.fabric.url(case.host).split("/")[2]
        return self.both(
            noun, verb, f"{case.on}@{where}", *options(given), "--wait", "--yes", "--timeout", "60"
        )

"""Both ends of the scene ``replica``, and what a client asks of its relationships."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.sim_kit import V2, Bench, bench, embedded, word
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.embedded import from_text
from tui.wsman.reply import MethodOutput

SERVICE = "Msvm_ReplicationService"
RELATIONSHIP = "Msvm_ReplicationRelationship"
SETTING = "Msvm_ReplicationSettingData"
NEVER = datetime(1601, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Ends:
    """The two hosts of the scene."""

    berlin: Bench
    dresden: Bench

    def states(self, name: str) -> tuple[CimValue, CimValue]:
        """ReplicationState on BERLIN and on DRESDEN."""
        berlin, dresden = (relation(at, name)["ReplicationState"] for at in self)
        return berlin, dresden

    def modes(self, name: str) -> tuple[CimValue, CimValue]:
        berlin, dresden = (at.vm(name)["ReplicationMode"] for at in self)
        return berlin, dresden

    def __iter__(self) -> Iterator[Bench]:
        return iter((self.berlin, self.dresden))

    def wait(self, seconds: float) -> None:
        self.berlin.clock.advance(seconds)


def ends() -> Ends:
    berlin = bench("replica", "BERLIN")
    return Ends(berlin, berlin.at("DRESDEN"))


def relation(at: Bench, name: str) -> CimInstance:
    """The relationship of a machine, found from it."""
    return linked(at, name, RELATIONSHIP, "Msvm_SystemReplicationRelationship")


def setting(at: Bench, name: str) -> CimInstance:
    return linked(at, name, SETTING)


def linked(at: Bench, name: str, result: str, association: str = "") -> CimInstance:
    system = word(at.vm(name)["Name"])
    path = f'Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="{system}"'
    more = f" AssocClass = {association}" if association else ""
    text = f"ASSOCIATORS OF {{{path}}} WHERE ResultClass = {result}{more}"
    (found,) = at.client.query(V2, text)
    return found


def ask(at: Bench, method: str, name: str, **more: CimValue) -> MethodOutput:
    """A method of the service about one machine."""
    return at.call(SERVICE, method, ComputerSystem=at.ref(name), **more)


def change(at: Bench, name: str, state: int) -> MethodOutput:
    """The form of Windows since 8.1: the relationship goes along."""
    text = embedded(RELATIONSHIP, InstanceID=relation(at, name)["InstanceID"])
    return at.client.invoke(
        at.ref(name),
        "RequestReplicationStateChangeEx",
        ReplicationRelationship=text,
        RequestedState=state,
    )


def wish(at: Bench, name: str, **values: CimValue) -> str:
    """Settings as a client sends them back: read, changed in part, whole."""
    return embedded(SETTING, **{**dict(setting(at, name).values), **values})


def measured(at: Bench, name: str) -> tuple[CimInstance, list[CimInstance]]:
    """Statistics and health issues."""
    output = ask(at, "GetReplicationStatistics", name)
    assert output.return_value == 0
    texts = output.values["ReplicationStatistics"]
    issues = output.values.get("ReplicationHealthIssues")
    assert isinstance(texts, tuple)
    found = [from_text(word(text), V2) for text in issues or ()]  # type: ignore[union-attr]
    return from_text(word(texts[0]), V2), found


def points(at: Bench, name: str) -> list[CimInstance]:
    """Recovery points of a replica, oldest first."""
    mine = at.vm(name)["Name"]
    found = at.client.query(
        V2,
        "SELECT * FROM Msvm_VirtualSystemSettingData WHERE VirtualSystemType LIKE "
        "'Microsoft:Hyper-V:Snapshot:Replica:%'",
    )
    mine_only = [item for item in found if item["VirtualSystemIdentifier"] == mine]
    return sorted(mine_only, key=lambda item: str(item["CreationTime"]))

"""Groups of machines on a simulated host: made, filled, renamed and removed."""

from __future__ import annotations

import pytest

from tests.sim_kit import V2, VSMS, Bench, bench, one, system, word
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

SERVICE = "Msvm_CollectionManagementService"
GROUP, GROUPS = "Msvm_VirtualSystemCollection", "Msvm_ManagementCollection"


@pytest.fixture
def world() -> Bench:
    return bench()


def group(world: Bench, name: str, class_name: str = GROUP) -> CimInstance:
    return one(world.all(class_name), lambda g: g["ElementName"] == name)


def ref_of(item: CimInstance) -> CimRef:
    return CimRef(item.class_name, (("CollectionID", word(item["CollectionID"])),), V2)


def members(world: Bench, name: str) -> set[CimValue]:
    """Names of the members, by the association."""
    path = f'{GROUP}.CollectionID="{word(group(world, name)["CollectionID"])}"'
    found = world.client.query(
        V2, f"ASSOCIATORS OF {{{path}}} WHERE AssocClass=Msvm_CollectedVirtualSystems"
    )
    return {item["ElementName"] for item in found}


def call(world: Bench, method: str, **values: CimValue) -> int:
    output: MethodOutput = world.call(SERVICE, method, **values)
    if output.return_value != 4096:
        return output.return_value
    assert world.finish(output)["ErrorCode"] == 0
    return 4096


def test_the_datacenter_has_two_groups_that_share_a_machine(world: Bench) -> None:
    assert {g["ElementName"] for g in world.all(GROUP)} == {"Databases", "Backup window A"}
    assert members(world, "Databases") == {"sql01", "sql02"}
    assert "sql01" in members(world, "Backup window A")


def test_a_machine_knows_its_groups(world: Bench) -> None:
    name = word(world.vm("sql01")["Name"])
    path = f'Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="{name}"'
    found = world.client.query(V2, f"ASSOCIATORS OF {{{path}}} WHERE ResultClass={GROUP}")
    assert {g["ElementName"] for g in found} == {"Databases", "Backup window A"}


def test_a_group_is_made_filled_emptied_and_removed(world: Bench) -> None:
    made = world.done(world.call(SERVICE, "DefineCollection", Name="Web & <shop>", Type=0))
    assert [m["ElementName"] for m in made] == ["Web & <shop>"]
    target = ref_of(made[0])
    for name in ("web01", "web02"):
        assert call(world, "AddMember", Member=world.ref(name), Collection=target) == 4096
    again = call(world, "AddMember", Member=world.ref("web01"), Collection=target)
    assert again == 32773, "it is a member"
    assert members(world, "Web & <shop>") == {"web01", "web02"}
    assert call(world, "RemoveMember", Member=world.ref("web01"), Collection=target) == 4096
    assert call(world, "RemoveMember", Member=world.ref("web01"), Collection=target) == 32773
    identity = word(made[0]["CollectionID"])
    last = world.ref("web02")
    assert call(world, "RemoveMemberById", Member=last, CollectionId=identity) == 4096
    assert members(world, "Web & <shop>") == set()
    assert call(world, "DestroyCollection", Collection=target) == 4096
    assert len(world.all(GROUP)) == 2
    assert call(world, "RenameCollection", Collection=target, NewName="x") == 32779


def test_a_group_has_the_identifier_its_maker_wants(world: Bench) -> None:
    wish = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert call(world, "DefineCollection", Name="Mine", Id=wish, Type=0) == 4096
    assert group(world, "Mine")["CollectionID"] == wish.upper()
    assert call(world, "DefineCollection", Name="Yours", Id=wish, Type=0) == 32773
    assert call(world, "DefineCollection", Name="Nobody's", Id="no guid", Type=0) == 32773


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\nlines"])
def test_a_group_needs_a_name(world: Bench, name: str) -> None:
    assert call(world, "DefineCollection", Name=name, Type=0) == 32773
    target = ref_of(group(world, "Databases"))
    assert call(world, "RenameCollection", Collection=target, NewName=name) == 32773


def test_a_group_is_renamed_and_keeps_its_members(world: Bench) -> None:
    target = ref_of(group(world, "Databases"))
    assert call(world, "RenameCollection", Collection=target, NewName="SQL") == 4096
    assert members(world, "SQL") == {"sql01", "sql02"}


def test_groups_can_be_collected_but_not_in_circles(world: Bench) -> None:
    for name in ("All", "More"):
        assert call(world, "DefineCollection", Name=name, Type=1) == 4096
    everything, more = group(world, "All", GROUPS), group(world, "More", GROUPS)
    inner = ref_of(group(world, "Databases"))
    assert call(world, "AddMember", Member=inner, Collection=ref_of(everything)) == 4096
    assert call(world, "AddMember", Member=ref_of(everything), Collection=ref_of(more)) == 4096
    assert call(world, "AddMember", Member=ref_of(more), Collection=ref_of(everything)) == 32773
    assert call(world, "AddMember", Member=world.ref("dc01"), Collection=ref_of(more)) == 32773
    path = f'{GROUPS}.CollectionID="{word(everything["CollectionID"])}"'
    found = world.client.query(
        V2, f"ASSOCIATORS OF {{{path}}} WHERE AssocClass=Msvm_CollectedCollections"
    )
    assert {g["ElementName"] for g in found} == {"Databases", "More"}


def test_a_machine_that_is_destroyed_leaves_its_groups(world: Bench) -> None:
    assert world.finish(world.change("sql02", 3))["JobState"] == 7
    ref = system(word(world.vm("sql02")["Name"]))
    world.done(world.call(VSMS, "DestroySystem", AffectedSystem=ref))
    assert members(world, "Databases") == {"sql01"}

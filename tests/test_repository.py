from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from tui.sim.repository import Repository
from tui.wsman import schema
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.fault import Refusal

V2 = schema.VIRTUALIZATION
WEB = "AAAAAAAA-0000-0000-0000-000000000001"
DB = "AAAAAAAA-0000-0000-0000-000000000002"


def make(class_name: str, namespace: str = V2, **values: CimValue) -> CimInstance:
    return CimInstance(class_name, dict(values), namespace)


def system(name: str, element_name: str) -> CimInstance:
    return make(
        "Msvm_ComputerSystem",
        CreationClassName="Msvm_ComputerSystem",
        Name=name,
        ElementName=element_name,
    )


def settings(guid: str) -> CimInstance:
    return make("Msvm_VirtualSystemSettingData", InstanceID=f"Microsoft:{guid}")


@pytest.fixture
def repository() -> Repository:
    host = Repository("HV01")
    host.add(system("HV01", "HV01"))
    for guid, name in ((WEB, "web"), (DB, "db")):
        machine = host.add(system(guid, name))
        current = host.add(settings(guid))
        memory = host.add(
            make("Msvm_MemorySettingData", InstanceID=f"Microsoft:{guid}\\4764334d-e001")
        )
        disk = host.add(
            make("Msvm_StorageAllocationSettingData", InstanceID=f"Microsoft:{guid}\\0\\0\\L")
        )
        host.add(
            make(
                "Msvm_SettingsDefineState",
                ManagedElement=host.ref_of(machine),
                SettingData=host.ref_of(current),
            )
        )
        for part in (memory, disk):
            host.add(
                make(
                    "Msvm_VirtualSystemSettingDataComponent",
                    GroupComponent=host.ref_of(current),
                    PartComponent=host.ref_of(part),
                )
            )
    return host


def code(repository: Repository, class_name: str, *keys: tuple[str, str], space: str = V2) -> int:
    with pytest.raises(Refusal) as refused:
        repository.find(CimRef(class_name, keys), space)
    return refused.value.code


def names(found: Iterable[CimInstance], name: str = "ElementName") -> list[CimValue]:
    return [instance[name] for instance in found]


# -- storing ---------------------------------------------------------------------------------


def test_every_property_of_the_class_is_there(repository: Repository) -> None:
    stored = repository.find(CimRef("Msvm_ComputerSystem", (("Name", WEB),)), V2)
    cls = schema.cim_class(V2, "Msvm_ComputerSystem")
    assert cls is not None
    assert stored.values.keys() == cls.properties.keys()
    assert stored["EnabledState"] is None


def test_stored_values_are_the_dict_that_was_given(repository: Repository) -> None:
    given: dict[str, CimValue] = {"instanceid": "Microsoft:X"}
    stored = repository.add(
        CimInstance("msvm_memorysettingdata", given, "ROOT\\Virtualization\\V2")
    )
    assert stored.values is given
    assert stored["InstanceID"] == "Microsoft:X"
    assert (stored.class_name, stored.namespace) == ("Msvm_MemorySettingData", V2)
    given["VirtualQuantity"] = 2048
    ref = CimRef("Msvm_MemorySettingData", (("InstanceID", "microsoft:x"),))
    assert repository.find(ref, V2)["VirtualQuantity"] == 2048


def test_same_key_replaces(repository: Repository) -> None:
    repository.add(system(WEB.lower(), "renamed"))
    found = [
        s for s in repository.instances(V2, "Msvm_ComputerSystem") if s["ElementName"] == "web"
    ]
    assert found == []
    assert len(list(repository.instances(V2, "Msvm_ComputerSystem"))) == 3


def test_mistakes_of_the_world_are_loud(repository: Repository) -> None:
    with pytest.raises(ValueError, match="Colour"):
        repository.add(make("Msvm_MemorySettingData", InstanceID="x", Colour="red"))
    with pytest.raises(ValueError, match="Msvm_Nothing"):
        repository.add(make("Msvm_Nothing"))


def test_removed_instances_are_gone_with_their_links(repository: Repository) -> None:
    machine = repository.find(CimRef("Msvm_ComputerSystem", (("Name", WEB),)), V2)
    link = next(repository.instances(V2, "Msvm_SettingsDefineState"))
    repository.remove(link)
    assert repository.associators(repository.ref_of(machine)) == []
    repository.remove(machine)
    assert code(repository, "Msvm_ComputerSystem", ("Name", WEB)) == 2150858752
    repository.remove(machine)


# -- finding ---------------------------------------------------------------------------------


def test_selectors_ignore_case_and_may_be_partial(repository: Repository) -> None:
    for keys in (
        (("CreationClassName", "Msvm_ComputerSystem"), ("Name", WEB)),
        (("NAME", WEB.lower()),),
        (("name", WEB), ("creationclassname", "MSVM_COMPUTERSYSTEM")),
    ):
        assert repository.find(CimRef("msvm_computersystem", keys), V2)["ElementName"] == "web"


def test_a_base_class_finds_its_subclass_instances(repository: Repository) -> None:
    ref = CimRef("CIM_System", (("Name", DB),))
    assert repository.find(ref, V2).class_name == "Msvm_ComputerSystem"
    ref = CimRef("CIM_ResourceAllocationSettingData", (("InstanceID", f"microsoft:{DB}\\0\\0\\l"),))
    assert repository.find(ref, V2).class_name == "Msvm_StorageAllocationSettingData"


def test_refusals_of_selectors(repository: Repository) -> None:
    creation = ("CreationClassName", "Msvm_ComputerSystem")
    assert code(repository, "Msvm_ComputerSystem", creation) == 2150858842
    assert code(repository, "Msvm_ComputerSystem", ("Name", "nobody")) == 2150858752
    assert code(repository, "Msvm_ComputerSystem", ("ElementName", "web")) == 2150858843
    assert code(repository, "Msvm_ComputerSystem", ("Name", WEB), ("name", DB)) == 2150858847
    assert code(repository, "Msvm_ComputerSystem") == 2150859002
    assert code(repository, "Msvm_Nothing", ("Name", WEB)) == 2150858752
    assert (
        code(repository, "Msvm_ComputerSystem", ("Name", WEB), space="root/nowhere") == 2150858752
    )
    assert code(repository, "Win32_Process", ("Handle", "x"), space="root/cimv2") == 2150858752


def test_links_are_found_by_their_ends(repository: Repository) -> None:
    link = next(repository.instances(V2, "Msvm_SettingsDefineState"))
    ref = repository.ref_of(link)
    assert repository.find(ref).values is link.values
    shuffled = CimRef(
        "CIM_SettingsDefineState",
        (
            (
                "managedelement",
                f"Msvm_ComputerSystem.Name='{WEB}',CreationClassName='MSVM_computersystem'",
            ),
        ),
    )
    assert repository.find(shuffled, V2).values is link.values
    assert code(repository, "Msvm_SettingsDefineState", ("SettingData", "=")) == 2150858844


def test_singletons_need_no_key() -> None:
    host = Repository()
    memory = "Win32_PerfRawData_PerfOS_Memory"
    host.provide(schema.CIMV2, memory, lambda: [make(memory, schema.CIMV2, AvailableBytes=1024)])
    assert host.find(CimRef(memory, ()), schema.CIMV2)["AvailableBytes"] == 1024


# -- provided classes ------------------------------------------------------------------------


def test_provided_instances_are_made_at_query_time(repository: Repository) -> None:
    calls = 0

    def summaries() -> Iterator[CimInstance]:
        nonlocal calls
        calls += 1
        for number in range(3):
            yield make("Msvm_SummaryInformation", InstanceID=f"Microsoft:{number}", Name=str(calls))

    repository.provide(V2, "Msvm_SummaryInformation", summaries)
    assert calls == 0
    first = list(repository.instances(V2, "Msvm_SummaryInformationBase"))
    assert names(first, "Name") == ["1", "1", "1"]
    assert "GuestOperatingSystem" in first[0].values
    found = repository.find(CimRef("Msvm_SummaryInformation", (("InstanceID", "microsoft:2"),)), V2)
    assert found["InstanceID"] == "Microsoft:2"
    rows = repository.query(
        V2, "SELECT Name FROM Msvm_SummaryInformation WHERE InstanceID LIKE '%:2'"
    )
    assert [row.values for row in rows.items] == [{"Name": "3"}]


def test_associations_of_one_object_do_not_build_all(repository: Repository) -> None:
    web, db = (
        repository.find(CimRef("Msvm_ComputerSystem", (("Name", guid),)), V2) for guid in (WEB, DB)
    )
    asked: list[str | None] = []

    def everything() -> Iterator[CimInstance]:
        raise AssertionError("only one object was asked for")
        yield

    def near(ref: CimRef) -> Iterator[CimInstance]:
        asked.append(ref.key("Name"))
        for guid in (WEB, DB):
            checkpoint = repository.get(
                CimRef("Msvm_VirtualSystemSettingData", (("InstanceID", f"Microsoft:{guid}"),)), V2
            )
            owner = web if guid == WEB else db
            assert checkpoint is not None
            yield make(
                "Msvm_SnapshotOfVirtualSystem",
                Antecedent=repository.ref_of(owner),
                Dependent=repository.ref_of(checkpoint),
            )

    repository.provide_association(V2, "Msvm_SnapshotOfVirtualSystem", everything, near)
    found = repository.associators(
        CimRef("CIM_ComputerSystem", (("name", WEB.lower()),)),
        V2,
        assoc_class="Msvm_SnapshotOfVirtualSystem",
    )
    assert names(found, "InstanceID") == [f"Microsoft:{WEB}"]
    assert asked == [WEB]


# -- queries ---------------------------------------------------------------------------------


def query(repository: Repository, text: str) -> list[CimInstance]:
    return repository.query(V2, text).items


def test_queries_reach_subclasses_and_pin_keys(repository: Repository) -> None:
    assert len(query(repository, "SELECT * FROM CIM_ResourceAllocationSettingData")) == 4
    found = query(
        repository,
        "SELECT * FROM CIM_SettingData WHERE InstanceID = "
        f"'microsoft:{WEB.lower()}\\\\0\\\\0\\\\L' AND Caption IS NULL",
    )
    assert [row.class_name for row in found] == ["Msvm_StorageAllocationSettingData"]
    found = query(
        repository, f"SELECT * FROM CIM_SettingData WHERE InstanceID LIKE 'Microsoft:{DB}%'"
    )
    assert len(found) == 3


def test_projection_keeps_the_class_of_from(repository: Repository) -> None:
    rows = repository.query(
        V2, "select elementname, NAME, name from cim_system where Name != 'HV01'"
    )
    assert rows.columns == ("ElementName", "Name")
    assert rows.cls.name == "CIM_System"
    assert [row.values for row in rows.items] == [
        {"ElementName": "web", "Name": WEB},
        {"ElementName": "db", "Name": DB},
    ]


def test_projecting_the_path_gives_no_rows(repository: Repository) -> None:
    assert query(repository, "SELECT __PATH, Name FROM Msvm_ComputerSystem") == []
    assert len(query(repository, "SELECT __CLASS FROM Msvm_ComputerSystem")) == 3


@pytest.mark.parametrize(
    "text",
    [
        "SELECT nonsense FROM Msvm_ComputerSystem",
        "SELECT * FROM Msvm_Nothing",
        "SELECT * FROM Msvm_ComputerSystem WHERE Nonsense = 1",
        "SELECT * FORM Msvm_ComputerSystem",
        "ASSOCIATORS OF {Msvm_Nothing.Name='x'}",
        f"ASSOCIATORS OF {{Msvm_ComputerSystem.Name='{WEB}'}} WHERE AssocClass = Msvm_Nothing",
        f"ASSOCIATORS OF {{Msvm_ComputerSystem.Name='{WEB}'}} WHERE ClassDefsOnly",
    ],
)
def test_refused_queries(repository: Repository, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        repository.query(V2, text)
    assert refused.value.code == 2150858778


def test_a_namespace_that_is_missing_refuses_the_filter(repository: Repository) -> None:
    with pytest.raises(Refusal) as refused:
        repository.query("root/virtualization", "SELECT * FROM Msvm_ComputerSystem")
    assert refused.value.code == 2150858778


# -- associations ----------------------------------------------------------------------------


def walk(repository: Repository, guid: str, restriction: str = "") -> list[str]:
    path = f'Msvm_VirtualSystemSettingData.InstanceID="Microsoft:{guid}"'
    found = query(repository, f"ASSOCIATORS OF {{{path}}} {restriction}")
    return sorted(row.class_name for row in found)


def test_associators_of_settings(repository: Repository) -> None:
    assert walk(repository, WEB) == [
        "Msvm_ComputerSystem",
        "Msvm_MemorySettingData",
        "Msvm_StorageAllocationSettingData",
    ]
    memory = ["Msvm_MemorySettingData"]
    assert walk(repository, WEB, "WHERE ResultClass=Msvm_MemorySettingData") == memory
    assert walk(repository, WEB, "WHERE AssocClass = CIM_SettingsDefineState") == [
        "Msvm_ComputerSystem"
    ]
    assert len(walk(repository, WEB, "WHERE Role = GroupComponent ResultRole=PartComponent")) == 2
    assert len(walk(repository, WEB, "WHERE ResultClass = CIM_ResourceAllocationSettingData")) == 2
    assert walk(repository, WEB, "WHERE Role = PartComponent") == []
    assert walk(repository, WEB, "WHERE ResultRole = Antecedent") == []
    assert walk(repository, WEB, "WHERE RequiredAssocQualifier = Association Role=SettingData") == [
        "Msvm_ComputerSystem"
    ]
    assert walk(repository, WEB, "WHERE RequiredQualifier = Deprecated") == []


def test_references_are_the_links_themselves(repository: Repository) -> None:
    path = f"\\\\HV01\\root\\virtualization\\v2:Msvm_VirtualSystemSettingData='Microsoft:{DB}'"
    found = query(repository, f"REFERENCES OF {{{path}}}")
    assert sorted(row.class_name for row in found) == [
        "Msvm_SettingsDefineState",
        "Msvm_VirtualSystemSettingDataComponent",
        "Msvm_VirtualSystemSettingDataComponent",
    ]
    found = query(repository, f"REFERENCES OF {{{path}}} WHERE Role=SettingData")
    assert [row.class_name for row in found] == ["Msvm_SettingsDefineState"]
    found = query(repository, f"REFERENCES OF {{{path}}} WHERE ResultClass=CIM_Component")
    assert {row.class_name for row in found} == {"Msvm_VirtualSystemSettingDataComponent"}


def test_walking_from_an_object_that_is_gone_is_not_an_empty_answer(repository: Repository) -> None:
    with pytest.raises(Refusal) as refused:
        walk(repository, "nobody")
    assert refused.value.code == 2150858752


def test_links_to_objects_that_are_gone_are_skipped(repository: Repository) -> None:
    machine = repository.find(CimRef("Msvm_ComputerSystem", (("Name", WEB),)), V2)
    repository.remove(machine)
    assert "Msvm_ComputerSystem" not in walk(repository, WEB)

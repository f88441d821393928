"""The class table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.make_schema import build
from tui.wsman import schema
from tui.wsman.cim import CimProperty, CimType
from tui.wsman.schema import CIMV2, CLUSTER, STANDARD, STORAGE, VIRTUALIZATION, cim_class


def test_names_are_found_without_case_and_told_properly() -> None:
    found = cim_class("ROOT\\Virtualization\\V2", "msvm_computersystem")
    assert found is not None
    assert (found.namespace, found.name) == (VIRTUALIZATION, "Msvm_ComputerSystem")
    assert found.keys == ("CreationClassName", "Name")
    assert found.superclass == "CIM_ComputerSystem"
    assert not found.singleton


def test_what_is_not_there_is_none() -> None:
    assert cim_class(VIRTUALIZATION, "Msvm_Nothing") is None
    assert cim_class("root/nowhere", "Msvm_ComputerSystem") is None
    assert schema.subclasses("root/nowhere", "CIM_Job") == frozenset()
    assert not schema.is_a("root/nowhere", "CIM_Job", "CIM_Job")


def test_types_of_every_form() -> None:
    system = cim_class(VIRTUALIZATION, "Msvm_ComputerSystem")
    summary = cim_class(VIRTUALIZATION, "Msvm_SummaryInformation")
    service = cim_class(VIRTUALIZATION, "Msvm_VirtualSystemManagementService")
    assert system
    assert summary
    assert service
    assert system.properties["OperationalStatus"] == CimProperty(
        "OperationalStatus", CimType.UINT16, array=True
    )
    assert system.properties["InstallDate"].type is CimType.DATETIME
    assert "ManagementVtlImageVersion" in system.properties
    assert summary.properties["TestReplicaSystem"].of == "CIM_ComputerSystem"
    assert summary.properties["AsynchronousTasks"].type is CimType.OBJECT
    define = service.methods["DefineSystem"].inputs
    assert define["ResourceSettings"] == CimProperty(
        "ResourceSettings", CimType.STRING, True, "CIM_ResourceAllocationSettingData"
    )
    start = system.methods["RequestStateChange"]
    assert start.outputs["Job"].type is CimType.REFERENCE
    assert start.returns[4096].endswith("Started")


def test_inheritance() -> None:
    jobs = schema.subclasses(VIRTUALIZATION, "cim_concretejob")
    assert {"CIM_ConcreteJob", "Msvm_ConcreteJob", "Msvm_StorageJob"} <= jobs
    assert schema.is_a(VIRTUALIZATION, "msvm_storagejob", "CIM_Job")
    assert not schema.is_a(VIRTUALIZATION, "CIM_Job", "Msvm_StorageJob")


@pytest.mark.parametrize("kind", ["Raw", "Formatted"])
@pytest.mark.parametrize(
    "name",
    [
        "HvStats_HyperVHypervisorLogicalProcessor",
        "HvStats_HyperVHypervisorVirtualProcessor",
        "BalancerStats_HyperVDynamicMemoryVM",
        "NvspNicStats_HyperVVirtualNetworkAdapter",
        "Counters_HyperVVirtualStorageDevice",
    ],
)
def test_performance_classes_are_there(kind: str, name: str) -> None:
    found = cim_class(CIMV2, f"Win32_Perf{kind}Data_{name}")
    assert found
    assert ("Timestamp_PerfTime" in found.properties) or kind == "Formatted"


def test_namespaces_served() -> None:
    assert {VIRTUALIZATION, CIMV2, CLUSTER, STANDARD, STORAGE} <= set(schema.namespaces())


def test_every_class_builds_and_its_keys_are_properties() -> None:
    table = json.loads((Path(schema.__file__).parent / "schema.json").read_text("utf-8"))
    for namespace, classes in table["namespaces"].items():
        for name in classes:
            found = cim_class(namespace, name)
            assert found, name
            assert set(found.keys) <= set(found.properties), name
            assert len({key.lower() for key in found.properties}) == len(found.properties), name


def test_the_table_keeps_what_a_class_adds() -> None:
    base = {"superclass": None, "key": ["Id"], "kind": "abstract", "properties": {"Id": "string"}}
    leaf = {
        "superclass": "Base",
        "key": ["Id"],
        "kind": "class",
        "properties": {"Id": "string", "Old": "uint8", "Size": "uint64"},
        "only_2019": ["Old"],
        "methods": {"Go": {"in": {}, "out": {}, "returns": {"0": "Done", "1..": "reserved"}}},
    }
    spaces = ("root/cimv2", "root/MSCluster", "root/StandardCimv2")
    empty: dict[str, dict[str, object]] = {
        space: {} for space in (*spaces, STORAGE, "root/Microsoft/Windows/HGS")
    }
    dump: dict[str, dict[str, object]] = {**empty, VIRTUALIZATION: {"Base": base, "Leaf": leaf}}
    built = build(dump)
    row = built["namespaces"][VIRTUALIZATION]["Leaf"]
    assert row == ["Base", 0, 0, ["Id"], {"Size": "uint64"}, {"Go": [{}, {}, 0]}]
    assert built["returns"] == [{"0": "Done"}]

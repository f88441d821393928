from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.handmade import (
    ALL,
    ENUMERATION,
    FIRST,
    NIL,
    SYSTEM,
    V2,
    WMI,
    A,
    Client,
    Host,
    N,
    W,
    five_machines,
    guid,
    machine,
    names,
)
from tui.sim.answer import Enumerations
from tui.wsman.cim import CimInstance, CimRef


@pytest.fixture
def host() -> Host:
    return five_machines()


@pytest.fixture
def client(host: Host) -> Client:
    return Client(host)


# -- enumerations ----------------------------------------------------------------------------


def test_optimized_to_the_end_in_one_answer(client: Client) -> None:
    got = client.enumerate("SELECT * FROM Msvm_ComputerSystem")
    assert got.action == f"{ENUMERATION}EnumerateResponse"
    assert [e.findtext(f"{{{SYSTEM}}}ElementName") for e in got.items] == [
        f"vm-{number:03d}" for number in range(1, 6)
    ]
    assert got.context == ""
    assert got.ended
    assert got.body.find(f".//{W}Items") is not None
    assert got.body.find(f".//{W}EndOfSequence") is not None
    assert client.enumerations.open == 0


def test_pulling_page_by_page(client: Client) -> None:
    first = client.enumerate("SELECT * FROM Msvm_ComputerSystem", optimize=False)
    assert "Items" not in first.text
    assert re.fullmatch(r"uuid:[0-9A-F-]{36}", first.context or "")
    second = client.pull(first.context, 2)
    assert second.action == f"{ENUMERATION}PullResponse"
    assert (len(second.items), second.ended) == (2, False)
    assert second.body.find(f".//{N}Items") is not None
    assert second.context not in (None, "", first.context)
    third = client.pull(second.context, 2)
    last = client.pull(third.context, 2)
    assert len(third.items) == 2
    assert len(last.items) == 1
    assert last.context is None
    assert last.body.find(f".//{N}EndOfSequence") is not None
    assert client.pull(second.context).fault[:2] == (2150858779, "InvalidEnumerationContext")
    assert client.pull("uuid:nonsense").fault[0] == 2150858779


def test_pull_without_a_number_brings_one(client: Client) -> None:
    first = client.enumerate("SELECT * FROM Msvm_ComputerSystem", elements=None)
    assert len(first.items) == 1
    assert len(client.pull(first.context, None).items) == 1


def test_no_hits_are_no_fault(client: Client) -> None:
    got = client.enumerate("SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'none'")
    assert got.items == []
    assert got.ended
    first = client.enumerate(
        "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'none'", optimize=False
    )
    got = client.pull(first.context)
    assert got.items == []
    assert got.ended


def test_a_class_resource_brings_subclasses_under_their_own_names(client: Client) -> None:
    got = client.enumerate(resource=f"{WMI}{V2}/CIM_ManagedElement")
    assert set(names(got.items)) == {"Msvm_ComputerSystem", "Msvm_ConcreteJob"}
    assert got.items[0].tag == f"{{{SYSTEM}}}Msvm_ComputerSystem"
    missing = client.enumerate(resource=f"{WMI}{V2}/Msvm_Nothing")
    assert missing.fault == (2150858752, "DestinationUnreachable", "InvalidResourceURI")


def test_projections_have_no_namespace_and_the_order_of_the_alphabet(client: Client) -> None:
    got = client.enumerate(
        "select OperationalStatus, name, InstallDate, Description, Roles, EnabledState"
        f" from CIM_ComputerSystem where Name = '{guid(2)}'"
    )
    (row,) = got.items
    assert row.tag == f"{W}XmlFragment"
    assert names(list(row)) == [
        "Description",
        "EnabledState",
        "InstallDate",
        "Name",
        "OperationalStatus",
    ]
    assert row.findtext("Name") == guid(2)
    assert row.findtext("InstallDate/Datetime") == "2025-03-04T05:06:07.89Z"
    description = row.find("Description")
    assert description is not None
    assert description.get(NIL) == "true"


def test_system_properties_may_be_columns(client: Client) -> None:
    (row,) = client.enumerate(
        f"SELECT __CLASS, __GENUS, __SERVER, Name FROM CIM_System WHERE Name = '{guid(1)}'"
    ).items
    found = {e.tag: e.text for e in row}
    assert found == {
        "__CLASS": "Msvm_ComputerSystem",
        "__GENUS": "2",
        "__SERVER": "HV01",
        "Name": guid(1),
    }
    assert client.enumerate("SELECT __PATH FROM CIM_System").items == []


def test_reference_modes(client: Client) -> None:
    text = f"SELECT * FROM CIM_System WHERE Name = '{guid(3)}'"
    (reference,) = client.enumerate(text, mode="EnumerateEPR").items
    assert reference.tag == f"{A}EndpointReference"
    parameters = reference.find(f"{A}ReferenceParameters")
    assert parameters is not None
    assert parameters.findtext(f"{W}ResourceURI") == SYSTEM
    selectors = {e.get("Name"): e.text for e in parameters.iter(f"{W}Selector")}
    assert selectors == {"CreationClassName": "Msvm_ComputerSystem", "Name": guid(3)}
    (item,) = client.enumerate(text, mode="EnumerateObjectAndEPR").items
    assert item.tag == f"{W}Item"
    assert [e.tag for e in item] == [
        f"{{{SYSTEM}}}Msvm_ComputerSystem",
        f"{A}EndpointReference",
    ]
    refused = client.enumerate("SELECT Name FROM CIM_System", mode="EnumerateEPR")
    assert refused.fault == (2150858886, "UnsupportedFeature", "EnumerationMode")


def test_associations_travel_like_any_query(client: Client, host: Host) -> None:
    owner = host.repository.find(CimRef("Msvm_ComputerSystem", FIRST), V2)
    setting = host.repository.add(
        CimInstance("Msvm_VirtualSystemSettingData", {"InstanceID": "Microsoft:A\\B"}, V2)
    )
    host.repository.add(
        CimInstance(
            "Msvm_SettingsDefineState",
            {
                "ManagedElement": host.repository.ref_of(owner),
                "SettingData": host.repository.ref_of(setting),
            },
            V2,
        )
    )
    path = r'{Msvm_VirtualSystemSettingData.InstanceID="Microsoft:A\\B"}'
    got = client.enumerate(f"ASSOCIATORS OF {path} WHERE ResultClass = Msvm_ComputerSystem")
    assert names(got.items) == ["Msvm_ComputerSystem"]
    (link,) = client.enumerate(f"REFERENCES OF {path}").items
    uri = f"{{{WMI}{V2}/Msvm_SettingsDefineState}}"
    selectors = [e.text for e in link.findall(f"{uri}SettingData//{W}Selector")]
    assert selectors == ["Microsoft:A\\B"]
    (reference,) = client.enumerate(f"REFERENCES OF {path}", mode="EnumerateEPR").items
    nested = reference.findall(f".//{W}Selector/{A}EndpointReference")
    assert len(nested) == 2


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM Nope",
        "SELECT Colour FROM Msvm_ComputerSystem",
        "SELECT FROM",
        "SELECT * FROM meta_class",
    ],
)
def test_filters_that_cannot_be_processed(client: Client, text: str) -> None:
    got = client.enumerate(text)
    assert got.fault == (2150858778, "CannotProcessFilter", "")
    assert got.action == f"{ENUMERATION}fault"


def test_enumerations_that_are_refused(client: Client) -> None:
    on_class = client.enumerate("SELECT * FROM Msvm_ComputerSystem", SYSTEM)
    assert on_class.fault[0] == 2150859003
    dialect = client.enumerate("Name=x", SYSTEM, dialect="http://example.com/dialect")
    assert dialect.fault[:2] == (2150858777, "FilterDialectRequestedUnavailable")
    assert client.enumerate().status == 500
    old = client.enumerate("SELECT * FROM Msvm_ComputerSystem", f"{WMI}root/virtualization/*")
    assert old.fault[0] == 2150858778
    elsewhere = client.enumerate(resource="http://example.com/thing")
    assert elsewhere.fault[1] == "DestinationUnreachable"


def test_pages_are_cut_by_the_envelope_counted_in_utf16(client: Client, host: Host) -> None:
    for number in range(100, 200):
        host.repository.add(machine(number))
    limit = 64 * 1024
    got = client.enumerate("SELECT * FROM Msvm_ComputerSystem", max_envelope=limit)
    assert 2 * len(got.text) <= limit
    assert 2 * len(got.text) > limit * 0.8
    seen = [e.findtext(f"{{{SYSTEM}}}Name") for e in got.items]
    while not got.ended:
        got = client.pull(got.context)
        assert 2 * len(got.text) <= 512000
        seen += [e.findtext(f"{{{SYSTEM}}}Name") for e in got.items]
    assert len(seen) == len(set(seen)) == 105


def test_the_service_limit_holds_whatever_the_client_allows(client: Client, host: Host) -> None:
    for number in range(100, 600):
        host.repository.add(machine(number))
    got = client.enumerate("SELECT * FROM Msvm_ComputerSystem", max_envelope=10**9)
    assert 2 * len(got.text) <= 500 * 1024
    assert not got.ended


def test_an_item_larger_than_the_envelope_is_refused(client: Client, host: Host) -> None:
    vast = machine(9)
    vast.values["Description"] = "x" * 10000
    host.repository.add(vast)
    got = client.enumerate(
        f"SELECT * FROM Msvm_ComputerSystem WHERE Name = '{guid(9)}'", max_envelope=8192
    )
    assert got.fault == (2150858824, "EncodingLimit", "MaxEnvelopeSizeExceeded")
    assert client.enumerations.open == 0


def test_released_and_forgotten_contexts_are_invalid(client: Client, host: Host) -> None:
    first = client.enumerate("SELECT * FROM Msvm_ComputerSystem", optimize=False)
    body = f"<n:Release><n:EnumerationContext>{first.context}</n:EnumerationContext></n:Release>"
    assert client.enumerations.open == 1
    released = client.call(f"{ENUMERATION}Release", ALL, body)
    assert (released.status, released.action) == (200, f"{ENUMERATION}ReleaseResponse")
    assert client.enumerations.open == 0
    assert client.pull(first.context).fault[0] == 2150858779
    idle = client.enumerate("SELECT * FROM Msvm_ComputerSystem", optimize=False)
    host.clock += timedelta(seconds=239)
    idle = client.pull(idle.context, 1)
    assert idle.status == 200
    host.clock += timedelta(seconds=241)
    assert client.pull(idle.context, 1).fault[0] == 2150858779
    assert client.enumerations.open == 0


def test_contexts_belong_to_their_user(host: Host) -> None:
    client = Client(host)
    first = client.enumerate("SELECT * FROM Msvm_ComputerSystem", optimize=False)
    other = Client(host, user="HV01\\other")
    other.enumerations = client.enumerations
    assert other.pull(first.context).fault[0] == 2150858779
    assert client.pull(first.context).status == 200


def test_too_many_open_enumerations_of_one_user(host: Host) -> None:
    client = Client(host)
    client.enumerations = Enumerations(limit=3)
    text = "SELECT * FROM Msvm_ComputerSystem"
    contexts = [client.enumerate(text, optimize=False).context for _ in range(3)]
    refused = client.enumerate(text, optimize=False)
    assert refused.fault[:2] == (2150859174, "InternalError")
    other = Client(host, user="HV01\\other")
    other.enumerations = client.enumerations
    assert other.enumerate(text, optimize=False).status == 200
    assert client.pull(contexts[0]).ended
    assert client.enumerate(text, optimize=False).status == 200


def test_an_old_service_brings_one_item_with_the_first_answer(host: Host) -> None:
    client = Client(host)
    client.enumerations = Enumerations(stingy=True)
    got = client.enumerate("SELECT * FROM Msvm_ComputerSystem")
    assert (len(got.items), got.ended) == (1, False)
    assert len(client.pull(got.context).items) == 4

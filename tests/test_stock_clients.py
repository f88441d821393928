"""The simulator before WS-Man clients written by others: pypsrp, and HTTP as virt-who sends it.

Nothing here uses our codec: envelopes and answers are plain ElementTree.
"""

from __future__ import annotations

import base64
import contextlib
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlparse
from xml.sax.saxutils import escape

import pytest
import requests
from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import SelectorSet, WSMan

from tests.fabric_kit import PASSWORD, USER, RunningFabric, running_fabric

WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
V2 = WMI + "root/virtualization/v2/"
NS = {
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "s": "http://www.w3.org/2003/05/soap-envelope",
}
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"


@pytest.fixture(scope="module")
def fabric() -> Iterator[RunningFabric]:
    with running_fabric("homelab", "--speed", "60", basic=True) as running:
        yield running


@pytest.fixture(params=["basic", "negotiate"])
def stock(fabric: RunningFabric, request: pytest.FixtureRequest) -> Iterator[WSMan]:
    """pypsrp over clear-text Basic, and over SPNEGO with message encryption."""
    with stock_client(fabric.url(), request.param) as client:
        yield client


@contextlib.contextmanager
def stock_client(url: str, auth: str) -> Iterator[WSMan]:
    parts = urlparse(url)
    client = WSMan(
        parts.hostname or "",
        port=parts.port,
        ssl=False,
        auth=auth,
        encryption="never" if auth == "basic" else "always",
        username=USER,
        password=PASSWORD,
        no_proxy=True,
    )
    with client:
        yield client


def tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def values(instance: ET.Element) -> dict[str, Any]:
    """Property texts of an instance; repeated ones as a list."""
    found: dict[str, Any] = {}
    for child in instance:
        text = child.text or "" if not len(child) else child[0].text
        name = tag(child)
        found[name] = (
            [*found[name], text]
            if isinstance(found.get(name), list)
            else ([found[name], text] if name in found else text)
        )
    return found


def enumerate_request(query: str = "", *, mode: str = "", most: int = 0) -> ET.Element:
    body = ET.Element(f"{{{NS['n']}}}Enumerate")
    if most:
        ET.SubElement(body, f"{{{NS['w']}}}OptimizeEnumeration")
        ET.SubElement(body, f"{{{NS['w']}}}MaxElements").text = str(most)
    if mode:
        ET.SubElement(body, f"{{{NS['w']}}}EnumerationMode").text = mode
    if query:
        ET.SubElement(body, f"{{{NS['w']}}}Filter", Dialect=WQL).text = query
    return body


def query(
    client: WSMan, wql: str, namespace: str = "root/virtualization/v2", **options: Any
) -> list[ET.Element]:
    """All items of a WQL query, however many pages they come in."""
    uri = f"{WMI}{namespace}/*"
    answer = client.enumerate(uri, enumerate_request(wql, **options))[0]
    items = [item for part in answer.findall("w:Items", NS) for item in part]
    done = answer.find("w:EndOfSequence", NS) is not None
    context = answer.findtext("n:EnumerationContext", "", NS)
    while not done:
        pull = ET.Element(f"{{{NS['n']}}}Pull")
        ET.SubElement(pull, f"{{{NS['n']}}}EnumerationContext").text = context
        ET.SubElement(pull, f"{{{NS['n']}}}MaxElements").text = "20"
        answer = client.pull(uri, pull)[0]
        items += [item for part in answer.findall("n:Items", NS) for item in part]
        done = answer.find("n:EndOfSequence", NS) is not None
        fresh = answer.findtext("n:EnumerationContext", "", NS)
        assert done or fresh != context
        context = fresh
    return items


def machines(client: WSMan) -> dict[str, dict[str, Any]]:
    found = query(client, "SELECT * FROM Msvm_ComputerSystem")
    return {
        row["Name"]: row
        for row in map(values, found)
        if re.fullmatch(r"[0-9A-F-]{36}", row["Name"])
    }


def selectors(**keys: str) -> SelectorSet:
    chosen = SelectorSet()
    for name, value in keys.items():
        chosen.add_option(name, value)
    return chosen


def invoke(
    client: WSMan, class_name: str, method: str, keys: dict[str, str], body: str = ""
) -> dict[str, ET.Element]:
    uri = V2 + class_name
    text = f'<p:{method}_INPUT xmlns:p="{uri}">{body}</p:{method}_INPUT>'
    answer = client.invoke(
        f"{uri}/{method}", uri, ET.fromstring(text), selector_set=selectors(**keys)
    )
    output = answer.find("s:Body", NS)
    assert output is not None
    assert tag(output[0]) == f"{method}_OUTPUT"
    return {tag(child): child for child in output[0]}


VSMS = {"CreationClassName": "Msvm_VirtualSystemManagementService"}


def service(client: WSMan, method: str, body: str) -> dict[str, ET.Element]:
    return invoke(client, "Msvm_VirtualSystemManagementService", method, VSMS, body)


def returned(output: dict[str, ET.Element]) -> int:
    return int(output["ReturnValue"].text or "")


def finish(client: WSMan, output: dict[str, ET.Element]) -> None:
    """Follow the job of a 4096 answer to its end, by Get on its own reference."""
    assert returned(output) in (0, 4096)
    if returned(output) == 0:
        return
    uri = output["Job"].findtext(".//w:ResourceURI", "", NS)
    keys = {s.attrib["Name"]: s.text or "" for s in output["Job"].iterfind(".//w:Selector", NS)}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        get = client.get(uri, selector_set=selectors(**keys))
        job = values(get[0])
        if int(job["JobState"]) >= 7:
            assert job["JobState"] == "7", job
            return
    pytest.fail("the job did not end")


def some_machine(client: WSMan, state: str) -> str:
    return next(name for name, row in machines(client).items() if row["EnabledState"] == state)


def test_identify_names_stack_and_vendor(fabric: RunningFabric) -> None:
    envelope = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>"
    )
    headers = {"Content-Type": "application/soap+xml;charset=UTF-8"}
    refused = requests.post(fabric.url(), envelope, headers=headers, timeout=10)
    assert refused.status_code == 401
    assert "Negotiate" in refused.headers["WWW-Authenticate"]
    answer = requests.post(
        fabric.url(), envelope, headers=headers, auth=(USER, PASSWORD), timeout=10
    )
    assert answer.reason == ""
    text = answer.text
    assert "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>" in text
    assert re.search(r"ProductVersion>OS: 10\.0\.\d+ SP: 0\.0 Stack: 3\.0<", text)


def test_wql_pages_to_the_end_and_every_property_is_there(stock: WSMan) -> None:
    one_by_one = query(stock, "SELECT * FROM Msvm_ComputerSystem")
    optimized = query(stock, "SELECT * FROM Msvm_ComputerSystem", most=200)
    assert [tag(item) for item in one_by_one] == ["Msvm_ComputerSystem"] * 7
    assert len(optimized) == len(one_by_one)
    names = [tag(child) for child in one_by_one[0]]
    assert names == sorted(names, key=str.lower)
    assert {"EnabledState", "OnTimeInMilliseconds", "InstallDate", "ProcessID"} <= set(names)


def test_projections_are_bare_fragments(stock: WSMan) -> None:
    items = query(
        stock, "SELECT Name, EnabledState FROM Msvm_ComputerSystem WHERE EnabledState = 2"
    )
    assert items
    assert {item.tag for item in items} == {f"{{{NS['w']}}}XmlFragment"}
    assert [child.tag for child in items[0]] == ["EnabledState", "Name"]


@pytest.mark.parametrize(
    "class_name",
    ["Win32_ComputerSystem", "Win32_OperatingSystem", "Win32_Processor", "Win32_Volume"],
)
def test_the_host_itself_is_described(stock: WSMan, class_name: str) -> None:
    (row, *_) = query(stock, f"SELECT * FROM {class_name}", "root/cimv2")
    assert tag(row) == class_name


def test_associations_lead_from_a_machine_to_its_settings_and_on(stock: WSMan) -> None:
    name = some_machine(stock, "2")
    path = f'Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="{name}"'
    (settings,) = query(
        stock,
        f"ASSOCIATORS OF {{{path}}} WHERE AssocClass=Msvm_SettingsDefineState "
        "ResultClass=Msvm_VirtualSystemSettingData",
    )
    identity = values(settings)["InstanceID"]
    assert identity == f"Microsoft:{name}"
    parts = query(
        stock,
        f'ASSOCIATORS OF {{Msvm_VirtualSystemSettingData.InstanceID="{identity}"}} '
        "WHERE AssocClass=Msvm_VirtualSystemSettingDataComponent",
    )
    assert {"Msvm_ProcessorSettingData", "Msvm_MemorySettingData"} <= {tag(p) for p in parts}


def test_a_base_class_query_answers_with_the_real_classes(stock: WSMan) -> None:
    found = {
        tag(i) for i in query(stock, "SELECT * FROM CIM_ResourceAllocationSettingData", most=500)
    }
    assert {"Msvm_MemorySettingData", "Msvm_StorageAllocationSettingData"} <= found
    assert "CIM_ResourceAllocationSettingData" not in found


def test_references_alone_can_be_asked_for(stock: WSMan) -> None:
    items = query(stock, "SELECT * FROM Msvm_ComputerSystem", mode="EnumerateEPR", most=50)
    assert {tag(item) for item in items} == {"EndpointReference"}


def test_an_unknown_class_is_a_filter_that_cannot_be_processed(stock: WSMan) -> None:
    with pytest.raises(WSManFaultError) as caught:
        query(stock, "SELECT * FROM Msvm_Nonsense")
    assert "CannotProcessFilter" in str(caught.value)


def test_a_state_change_starts_a_job_and_changes_the_state(stock: WSMan) -> None:
    name = some_machine(stock, "3")
    keys = {"CreationClassName": "Msvm_ComputerSystem", "Name": name}
    uri = V2 + "Msvm_ComputerSystem"

    def change(state: int) -> None:
        body = f'<p:RequestedState xmlns:p="{uri}">{state}</p:RequestedState>'
        finish(stock, invoke(stock, "Msvm_ComputerSystem", "RequestStateChange", keys, body))

    change(2)
    assert machines(stock)[name]["EnabledState"] == "2"
    again = f'<p:RequestedState xmlns:p="{uri}">2</p:RequestedState>'
    refused = invoke(stock, "Msvm_ComputerSystem", "RequestStateChange", keys, again)
    assert returned(refused) == 32775
    change(3)
    assert machines(stock)[name]["EnabledState"] == "3"


def system(parameter: str, name: str, class_name: str) -> str:
    """A reference to a machine, as a parameter of a service's method."""
    return (
        f'<p:{parameter} xmlns:p="{V2}{class_name}" xmlns:a="{NS["a"]}" xmlns:w="{NS["w"]}">'
        "<a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>"
        f"<a:ReferenceParameters><w:ResourceURI>{V2}Msvm_ComputerSystem</w:ResourceURI>"
        '<w:SelectorSet><w:Selector Name="CreationClassName">Msvm_ComputerSystem</w:Selector>'
        f'<w:Selector Name="Name">{name}</w:Selector></w:SelectorSet>'
        f"</a:ReferenceParameters></p:{parameter}>"
    )


def embedded(
    parameter: str, text: str, class_name: str = "Msvm_VirtualSystemManagementService"
) -> str:
    uri = V2 + class_name
    return f'<p:{parameter} xmlns:p="{uri}">{escape(text)}</p:{parameter}>'


def instance(class_name: str, **properties: tuple[str, str]) -> str:
    inner = "".join(
        f'<PROPERTY NAME="{name}" TYPE="{kind}"><VALUE>{escape(value)}</VALUE></PROPERTY>'
        for name, (kind, value) in properties.items()
    )
    return f'<INSTANCE CLASSNAME="{class_name}">{inner}</INSTANCE>'


def test_settings_are_modified_through_embedded_instances(stock: WSMan) -> None:
    name = some_machine(stock, "3")
    identity = ("string", f"Microsoft:{name}")
    text = instance(
        "Msvm_VirtualSystemSettingData", InstanceID=identity, ElementName=("string", 'a "<&>" b')
    )
    finish(stock, service(stock, "ModifySystemSettings", embedded("SystemSettings", text)))
    assert machines(stock)[name]["ElementName"] == 'a "<&>" b'

    memory = ("string", f"Microsoft:{name}\\4764334d-e001-4176-82ee-5594ec9b530e")
    text = instance("Msvm_MemorySettingData", InstanceID=memory, VirtualQuantity=("uint64", "3072"))
    finish(stock, service(stock, "ModifyResourceSettings", embedded("ResourceSettings", text)))
    escaped = memory[1].replace("\\", "\\\\")
    (row,) = query(stock, f"SELECT * FROM Msvm_MemorySettingData WHERE InstanceID='{escaped}'")
    assert values(row)["VirtualQuantity"] == "3072"


def test_a_machine_is_defined_and_destroyed(stock: WSMan) -> None:
    before = set(machines(stock))
    text = instance(
        "Msvm_VirtualSystemSettingData",
        ElementName=("string", "made-by-a-stranger"),
        VirtualSystemSubType=("string", "Microsoft:Hyper-V:SubType:2"),
    )
    finish(stock, service(stock, "DefineSystem", embedded("SystemSettings", text)))
    (made,) = set(machines(stock)) - before
    reference = system("AffectedSystem", made, "Msvm_VirtualSystemManagementService")
    finish(stock, service(stock, "DestroySystem", reference))
    assert set(machines(stock)) == before


def test_a_thumbnail_has_the_size_that_was_asked_for(stock: WSMan) -> None:
    name = some_machine(stock, "2")
    uri = V2 + "Msvm_VirtualSystemManagementService"
    body = (
        f'<p:HeightPixels xmlns:p="{uri}">60</p:HeightPixels>'
        f'<p:TargetSystem xmlns:p="{uri}" xmlns:a="{NS["a"]}" xmlns:w="{NS["w"]}">'
        "<a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>"
        f"<a:ReferenceParameters><w:ResourceURI>{V2}Msvm_VirtualSystemSettingData</w:ResourceURI>"
        f'<w:SelectorSet><w:Selector Name="InstanceID">Microsoft:{name}</w:Selector>'
        "</w:SelectorSet></a:ReferenceParameters></p:TargetSystem>"
        f'<p:WidthPixels xmlns:p="{uri}">80</p:WidthPixels>'
    )
    wrapped = f"<x>{body}</x>"
    parts = "".join(ET.tostring(part, encoding="unicode") for part in ET.fromstring(wrapped))
    output = service(stock, "GetVirtualSystemThumbnailImage", parts)
    assert returned(output) == 0
    image = base64.b64decode(output["ImageData"].text or "")
    assert len(image) == 80 * 60 * 2
    assert len(set(image)) > 1


def test_a_client_with_the_habits_of_virt_who_is_served(fabric: RunningFabric) -> None:
    """White space inside the resource URI, Pull without MaxElements and of a foreign URI."""

    def post(action: str, body: str) -> ET.Element:
        envelope = f"""<?xml version="1.0" encoding="UTF-8"?>
        <s:Envelope xmlns:s="{NS["s"]}" xmlns:wsa="{NS["a"]}" xmlns:wsman="{NS["w"]}"
            xmlns:wsen="{NS["n"]}">
          <s:Header>
            <wsa:Action s:mustUnderstand="true">{NS["n"]}/{action}</wsa:Action>
            <wsa:To s:mustUnderstand="true">{fabric.url()}</wsa:To>
            <wsman:ResourceURI s:mustUnderstand="true">
                {WMI}root/virtualization/v2/*
            </wsman:ResourceURI>
            <wsa:MessageID s:mustUnderstand="true">uuid:33</wsa:MessageID>
            <wsa:ReplyTo>
              <wsa:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous
              </wsa:Address>
            </wsa:ReplyTo>
            <wsman:OperationTimeout>PT60S</wsman:OperationTimeout>
          </s:Header>
          <s:Body>{body}</s:Body>
        </s:Envelope>"""
        headers = {"Content-Type": "application/soap+xml;charset=UTF-8"}
        answer = requests.post(
            fabric.url(), envelope, headers=headers, auth=(USER, PASSWORD), timeout=10
        )
        assert answer.status_code == 200, answer.text
        return ET.fromstring(answer.content)

    started = post(
        "Enumerate",
        f'<wsen:Enumerate><wsman:Filter Dialect="{WQL}">select * from Msvm_ComputerSystem'
        "</wsman:Filter></wsen:Enumerate>",
    )
    context = started.findtext(".//n:EnumerationContext", "", NS)
    names: list[str] = []
    while context:
        page = post(
            "Pull",
            f"<wsen:Pull><wsen:EnumerationContext>{context}</wsen:EnumerationContext></wsen:Pull>",
        )
        items = page.find(".//n:Items", NS)
        assert items is None or len(items) <= 1
        names += [values(item)["ElementName"] for item in items] if items is not None else []
        context = page.findtext(".//n:EnumerationContext", "", NS)
    assert len(names) == 7


MIGRATION = "Msvm_VirtualSystemMigrationService"


def migrate(client: WSMan, method: str, name: str, target: str, kind: str) -> dict[str, ET.Element]:
    text = instance("Msvm_VirtualSystemMigrationSettingData", MigrationType=("uint16", kind))
    body = system("ComputerSystem", name, MIGRATION)
    body += embedded("DestinationHost", target, MIGRATION)
    body += embedded("MigrationSettingData", text, MIGRATION)
    return invoke(client, MIGRATION, method, {"Name": "migrationwmi"}, body)


@pytest.mark.parametrize("auth", ["basic", "negotiate"])
def test_a_machine_moves_to_another_host_and_back(auth: str) -> None:
    with (
        running_fabric("migration", "--speed", "60", basic=True) as fabric,
        stock_client(fabric.url("MIG01"), auth) as here,
        stock_client(fabric.url("MIG02"), auth) as there,
    ):
        (name,) = [n for n, vm in machines(here).items() if vm["ElementName"] == "live01"]
        wql = "SELECT * FROM Msvm_VirtualSystemMigrationSettingData WHERE MigrationType = 32771"
        assert len(query(here, wql)) == 1
        check = "CheckVirtualSystemIsMigratableToHost"
        refused = migrate(here, check, name, "MIG03", "32771")
        assert (returned(refused), refused["IsMigratable"].text) == (0, "false")
        fine = migrate(here, check, name, "MIG02", "32771")
        assert (returned(fine), fine["IsMigratable"].text) == (0, "true")

        (service_there,) = query(there, f"SELECT * FROM {MIGRATION}")
        address = values(service_there)["MigrationServiceListenerIPAddressList"]
        moved = migrate(here, "MigrateVirtualSystemToHost", name, address, "32771")
        assert returned(moved) == 4096
        finish(here, moved)
        assert name not in machines(here)
        assert machines(there)[name]["EnabledState"] == "2"
        back = migrate(there, "MigrateVirtualSystemToHost", name, "mig01.corp.example.com", "32771")
        finish(there, back)
        assert machines(here)[name]["ElementName"] == "live01"

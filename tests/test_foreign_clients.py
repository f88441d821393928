"""The simulator before clients others have written, each in its own words and to its own ends."""

from __future__ import annotations

import base64
import http.client
import re
import socket
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import pytest

from tests.fabric_kit import PASSWORD, USER, RunningFabric, running_fabric
from tests.foreign_clients import (
    ANONYMOUS,
    CIMV2,
    NS,
    SOAP,
    TRANSFER,
    UTF8,
    V2,
    VSMS,
    WQL,
    WSA,
    WSEN,
    WSMAN,
    Glpi,
    Libvirt,
    Line,
    Reply,
    VirtWho,
    cdata,
    local,
    row,
)
from tests.foreign_forms import FORMS, MESSAGE

RASD = "Msvm_ResourceAllocationSettingData"
SASD = "Msvm_StorageAllocationSettingData"
VSSD = "Msvm_VirtualSystemSettingData"
SUBTYPE = "Microsoft:Hyper-V:"
VIRTUAL = 'Description = "Microsoft Virtual Machine" '
ACTIVE = "(EnabledState != 0 and EnabledState != 3 and EnabledState != 32769) "
INACTIVE = "(EnabledState = 0 or EnabledState = 3 or EnabledState = 32769) "


@pytest.fixture(scope="module")
def fabric() -> Iterator[RunningFabric]:
    with running_fabric("homelab", "--speed", "120", basic=True) as running:
        yield running


@pytest.fixture
def line(fabric: RunningFabric) -> Iterator[Line]:
    with closing(Line(fabric.url(), USER, PASSWORD)) as made:
        yield made


@pytest.fixture
def libvirt(line: Line) -> Libvirt:
    return Libvirt(line)


# -- libvirt -------------------------------------------------------------------------------


def domains(libvirt: Libvirt, which: str) -> list[dict[str, str]]:
    return libvirt.query(
        "Msvm_ComputerSystem", f"SELECT * FROM Msvm_ComputerSystem WHERE {VIRTUAL}AND {which}"
    )


def setting(libvirt: Libvirt, domain: str, class_name: str) -> list[dict[str, str]]:
    """From a domain over its settings to those of a class, lower-case UUID and all."""
    (whole,) = libvirt.query(
        VSSD,
        "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',"
        f"Name='{domain.lower()}'}} WHERE AssocClass = Msvm_SettingsDefineState "
        f"ResultClass = {VSSD}",
    )
    identity = whole["InstanceID"].replace("\\", "\\\\")
    return libvirt.query(
        class_name,
        f"ASSOCIATORS OF {{{VSSD}.InstanceID='{identity}'}} "
        f"WHERE AssocClass = Msvm_VirtualSystemSettingDataComponent ResultClass = {class_name}",
    )


def test_libvirt_lists_domains_and_what_the_host_is(libvirt: Libvirt) -> None:
    active, inactive = domains(libvirt, ACTIVE), domains(libvirt, INACTIVE)
    assert {vm["EnabledState"] for vm in inactive} <= {"3", "32769"}
    assert len(active) + len(inactive) >= 6
    one = active[0]["Name"].lower()
    assert domains(libvirt, f"Name = '{one}'")[0]["ElementName"] == active[0]["ElementName"]
    assert domains(libvirt, f"ProcessID = {active[0]['ProcessID']}")[0]["Name"] == active[0]["Name"]
    (host,) = libvirt.query("Win32_ComputerSystem", "SELECT * FROM Win32_ComputerSystem", CIMV2)
    assert int(host["TotalPhysicalMemory"]) > 1 << 30
    (product,) = libvirt.query(
        "Win32_ComputerSystemProduct", "SELECT * FROM Win32_ComputerSystemProduct", CIMV2
    )
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", product["UUID"], re.I)
    (os,) = libvirt.query("Win32_OperatingSystem", "SELECT * FROM Win32_OperatingSystem", CIMV2)
    assert re.fullmatch(r"\d+\.\d+\.\d+", os["Version"])
    sockets = libvirt.query(
        "Win32_Processor",
        f"ASSOCIATORS OF {{Win32_ComputerSystem.Name='{host['Name']}'}} "
        "WHERE AssocClass = Win32_ComputerSystemProcessor ResultClass = Win32_Processor",
        CIMV2,
    )
    assert len(sockets) == int(host["NumberOfProcessors"])
    assert int(sockets[0]["NumberOfLogicalProcessors"]) >= int(sockets[0]["NumberOfCores"]) > 0
    (most,) = libvirt.query(
        "Msvm_ProcessorSettingData",
        "SELECT * FROM Msvm_ProcessorSettingData "
        "WHERE InstanceID LIKE 'Microsoft:Definition%Maximum'",
    )
    assert int(most["VirtualQuantity"]) > 1


def test_libvirt_reads_a_domain_and_its_virtual_processors(libvirt: Libvirt) -> None:
    (vm,) = domains(libvirt, "ElementName = 'nas'")
    (memory,) = setting(libvirt, vm["Name"], "Msvm_MemorySettingData")
    (processor,) = setting(libvirt, vm["Name"], "Msvm_ProcessorSettingData")
    assert int(memory["Limit"]) >= int(memory["VirtualQuantity"]) > 0
    parents = {item["InstanceID"] for item in setting(libvirt, vm["Name"], RASD)}
    for image in setting(libvirt, vm["Name"], SASD):
        stem = image["Parent"].rpartition('InstanceID="')[2].rstrip('"').replace("\\\\", "\\")
        assert stem in parents
    counter = "Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor"
    for number in range(int(processor["VirtualQuantity"])):
        (found,) = libvirt.query(
            counter, f"SELECT * FROM {counter} WHERE Name = 'nas:Hv VP {number}'", CIMV2
        )
        assert int(found["PercentTotalRunTime"]) > 0


def test_libvirt_suspends_resumes_types_and_shuts_a_domain_down(libvirt: Libvirt) -> None:
    (vm,) = domains(libvirt, "ElementName = 'media'")
    key = vm["Name"].lower()
    chosen = {"Name": key, "CreationClassName": "Msvm_ComputerSystem"}
    for wanted, seen in (("9", "9"), ("2", "2")):
        answer = libvirt.simple(
            "Msvm_ComputerSystem", "RequestStateChange", chosen, RequestedState=wanted
        )
        libvirt.finish(answer)
        assert domains(libvirt, f"Name = '{key}'")[0]["EnabledState"] == seen
    (keyboard,) = libvirt.query(
        "Msvm_Keyboard",
        "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',"
        f"Name='{key}'}} WHERE ResultClass = Msvm_Keyboard",
    )
    keys = {
        "CreationClassName": "Msvm_Keyboard",
        "DeviceID": keyboard["DeviceID"],
        "SystemCreationClassName": "Msvm_ComputerSystem",
        "SystemName": key,
    }
    for method in ("PressKey", "ReleaseKey"):
        libvirt.finish(libvirt.invoke("Msvm_Keyboard", method, keys, "<p:keyCode>65</p:keyCode>"))
    shutdown = "Msvm_ShutdownComponent"
    (component,) = libvirt.query(shutdown, f"SELECT * FROM {shutdown} WHERE SystemName = '{key}'")
    keys |= {"CreationClassName": shutdown, "DeviceID": component["DeviceID"]}
    body = "<p:Force>False</p:Force><p:Reason>Planned shutdown via libvirt</p:Reason>"
    libvirt.finish(libvirt.invoke(shutdown, "InitiateShutdown", keys, body))
    while domains(libvirt, f"Name = '{key}'")[0]["EnabledState"] != "3":
        pass


def test_libvirt_defines_furnishes_and_undefines_a_domain(libvirt: Libvirt) -> None:
    name = "from libvirt"
    body = cdata("SystemSettings", VSSD, ("ElementName", "string", name))
    libvirt.finish(libvirt.service("DefineSystem", body))
    (vm,) = domains(libvirt, f"ElementName = '{name}'")
    key = vm["Name"].lower()
    for class_name, changed, kind, value in (
        ("Msvm_ProcessorSettingData", "VirtualQuantity", "uint64", "2"),
        ("Msvm_MemorySettingData", "Limit", "uint64", "4096"),
        ("Msvm_MemorySettingData", "VirtualQuantity", "uint64", "2048"),
    ):
        (present,) = setting(libvirt, key, class_name)
        identity = ("InstanceID", "string", present["InstanceID"])
        body = cdata("ResourceSettings", class_name, (changed, kind, value), identity)
        libvirt.finish(libvirt.service("ModifyResourceSettings", body))
        assert setting(libvirt, key, class_name)[0][changed] == value
    attach_disk(libvirt, key, SASD, "0")
    attach_disk(libvirt, key, RASD, "1")
    images = setting(libvirt, key, SASD)
    assert [image["HostResource"] for image in images] == ["C:\\new0.vhdx", "C:\\new1.vhdx"]
    destroy = libvirt.reference(
        "AffectedSystem", f"SELECT * FROM Msvm_ComputerSystem WHERE Name = '{key}'"
    )
    libvirt.finish(libvirt.service("DestroySystem", destroy))
    assert domains(libvirt, f"ElementName = '{name}'") == []


def attach_disk(libvirt: Libvirt, domain: str, image_class: str, slot: str) -> None:
    """A drive on the first IDE controller, then the image, whose parent the answer names."""
    host = libvirt.query("Win32_ComputerSystem", "SELECT * FROM Win32_ComputerSystem", CIMV2)
    path = f"\\\\{host[0]['DNSHostName']}\\Root\\Virtualization\\V2:{RASD}.InstanceID"
    controller = next(
        item for item in setting(libvirt, domain, RASD) if item["ResourceType"] == "5"
    )
    where = libvirt.reference(
        "AffectedConfiguration",
        "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',"
        f"Name='{domain}'}} WHERE AssocClass = Msvm_SettingsDefineState ResultClass = {VSSD}",
    )

    def add(class_name: str, parent: str, *more: tuple[str, str, str | list[str]]) -> str:
        escaped = parent.replace("\\", "\\\\")
        given = cdata(
            "ResourceSettings", class_name, ("Parent", "string", f'{path}="{escaped}"'), *more
        )
        answer = libvirt.finish(libvirt.service("AddResourceSettings", where + given))
        return answer.findtext(".//w:Selector[@Name='InstanceID']", "", NS)

    drive = add(
        RASD,
        controller["InstanceID"],
        ("AddressOnParent", "string", slot),
        ("ResourceType", "uint16", "17"),
        ("ResourceSubType", "string", f"{SUBTYPE}Synthetic Disk Drive"),
    )
    assert drive.endswith(f"\\{slot}\\D")
    images = "Msvm_ImageManagementService"
    disk = cdata(
        "VirtualDiskSettingData",
        "Msvm_VirtualHardDiskSettingData",
        ("Type", "uint16", "3"),
        ("Format", "uint16", "3"),
        ("Path", "string", f"C:\\new{slot}.vhdx"),
        ("MaxInternalSize", "uint64", str(1 << 30)),
    )
    libvirt.finish(
        libvirt.invoke(images, "CreateVirtualHardDisk", {"CreationClassName": images}, disk)
    )
    add(
        image_class,
        drive,
        ("HostResource", "string", [f"C:\\new{slot}.vhdx"]),
        ("ResourceType", "uint16", "31"),
        ("ResourceSubType", "string", f"{SUBTYPE}Virtual Hard Disk"),
    )


# -- virt-who and GLPI ---------------------------------------------------------------------


def test_virt_who_reads_hosts_and_guests_over_its_own_ntlm(line: Line) -> None:
    space = "root/virtualization/v2"
    client = VirtWho(line)
    old = client.enumerate("select * from Msvm_ComputerSystem", "root/virtualization")
    assert old.status == 500
    error = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError}error_Code"
    assert old.xml.findtext(f".//{error}") == "2150858778"
    begun = client.enumerate("select UUID from Win32_ComputerSystemProduct", "root/cimv2").ok()
    context = begun.findtext(".//n:EnumerationContext", "", NS)
    page = client.pull(context, "root/virtualization")
    assert len(page.findtext(".//UUID", "")) == 36
    answer = client.summaries(space)
    uri = f"http://schemas.microsoft.com/wbem/wsman/1/wmi/{space}/Msvm_SummaryInformation"
    items = answer.findall(".//{*}SummaryInformation")
    names = [item.findtext(f"{{{uri}}}ElementName") for item in items]
    assert {"nas", "k3s"} <= set(names)
    assert {item.findtext(f"{{{uri}}}EnabledState") for item in items} >= {"2"}
    assert all(len(item.findtext(f"{{{uri}}}Name", "")) == 36 for item in items)
    assert len(items) >= 6


def test_glpi_gets_its_operation_back_and_may_end_it(line: Line) -> None:
    client = Glpi(line)
    systems = client.enumerate("Msvm_ComputerSystem")
    assert [local(item.tag) for item in systems] == ["Msvm_ComputerSystem"] * len(systems)
    rows = client.enumerate("", "SELECT Name, ElementName FROM msvm_computersystem")
    assert {row(item)["ElementName"] for item in rows} >= {"nas", "k3s"}
    running = next(row(item) for item in systems if row(item)["ElementName"] == "k3s")
    uri = f"{V2}/msvm_computersystem"
    answer = client.call(
        f"{uri}/RequestStateChange",
        uri,
        f'<rm:RequestStateChange_INPUT xmlns:rm="{uri}">\n'
        "<rm:RequestedState>2</rm:RequestedState>\n"
        "</rm:RequestStateChange_INPUT>\n",
        f'<w:SelectorSet>\n<w:Selector Name="Name">{running["Name"]}</w:Selector>\n'
        "</w:SelectorSet>\n",
    )
    assert answer.findtext(".//{*}ReturnValue") == "32775"
    over = client.end()
    assert (over.status, over.body) == (204, b"")
    assert client.enumerate("Msvm_VirtualEthernetSwitch"), "the connection is still good"


# -- forms of envelopes --------------------------------------------------------------------


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ask(
    line: Line,
    form: str,
    action: str,
    uri: str,
    body: str,
    selectors: str = "",
    code: str = "utf-8",
) -> Reply:
    envelope = FORMS[form](line.url, action, uri, body, selectors)
    kind = UTF8 if code == "utf-8" else "application/soap+xml;charset=UTF-16"
    return line.send(envelope.encode(code), {"Authorization": line.basic, "Content-Type": kind})


def chosen(**keys: str) -> str:
    inner = "".join(f'<w:Selector Name="{k}">{escape(v)}</w:Selector>' for k, v in keys.items())
    return f'<w:SelectorSet xmlns:w="{WSMAN}">{inner}</w:SelectorSet>'


PAGING = {
    "one by one": ("", ""),
    "optimized": ("<w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements>", "32000"),
    "optimized, three to a page": ("<w:OptimizeEnumeration/><w:MaxElements>3</w:MaxElements>", "3"),
    "optimized without a number": ("<w:OptimizeEnumeration></w:OptimizeEnumeration>", "4"),
}


@pytest.mark.parametrize("paging", PAGING)
def test_every_form_pages_to_the_end(line: Line, form: str, paging: str) -> None:
    first, size = PAGING[paging]
    most = f"<n:MaxElements>{size}</n:MaxElements>" if size else ""
    body = (
        f'<n:Enumerate xmlns:n="{WSEN}" xmlns:w="{WSMAN}"><w:Filter Dialect="{WQL}">'
        f"Select * From Msvm_ComputerSystem Where Name&lt;&gt;''</w:Filter>{first}</n:Enumerate>"
    )
    answer = ask(line, form, f"{WSEN}/Enumerate", f"{V2}/*", body).ok()
    found = answer.findall(".//w:Items/*", NS)
    over = answer.find(".//w:EndOfSequence", NS) is not None
    while not over:
        context = answer.findtext(".//n:EnumerationContext", "", NS)
        body = (
            f'<n:Pull xmlns:n="{WSEN}"><n:EnumerationContext>{context}</n:EnumerationContext>'
            f"{most}</n:Pull>"
        )
        answer = ask(line, form, f"{WSEN}/Pull", f"{V2}/*", body).ok()
        page = answer.findall(".//n:Items/*", NS)
        assert len(page) <= int(size or 1)
        found += page
        over = answer.find(".//n:EndOfSequence", NS) is not None
    assert len({row(item)["Name"] for item in found}) == len(found) >= 7
    relates = answer.findtext("s:Header/a:RelatesTo", "", NS)
    assert relates.upper().endswith(MESSAGE)
    assert relates.startswith({"opennms": "urn:uuid:"}.get(form, "uuid:"))


def test_every_form_gets_an_instance_and_a_fault(line: Line, form: str) -> None:
    uri = f"{V2}/Msvm_ComputerSystem"
    host = chosen(Name="nuc01", CreationClassName="msvm_computersystem")
    found = ask(line, form, f"{TRANSFER}/Get", uri, "", host).ok().find("s:Body/*", NS)
    assert found is not None
    assert row(found)["ElementName"] == "NUC01"
    refused = ask(line, form, f"{TRANSFER}/Get", uri, "", chosen(Name="nobody"))
    assert refused.status == 500
    assert refused.xml.findtext(".//s:Subcode/s:Value", "", NS).endswith("DestinationUnreachable")
    wrong = ask(line, form, f"{TRANSFER}/Get", uri, "", chosen(Nome="x"))
    assert "2150858843" in wrong.text
    lost = ask(
        line,
        form,
        f"{WSEN}/Pull",
        f"{V2}/*",
        f'<n:Pull xmlns:n="{WSEN}"><n:EnumerationContext>uuid:1</n:EnumerationContext></n:Pull>',
    )
    assert "2150858779" in lost.text


def test_a_native_client_asks_and_is_answered_in_utf_16(line: Line) -> None:
    uri = f"{V2}/Msvm_ComputerSystem"
    for code in ("utf-16", "utf-16-le"):
        answer = ask(line, "powershell", f"{TRANSFER}/Get", uri, "", chosen(Name="NUC01"), code)
        assert answer.headers["content-type"] == "application/soap+xml;charset=UTF-16"
        assert answer.body.startswith(b"\xff\xfe")
        assert "ElementName>NUC01<" in answer.text
        assert answer.xml.findtext("s:Header/p:SequenceId", "", NS) == "1"


def test_utf_16_is_answered_under_the_seal_and_without_a_sign_in(line: Line) -> None:
    client, uri = VirtWho(line), f"{V2}/Msvm_ComputerSystem"
    get = FORMS["powershell"](line.url, f"{TRANSFER}/Get", uri, "", chosen(Name="NUC01"))
    for code in ("utf-8", "utf-16"):
        assert "ElementName>NUC01<" in client.post(get, code).text
    line.close()
    headers = {
        "Content-Type": "application/soap+xml;charset=UTF-16",
        "WSMANIDENTIFY": "unauthenticated",
    }
    answer = line.send(IDENTIFY.decode().encode("utf-16"), headers)
    assert answer.status == 200
    assert "OS: 0.0.0" in answer.text


# -- switches, adapters, pictures, checkpoints, key-value pairs ------------------------------


def endpoint(parameter: str, class_name: str, **keys: str) -> str:
    return (
        f'<p:{parameter} xmlns:a="{WSA}" xmlns:w="{WSMAN}"><a:Address>{ANONYMOUS}</a:Address>'
        f"<a:ReferenceParameters><w:ResourceURI>{V2}/{class_name}</w:ResourceURI>{chosen(**keys)}"
        f"</a:ReferenceParameters></p:{parameter}>"
    )


def test_switches_are_made_and_destroyed(libvirt: Libvirt) -> None:
    service = "Msvm_VirtualEthernetSwitchManagementService"
    kind = "Msvm_VirtualEthernetSwitch"

    def call(method: str, body: str) -> ET.Element:
        return libvirt.finish(libvirt.invoke(service, method, {"CreationClassName": service}, body))

    inside = cdata(
        "ResourceSettings",
        "Msvm_EthernetPortAllocationSettingData",
        ("ElementName", "string", "inside"),
        ("ResourceType", "uint16", "33"),
        ("ResourceSubType", "string", f"{SUBTYPE}Ethernet Connection"),
        (
            "HostResource",
            "string",
            [
                "root/virtualization/v2:Msvm_ComputerSystem."
                'CreationClassName="Msvm_ComputerSystem",Name="NUC01"'
            ],
        ),
        ("EnabledState", "uint16", "2"),
    )
    for name, ports in (("alone", ""), ("inside", inside)):
        settings = cdata(
            "SystemSettings",
            "Msvm_VirtualEthernetSwitchSettingData",
            ("ElementName", "string", name),
        )
        call("DefineSystem", settings + ports)
        (made,) = libvirt.query(kind, f"SELECT * FROM {kind} WHERE ElementName = '{name}'")
        gone = endpoint("AffectedSystem", kind, CreationClassName=kind, Name=made["Name"])
        call("DestroySystem", gone)
        assert libvirt.query(kind, f"SELECT * FROM {kind} WHERE ElementName = '{name}'") == []


def test_an_adapter_and_its_connection_are_added(libvirt: Libvirt) -> None:
    """As go-wsman does it: by the machine's settings, in two calls, parent and switch as paths."""
    (vm,) = domains(libvirt, "ElementName = 'router-lab'")
    nic, port = "Msvm_SyntheticEthernetPortSettingData", "Msvm_EthernetPortAllocationSettingData"
    where = endpoint("AffectedConfiguration", VSSD, InstanceID=f"Microsoft:{vm['Name']}")
    before = len(setting(libvirt, vm["Name"], port))
    given = cdata(
        "ResourceSettings",
        nic,
        ("ElementName", "string", "Second <&> Adapter"),
        ("ResourceType", "uint16", "10"),
        ("ResourceSubType", "string", f"{SUBTYPE}Synthetic Ethernet Port"),
        ("VirtualSystemIdentifiers", "string", ["{0E8F1C3A-1111-4222-8333-944455556666}"]),
        ("StaticMacAddress", "boolean", "false"),
    )
    answer = libvirt.finish(libvirt.service("AddResourceSettings", where + given))
    made = answer.findtext(".//{*}ResultingResourceSettings//w:Selector", "", NS)
    switch = libvirt.query("Msvm_VirtualEthernetSwitch", "SELECT * FROM Msvm_VirtualEthernetSwitch")
    parent = made.replace("\\", "\\\\")
    given = cdata(
        "ResourceSettings",
        port,
        ("ResourceType", "uint16", "33"),
        ("ResourceSubType", "string", f"{SUBTYPE}Ethernet Connection"),
        ("Parent", "string", f'root/virtualization/v2:{nic}.InstanceID="{parent}"'),
        (
            "HostResource",
            "string",
            [
                "root/virtualization/v2:Msvm_VirtualEthernetSwitch."
                f'CreationClassName="Msvm_VirtualEthernetSwitch",Name="{switch[0]["Name"]}"'
            ],
        ),
    )
    libvirt.finish(libvirt.service("AddResourceSettings", where + given))
    ports = setting(libvirt, vm["Name"], port)
    assert len(ports) == before + 1
    assert switch[0]["Name"] in ports[-1]["HostResource"]
    libvirt.finish(
        libvirt.service(
            "RemoveResourceSettings", endpoint("ResourceSettings", nic, InstanceID=made)
        )
    )
    assert len(setting(libvirt, vm["Name"], port)) == before


@pytest.mark.parametrize(("width", "height"), [(80, 60), (160, 120), (1024, 768), (1, 1)])
def test_pictures_have_the_size_that_was_asked_for(
    libvirt: Libvirt, width: int, height: int
) -> None:
    (vm,) = domains(libvirt, "ElementName = 'nas'")
    target = endpoint("TargetSystem", VSSD, InstanceID=f"Microsoft:{vm['Name'].lower()}")
    body = f"<p:WidthPixels>{width}</p:WidthPixels><p:HeightPixels>{height}</p:HeightPixels>"
    answer = libvirt.service("GetVirtualSystemThumbnailImage", target + body)
    assert answer.findtext(".//{*}ReturnValue") == "0"
    assert len(base64.b64decode(answer.findtext(".//{*}ImageData", ""))) == width * height * 2


def test_checkpoints_come_and_go(libvirt: Libvirt) -> None:
    (vm,) = domains(libvirt, "ElementName = 'router-lab'")
    service = "Msvm_VirtualSystemSnapshotService"

    def call(method: str, body: str) -> ET.Element:
        keys = {"CreationClassName": service}
        return libvirt.finish(libvirt.invoke(service, method, keys, body))

    def listed() -> list[dict[str, str]]:
        return libvirt.query(
            VSSD,
            "ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',"
            f"Name='{vm['Name'].lower()}'}} WHERE AssocClass = Msvm_SnapshotOfVirtualSystem "
            f"ResultClass = {VSSD}",
        )

    system = endpoint("AffectedSystem", "Msvm_ComputerSystem", Name=vm["Name"])
    call("CreateSnapshot", f"{system}<p:SnapshotType>2</p:SnapshotType>")
    (taken,) = listed()
    call("ApplySnapshot", endpoint("Snapshot", VSSD, InstanceID=taken["InstanceID"]))
    call("DestroySnapshot", endpoint("AffectedSnapshot", VSSD, InstanceID=taken["InstanceID"]))
    assert listed() == []


def test_key_value_pairs_are_embedded_instances(libvirt: Libvirt) -> None:
    kind = "Msvm_KvpExchangeComponent"
    (vm,) = domains(libvirt, "ElementName = 'nas'")
    (found,) = libvirt.query(
        kind, f"SELECT * FROM {kind} WHERE SystemName = '{vm['Name'].lower()}'"
    )
    pairs = {}
    for text in found["GuestIntrinsicExchangeItems"]:
        values = {
            item.get("NAME"): item.findtext("VALUE", "")
            for item in ET.fromstring(text).iter("PROPERTY")
        }
        pairs[values["Name"]] = values["Data"]
    assert pairs["OSName"]
    assert pairs["FullyQualifiedDomainName"]


def test_summaries_of_chosen_machines_and_what_does_not_fit(libvirt: Libvirt) -> None:
    (vm,) = domains(libvirt, "ElementName = 'nas'")
    one = endpoint("SettingData", VSSD, InstanceID=f"Microsoft:{vm['Name']}")
    codes = "".join(
        f"<p:RequestedInformation>{n}</p:RequestedInformation>" for n in (0, 1, 100, 105)
    )
    answer = libvirt.service("GetSummaryInformation", one + codes)
    (found,) = answer.findall(".//{*}SummaryInformation")
    assert row(found)["ElementName"] == "nas"
    keys = {"CreationClassName": VSMS}
    uri = f"{V2}/{VSMS}"

    def refused(method: str, body: str) -> str:
        text = f'<p:{method}_INPUT xmlns:p="{uri}">{body}</p:{method}_INPUT>'
        answer = ask(libvirt.line, "go_wsman", f"{uri}/{method}", uri, text, chosen(**keys))
        assert answer.status == 500
        return answer.text

    tree = f'<p:SystemSettings><v:{VSSD} xmlns:v="{V2}/{VSSD}"/></p:SystemSettings>'
    assert "2150858817" in refused("DefineSystem", tree)
    wrapped = f'<p:AffectedSystem><a:EndpointReference xmlns:a="{WSA}"/></p:AffectedSystem>'
    assert "2150858817" in refused("DestroySystem", wrapped)
    assert "ActionNotSupported" in refused("MakeCoffee", "")
    scalar = cdata("SystemSettings", VSSD, ("Notes", "string", "not an array"))
    output = libvirt.service("ModifySystemSettings", scalar)
    assert output.findtext(".//{*}ReturnValue") == "32773"


# -- HTTP ----------------------------------------------------------------------------------

IDENTIFY = (
    f'<s:Envelope xmlns:s="{SOAP}" '
    'xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>"
).encode()


def converse(line: Line, *messages: bytes) -> bytes:
    """Everything the server says to raw bytes, until it closes the connection."""
    parts = urlsplit(line.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 10) as wire:
        wire.sendall(b"".join(messages))
        heard = b""
        while piece := wire.recv(65536):
            heard += piece
    return heard


def message(line: Line, *headers: str, version: str = "1.1", body: bytes = IDENTIFY) -> bytes:
    lines = [f"POST /wsman HTTP/{version}", f"authorization: {line.basic}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


SIZED = f"content-length: {len(IDENTIFY)}"
PLAIN = f"content-type: {UTF8}"


def test_http_1_0_and_close_end_the_connection(line: Line) -> None:
    for sent in (
        message(line, SIZED, PLAIN, version="1.0"),
        message(line, SIZED, PLAIN, "host: x", "CONNECTION: Close"),
        message(line, SIZED, PLAIN, "host: x", "connection: TE, close"),
    ):
        heard = converse(line, sent)
        assert heard.startswith(b"HTTP/1.1 200 \r\n")
        assert b"IdentifyResponse" in heard


def test_chunks_expectations_and_pipelines(line: Line) -> None:
    half = len(IDENTIFY) // 2
    chunks = b"%x;why=not\r\n%b\r\n%X\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (
        half,
        IDENTIFY[:half],
        len(IDENTIFY) - half,
        IDENTIFY[half:],
    )
    chunked = message(line, "Transfer-Encoding: Chunked", PLAIN, "host: x", body=chunks)
    expecting = message(line, SIZED, PLAIN, "host: x", "Expect: 100-Continue")
    last = message(line, SIZED, PLAIN, "host: x", "connection: close")
    heard = converse(line, chunked, expecting, last)
    assert re.findall(rb"HTTP/1\.1 (\d+) ", heard) == [b"200", b"100", b"200", b"200"]
    assert heard.count(b"IdentifyResponse>") == 3


def test_other_paths_and_verbs_and_a_long_conversation(fabric: RunningFabric, line: Line) -> None:
    parts = urlsplit(fabric.url())
    plain = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    headers = {"Authorization": line.basic, "Content-Type": UTF8}
    with closing(plain):
        for verb, path, status in (
            ("GET", "/wsman", 405),
            ("POST", "/elsewhere", 404),
            ("POST", "/", 404),
            ("POST", "/WSMAN", 200),
            ("POST", "/wsman/", 200),
            ("POST", "/wsman?PSVersion=5.1", 200),
            ("POST", "/wsman-anon/identify", 200),
        ):
            plain.request(verb, path, IDENTIFY if verb == "POST" else None, headers)
            answer = plain.getresponse()
            answer.read()
            assert (verb, path, answer.status) == (verb, path, status)
            assert answer.reason == ""
            assert plain.sock is not None, "kept alive"

"""The service's answers as bytes, read by plain ElementTree: our decoder would agree with us."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

import pytest

from tui.sim.answer import Enumerations, answer
from tui.sim.repository import Repository
from tui.wsman import schema
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.fault import refuse
from tui.wsman.reply import MethodOutput

V2 = schema.VIRTUALIZATION
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
SYSTEM = f"{WMI}{V2}/Msvm_ComputerSystem"
JOB = f"{WMI}{V2}/Msvm_ConcreteJob"
ALL = f"{WMI}{V2}/*"
S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
N = "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
F = "{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}"
E = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError}"
I = "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}"  # noqa: E741
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
USER = "HV01\\admin"


@dataclass
class Knobs:
    access_denied: bool = False
    shape: int = 3
    quota: int = 0

    def take(self, name: str) -> bool:
        assert name == "quota"
        left, self.quota = self.quota, max(0, self.quota - 1)
        return left > 0


@dataclass
class Host:
    repository: Repository
    name: str = "HV01"
    os_version: str = "10.0.20348"
    faults: Knobs = field(default_factory=Knobs)
    clock: datetime = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
    advanced: int = 0
    called: list[tuple[CimInstance, str, dict[str, CimValue]]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock

    def advance(self) -> None:
        self.advanced += 1

    def invoke(
        self, instance: CimInstance, method: str, parameters: dict[str, CimValue]
    ) -> MethodOutput:
        self.called.append((instance, method, parameters))
        if parameters.get("RequestedState") == 99:
            raise refuse(2147942405, "The provider says no.", shape=3)
        instance.values["EnabledState"] = parameters.get("RequestedState")
        job = CimRef("Msvm_ConcreteJob", (("InstanceID", "J1"),), V2)
        return MethodOutput(4096, {"Job": job})


def guid(number: int) -> str:
    return f"AAAAAAAA-0000-0000-0000-{number:012d}"


def machine(number: int) -> CimInstance:
    values: dict[str, CimValue] = {
        "CreationClassName": "Msvm_ComputerSystem",
        "Name": guid(number),
        "Caption": "Virtual Machine",
        "ElementName": f"vm-{number:03d}",
        "EnabledState": 2,
        "OperationalStatus": (2,),
        "StatusDescriptions": ("Operating normally",),
        "InstallDate": datetime(2025, 3, 4, 5, 6, 7, 890000, tzinfo=UTC),
        "OnTimeInMilliseconds": 6138293824,
    }
    return CimInstance("Msvm_ComputerSystem", values, V2)


@pytest.fixture
def host() -> Host:
    repository = Repository("HV01")
    for number in range(1, 6):
        repository.add(machine(number))
    repository.add(
        CimInstance(
            "Msvm_ConcreteJob",
            {
                "InstanceID": "J1",
                "JobState": 7,
                "ElapsedTime": timedelta(seconds=1, microseconds=4170),
                "ErrorDescription": "",
            },
            V2,
        )
    )
    repository.add(
        CimInstance(
            "Win32_OperatingSystem",
            {"CreationClassName": "Win32_OperatingSystem", "Name": "Windows", "CSName": "HV01"},
            schema.CIMV2,
        )
    )
    return Host(repository)


@dataclass
class Answer:
    status: int
    text: str

    @property
    def body(self) -> Element:
        found = ElementTree.fromstring(self.text).find(f"{S}Body")
        assert found is not None
        return found

    def header(self, name: str) -> str:
        return ElementTree.fromstring(self.text).findtext(f"{S}Header/{name}") or ""

    @property
    def fault(self) -> tuple[int, str, str]:
        """Code, subcode without prefix, last word of the detail."""
        assert self.status == 500, self.text
        fault = self.body.find(f"{S}Fault")
        assert fault is not None
        codes = [e.get("Code", "") for e in fault.iter(f"{F}WSManFault")]
        codes += [e.text or "" for e in fault.iter(f"{E}error_Code")]
        sub = fault.findtext(f"{S}Code/{S}Subcode/{S}Value") or ""
        detail = fault.findtext(f"{S}Detail/{W}FaultDetail") or ""
        return int(codes[-1]), sub.partition(":")[2], detail.rpartition("/")[2]

    @property
    def action(self) -> str:
        return self.header(f"{A}Action")

    @property
    def items(self) -> list[Element]:
        found = next((e for e in self.body.iter() if e.tag in (f"{W}Items", f"{N}Items")), None)
        assert found is not None, self.text
        return list(found)

    @property
    def context(self) -> str | None:
        return self.body.findtext(f".//{N}EnumerationContext")

    @property
    def ended(self) -> bool:
        return any(e.tag.endswith("EndOfSequence") for e in self.body.iter())


class Client:
    """Writes envelopes by hand."""

    def __init__(self, host: Host, *, user: str = USER) -> None:
        self.host = host
        self.user = user
        self.enumerations = Enumerations()

    def send(self, envelope: str) -> Answer:
        status, body = answer(self.host, self.enumerations, envelope.encode(), self.user)
        return Answer(status, body.decode())

    def call(
        self,
        action: str,
        resource: str,
        body: str = "",
        *,
        keys: tuple[tuple[str, str], ...] = (),
        extra: str = "",
        message_id: str = "",
        max_envelope: int = 512000,
    ) -> Answer:
        selectors = "".join(f'<w:Selector Name="{k}">{escape(v)}</w:Selector>' for k, v in keys)
        selector_set = f"<w:SelectorSet>{selectors}</w:SelectorSet>" if keys else ""
        return self.send(
            f'<s:Envelope xmlns:s="{S[1:-1]}" xmlns:a="{A[1:-1]}" xmlns:w="{W[1:-1]}"'
            f' xmlns:n="{N[1:-1]}"><s:Header><a:To>http://x:5985/wsman</a:To>'
            f'<w:ResourceURI s:mustUnderstand="true">\n {resource} </w:ResourceURI>'
            f"<a:ReplyTo><a:Address>{ANONYMOUS}</a:Address></a:ReplyTo>"
            f'<a:Action s:mustUnderstand="true">{action}</a:Action>'
            f"<a:MessageID>{message_id or f'uuid:{uuid4()}'}</a:MessageID>"
            f"<w:MaxEnvelopeSize>{max_envelope}</w:MaxEnvelopeSize>"
            f"<w:OperationTimeout>PT20S</w:OperationTimeout>{selector_set}{extra}"
            f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )

    def enumerate(
        self,
        wql: str = "",
        resource: str = ALL,
        *,
        optimize: bool = True,
        elements: int | None = 32000,
        mode: str = "",
        dialect: str = WQL,
        max_envelope: int = 512000,
    ) -> Answer:
        body = "<w:OptimizeEnumeration/>" if optimize else ""
        body += f"<w:MaxElements>{elements}</w:MaxElements>" if elements is not None else ""
        body += f"<w:EnumerationMode>{mode}</w:EnumerationMode>" if mode else ""
        body += f'<w:Filter Dialect="{dialect}">{escape(wql)}</w:Filter>' if wql else ""
        body = f"<n:Enumerate>{body}</n:Enumerate>"
        return self.call(f"{ENUMERATION}Enumerate", resource, body, max_envelope=max_envelope)

    def pull(self, context: str | None, elements: int | None = 32000) -> Answer:
        body = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext>"
        body += f"<n:MaxElements>{elements}</n:MaxElements>" if elements is not None else ""
        return self.call(f"{ENUMERATION}Pull", ALL, f"{body}</n:Pull>")

    def get(self, resource: str, *keys: tuple[str, str], extra: str = "") -> Answer:
        return self.call(f"{TRANSFER}Get", resource, keys=keys, extra=extra)

    def put(self, resource: str, body: str, *keys: tuple[str, str]) -> Answer:
        return self.call(f"{TRANSFER}Put", resource, body, keys=keys)

    def invoke(
        self, method: str, body: str, *, resource: str = SYSTEM, keys: tuple[tuple[str, str], ...]
    ) -> Answer:
        body = f'<p:{method}_INPUT xmlns:p="{resource}">{body}</p:{method}_INPUT>'
        return self.call(f"{resource}/{method}", resource, body, keys=keys)


@pytest.fixture
def client(host: Host) -> Client:
    return Client(host)


def names(elements: list[Element]) -> list[str]:
    return [e.tag.rpartition("}")[2] for e in elements]


FIRST = (("Name", guid(1)),)


# -- envelope --------------------------------------------------------------------------------


def test_the_form_of_an_answer(client: Client) -> None:
    got = client.call(f"{TRANSFER}Get", SYSTEM, keys=FIRST, message_id="urn:MixedCase-1")
    assert got.status == 200
    assert got.text.startswith('<s:Envelope xml:lang="en-US" ')
    assert "\n" not in got.text
    assert got.action == f"{TRANSFER}GetResponse"
    assert got.header(f"{A}RelatesTo") == "urn:MixedCase-1"
    assert got.header(f"{A}To") == ANONYMOUS
    assert re.fullmatch(r"uuid:[0-9A-F-]{36}", got.header(f"{A}MessageID"))
    assert client.host.advanced == 1


def test_identify_with_and_without_a_user(host: Host) -> None:
    envelope = (
        f'<s:Envelope xmlns:s="{S[1:-1]}" xmlns:i="{I[1:-1]}"><s:Header/>'
        "<s:Body><i:Identify/></s:Body></s:Envelope>"
    )
    known = Client(host).send(envelope).body
    assert known.findtext(f".//{I}ProductVersion") == "OS: 10.0.20348 SP: 0.0 Stack: 3.0"
    assert known.findtext(f".//{I}ProductVendor") == "Microsoft Corporation"
    assert known.find(f".//{I}SecurityProfileName") is not None
    stranger = Client(host, user="").send(envelope).body
    assert stranger.findtext(f".//{I}ProductVersion") == "OS: 0.0.0 SP: 0.0 Stack: 3.0"
    assert stranger.find(f".//{I}SecurityProfileName") is None


def test_nobody_gets_nothing_but_identify(host: Host) -> None:
    stranger = Client(host, user="")
    assert stranger.get(SYSTEM, *FIRST).fault == (5, "AccessDenied", "")
    assert stranger.enumerate("SELECT * FROM Msvm_ComputerSystem").fault[0] == 5


# -- instances -------------------------------------------------------------------------------


def test_get_answers_every_property_in_windows_form(client: Client) -> None:
    got = client.get(SYSTEM.lower().replace("/wbem/", "/wbem/"), ("NAME", guid(1).lower()))
    (instance,) = got.body
    uri = f"{{{SYSTEM}}}"
    assert instance.tag == f"{uri}Msvm_ComputerSystem"
    assert instance.get(XSI_TYPE) == "p:Msvm_ComputerSystem_Type"
    found = names(list(instance))
    assert found == sorted(found, key=str.lower)
    cls = schema.cim_class(V2, "Msvm_ComputerSystem")
    assert cls is not None
    arrays = {prop.name for prop in cls.properties.values() if prop.array}
    assert set(found) == cls.properties.keys() - arrays | {
        "OperationalStatus",
        "StatusDescriptions",
    }
    assert instance.findtext(f"{uri}OnTimeInMilliseconds") == "6138293824"
    description = instance.find(f"{uri}Description")
    assert description is not None
    assert description.get(NIL) == "true"
    assert "<cim:Datetime>2025-03-04T05:06:07.89Z</cim:Datetime>" in got.text


def test_intervals_and_empty_strings(client: Client) -> None:
    got = client.get(JOB, ("InstanceID", "j1"))
    assert (
        "<p:ElapsedTime><cim:Interval>P0DT0H0M1.00417S</cim:Interval></p:ElapsedTime>" in got.text
    )
    assert "<p:ErrorDescription></p:ErrorDescription>" in got.text


@pytest.mark.parametrize(
    ("resource", "keys", "fault"),
    [
        (SYSTEM, (("Name", "gone"),), (2150858752, "DestinationUnreachable", "InvalidResourceURI")),
        (f"{WMI}{V2}/Nope", FIRST, (2150858752, "DestinationUnreachable", "InvalidResourceURI")),
        (
            f"{WMI}root/virtualization/Msvm_ComputerSystem",
            FIRST,
            (2150858752, "DestinationUnreachable", "InvalidResourceURI"),
        ),
        (SYSTEM, (), (2150859002, "InvalidSelectors", "InsufficientSelectors")),
        (
            SYSTEM,
            (("CreationClassName", "Msvm_ComputerSystem"),),
            (2150858842, "InvalidSelectors", "InsufficientSelectors"),
        ),
        (SYSTEM, (("Colour", "x"),), (2150858843, "InvalidSelectors", "UnexpectedSelectors")),
        (SYSTEM, FIRST + FIRST, (2150858847, "InvalidSelectors", "DuplicateSelectors")),
    ],
)
def test_selectors_that_find_nothing(
    client: Client, resource: str, keys: tuple[tuple[str, str], ...], fault: tuple[int, str, str]
) -> None:
    assert client.get(resource, *keys).fault == fault


def test_a_selector_may_repeat_the_namespace_but_not_another(client: Client) -> None:
    assert client.get(SYSTEM, *FIRST, ("__cimnamespace", "ROOT/virtualization/v2")).status == 200
    other = client.get(SYSTEM, *FIRST, ("__cimnamespace", "root/cimv2"))
    assert other.fault[1] == "InternalError"


def test_fragments(client: Client) -> None:
    def fragment(path: str, must: str = "true") -> Answer:
        extra = f'<w:FragmentTransfer s:mustUnderstand="{must}">{path}</w:FragmentTransfer>'
        return client.get(SYSTEM, *FIRST, extra=extra)

    got = fragment("elementname")
    (wrapper,) = got.body
    assert wrapper.tag == f"{W}XmlFragment"
    assert [(e.tag, e.text) for e in wrapper] == [(f"{{{SYSTEM}}}ElementName", "vm-001")]
    assert got.header(f"{W}FragmentTransfer").lower() == "elementname"
    (wrapper,) = fragment("Caption/text()").body
    assert (wrapper.text, len(wrapper)) == ("Virtual Machine", 0)
    (wrapper,) = fragment("InstallDate/text()").body
    assert wrapper.text == "2025-03-04T05:06:07.89Z"
    (wrapper,) = fragment("Description").body
    assert wrapper[0].get(NIL) == "true"
    assert fragment("/Caption").fault[:2] == (2150858778, "CannotProcessFilter")
    assert fragment("Colour").fault[1] == "CannotProcessFilter"
    assert fragment("Caption", must="false").fault[1] == "InvalidMessageInformationHeader"


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


# -- methods ---------------------------------------------------------------------------------


def test_a_method_changes_the_stored_instance_and_names_its_job(client: Client, host: Host) -> None:
    got = client.invoke("RequestStateChange", "<p:RequestedState>3</p:RequestedState>", keys=FIRST)
    assert got.status == 200
    assert got.action == f"{SYSTEM}/RequestStateChangeResponse"
    (output,) = got.body
    assert output.tag == f"{{{SYSTEM}}}RequestStateChange_OUTPUT"
    assert names(list(output)) == ["Job", "ReturnValue"]
    assert output.findtext(f"{{{SYSTEM}}}ReturnValue") == "4096"
    job = output.find(f"{{{SYSTEM}}}Job")
    assert job is not None
    assert names(list(job)) == ["Address", "ReferenceParameters"]
    assert job.findtext(f".//{W}ResourceURI") == JOB
    assert host.called[0][1:] == ("RequestStateChange", {"RequestedState": 3})
    state = client.get(SYSTEM, *FIRST).body[0].findtext(f"{{{SYSTEM}}}EnabledState")
    assert state == "3"


def test_names_of_methods_and_parameters_ignore_case(client: Client, host: Host) -> None:
    got = client.invoke("requeststatechange", "<p:requestedstate>2</p:requestedstate>", keys=FIRST)
    assert got.status == 200
    assert host.called[0][1:] == ("RequestStateChange", {"RequestedState": 2})


@pytest.mark.parametrize(
    ("method", "body", "subcodes"),
    [
        ("Explode", "", {"ActionNotSupported"}),
        (
            "RequestStateChange",
            "<p:Colour>2</p:Colour>",
            {"SchemaValidationError", "InvalidParameter"},
        ),
        (
            "RequestStateChange",
            "<p:RequestedState>on</p:RequestedState>",
            {"SchemaValidationError", "InvalidParameter"},
        ),
        (
            "RequestStateChange",
            "<p:RequestedState>70000</p:RequestedState>",
            {"SchemaValidationError", "InvalidParameter"},
        ),
        ("RequestStateChange", "", {"SchemaValidationError", "InvalidParameter"}),
    ],
)
def test_calls_that_do_not_fit_the_class(
    client: Client, host: Host, method: str, body: str, subcodes: set[str]
) -> None:
    assert client.invoke(method, body, keys=FIRST).fault[1] in subcodes
    assert host.called == []


def test_action_and_resource_must_name_one_class(client: Client, host: Host) -> None:
    body = f'<p:RequestStateChange_INPUT xmlns:p="{SYSTEM}"/>'
    got = client.call(f"{JOB}/RequestStateChange", SYSTEM, body, keys=FIRST)
    assert got.status == 500
    assert host.called == []


def test_methods_refuse_through_faults_too(client: Client) -> None:
    got = client.invoke("RequestStateChange", "<p:RequestedState>99</p:RequestedState>", keys=FIRST)
    assert got.fault[0] == 2147942405
    missing = client.invoke("RequestStateChange", "", keys=(("Name", "gone"),))
    assert missing.fault[0] == 2150858752


# -- put, create, delete ---------------------------------------------------------------------


OS = f"{WMI}root/cimv2/Win32_OperatingSystem"


def test_put_changes_only_what_it_names(client: Client) -> None:
    body = (
        f'<p:Win32_OperatingSystem xmlns:p="{OS}"><p:Description>Host in rack 3'
        "</p:Description></p:Win32_OperatingSystem>"
    )
    got = client.put(OS, body, ("Name", "windows"))
    assert got.action == f"{TRANSFER}PutResponse"
    (whole,) = got.body
    assert whole.findtext(f"{{{OS}}}Description") == "Host in rack 3"
    assert whole.findtext(f"{{{OS}}}CSName") == "HV01"


def test_put_is_refused_where_windows_refuses(client: Client) -> None:
    unknown = (
        f'<p:Win32_OperatingSystem xmlns:p="{OS}"><p:Colour>1</p:Colour></p:Win32_OperatingSystem>'
    )
    assert client.put(OS, unknown, ("Name", "windows")).fault[1] == "InvalidRepresentation"
    other = (
        f'<p:Win32_OperatingSystem xmlns:p="{OS}"><p:Name>Linux</p:Name></p:Win32_OperatingSystem>'
    )
    assert client.put(OS, other, ("Name", "windows")).fault[1] == "InvalidRepresentation"
    state = (
        f'<p:Msvm_ComputerSystem xmlns:p="{SYSTEM}"><p:EnabledState>3</p:EnabledState>'
        "</p:Msvm_ComputerSystem>"
    )
    assert client.put(SYSTEM, state, *FIRST).status == 500
    after = client.get(SYSTEM, *FIRST).body[0].findtext(f"{{{SYSTEM}}}EnabledState")
    assert after == "2"


def test_create_and_delete_are_not_how_hyper_v_works(client: Client) -> None:
    body = f'<p:Msvm_ComputerSystem xmlns:p="{SYSTEM}"/>'
    assert client.call(f"{TRANSFER}Create", SYSTEM, body).status == 500
    assert client.call(f"{TRANSFER}Delete", SYSTEM, keys=FIRST).status == 500
    assert client.get(SYSTEM, *FIRST).status == 200


# -- class metadata and configuration --------------------------------------------------------


def test_class_metadata_types_every_property(client: Client) -> None:
    metadata = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*"
    got = client.get(
        metadata, ("__cimnamespace", V2), ("ClassName", "msvm_virtualsystemmanagementservice")
    )
    cls = got.body.find(".//CLASS")
    assert cls is not None
    assert cls.get("NAME") == "Msvm_VirtualSystemManagementService"
    types = {e.get("NAME"): (e.tag, e.get("TYPE")) for e in cls}
    assert types["OperationalStatus"] == ("PROPERTY.ARRAY", "uint16")
    assert types["InstallDate"] == ("PROPERTY", "datetime")
    method = next(e for e in cls.iter("METHOD") if e.get("NAME") == "DefineSystem")
    assert {"SystemSettings", "ResultingSystem"} <= {e.get("NAME") for e in method}
    assert client.get(metadata, ("__cimnamespace", V2), ("ClassName", "Nope")).status == 500
    assert client.get(metadata, ("ClassName", "Msvm_ComputerSystem")).status == 500


def test_the_configuration_tells_the_limits(client: Client) -> None:
    config = "{http://schemas.microsoft.com/wbem/wsman/1/config}"
    got = client.get("http://schemas.microsoft.com/wbem/wsman/1/config")
    assert got.body.findtext(f"{config}Config/{config}MaxEnvelopeSizekb") == "500"
    assert got.body.findtext(f".//{config}EnumerationTimeoutms") == "240000"


# -- faults ----------------------------------------------------------------------------------


def test_stack_faults_and_wmi_faults_have_their_shapes(client: Client, host: Host) -> None:
    stack = client.get(SYSTEM, ("Colour", "x"))
    assert stack.body.find(f".//{F}WSManFault/{F}Message") is not None
    assert stack.body.find(f".//{E}error_Code") is None
    wmi = client.enumerate("SELECT * FROM Nope")
    assert wmi.body.findtext(f".//{E}error_Code") == "2150858778"
    assert wmi.body.find(f".//{F}WSManFault") is None
    host.faults.shape = 2
    old = client.enumerate("SELECT * FROM Nope")
    inner = old.body.find(f".//{F}ProviderFault/{F}WSManFault")
    assert inner is not None
    assert inner.get("Code") == "2150858778"
    assert "SELECT * FROM Nope" in old.text


def test_faults_relate_to_their_request(client: Client) -> None:
    got = client.call(f"{TRANSFER}Get", SYSTEM, message_id="uuid:abc")
    assert got.header(f"{A}RelatesTo") == "uuid:abc"
    assert got.body.find(f"{S}Fault/{S}Reason/{S}Text") is not None


def test_knobs(client: Client, host: Host) -> None:
    host.faults.quota = 1
    assert client.enumerate("SELECT * FROM Msvm_ComputerSystem").fault[0] == 2150859174
    assert client.enumerate("SELECT * FROM Msvm_ComputerSystem").status == 200
    host.faults.access_denied = True
    assert client.get(SYSTEM, *FIRST).fault == (5, "AccessDenied", "")


@pytest.mark.parametrize(
    "envelope",
    [
        "",
        "not xml",
        "<a><b></a>",
        "<html/>",
        '<!DOCTYPE x [<!ENTITY e "y">]><s:Envelope '
        'xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>',
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>',
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>',
    ],
)
def test_nonsense_is_answered_by_a_fault(client: Client, envelope: str) -> None:
    got = client.send(envelope)
    assert got.status == 500
    assert got.body.find(f"{S}Fault") is not None


def test_headers_are_checked_before_anything_else(client: Client) -> None:
    got = client.call("http://example.com/Dance", SYSTEM, keys=FIRST)
    assert got.fault[:2] == (2150858771, "ActionNotSupported")
    small = client.call(f"{TRANSFER}Get", SYSTEM, keys=FIRST, max_envelope=1000)
    assert small.fault == (2150858878, "EncodingLimit", "MinimumEnvelopeLimit")
    strange = '<q:Odd xmlns:q="urn:q" s:mustUnderstand="true"/>'
    got = client.call(f"{TRANSFER}Get", SYSTEM, keys=FIRST, extra=strange)
    assert got.body.findtext(f".//{S}Code/{S}Value") == "s:MustUnderstand"

"""Requests: written by the client, read by the service under Windows' rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import UsageError
from tui.wsman.cim import CimInstance, CimRef, CimValue, to_path
from tui.wsman.fault import Refusal
from tui.wsman.header import Header
from tui.wsman.request import (
    Create,
    Delete,
    Enumerate,
    Get,
    GetClass,
    Identify,
    Invoke,
    Mode,
    Pull,
    Put,
    Release,
    Request,
    decode,
    encode,
    selected_class,
)
from tui.wsman.schema import CIMV2, VIRTUALIZATION
from tui.wsman.values import Wsman

WIRE = Path(__file__).parent / "wire"
URL = "http://hv01:5985/wsman"
VM = CimRef(
    "Msvm_ComputerSystem",
    (("CreationClassName", "Msvm_ComputerSystem"), ("Name", "0A1B")),
    VIRTUALIZATION,
)
SERVICE = CimRef("Msvm_VirtualSystemManagementService", (), VIRTUALIZATION)
SETTING = CimRef(
    "Msvm_VirtualSystemSettingData", (("InstanceID", "Microsoft:A\\B<&>"),), VIRTUALIZATION
)
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
XML_TEXT = st.text(
    st.one_of(
        st.characters(min_codepoint=0x20, max_codepoint=0xD7FF),
        st.characters(min_codepoint=0xE000, max_codepoint=0xFFFD),
        st.characters(min_codepoint=0x10000),
        st.sampled_from("\t\n\r&<>\"']]>"),
    )
)


def sent(request: Request) -> str:
    return encode(request, to=URL, message_id="uuid:ONE").decode()


def refusal_of(envelope: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        decode(envelope.encode())
    return caught.value


REQUESTS: tuple[Request, ...] = (
    Identify(),
    Enumerate(VIRTUALIZATION, wql="SELECT * FROM Msvm_ComputerSystem WHERE Name <> 'a&b'"),
    Enumerate(VIRTUALIZATION, "Msvm_ConcreteJob", optimize=False),
    Enumerate(CIMV2, wql="SELECT Name FROM Win32_Volume", max_elements=5, mode=Mode.EPR),
    Enumerate(VIRTUALIZATION, "Msvm_Processor", mode=Mode.OBJECT_AND_EPR),
    Pull(VIRTUALIZATION, "*", "uuid:A1"),
    Pull(VIRTUALIZATION, "*", "uuid:A1", 200),
    Release(VIRTUALIZATION, "*", "uuid:A1"),
    Get(VM),
    Get(VM, "Caption/text()"),
    Put(VM, {"ElementName": "a\r\nb", "OperationalStatus": (2, 32768), "Status": None}),
    Put(VM, {"ElementName": "x"}, "ElementName"),
    Delete(SETTING),
    Create(CimInstance("Msvm_VirtualSystemSettingData", {"ElementName": "x"}, VIRTUALIZATION)),
    GetClass(VIRTUALIZATION, "Msvm_ComputerSystem"),
    Invoke(VM, "RequestStateChange", {"RequestedState": 2, "TimeoutPeriod": timedelta(hours=1)}),
    Invoke(
        SERVICE,
        "GetSummaryInformation",
        {"SettingData": (SETTING, SETTING), "RequestedInformation": (0, 1, 100)},
    ),
    Invoke(
        SERVICE,
        "DefineSystem",
        {
            "SystemSettings": "<INSTANCE/>",
            "ResourceSettings": ("<a>", "]]>"),
            "ReferenceConfiguration": None,
        },
    ),
)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: type(r).__name__)
def test_both_roles_agree(request_: Request) -> None:
    assert decode(encode(request_, to=URL))[1] == request_


@given(XML_TEXT)
def test_any_text_arrives(text: str) -> None:
    call = Invoke(SERVICE, "DefineSystem", {"SystemSettings": text, "ResourceSettings": (text, "")})
    assert decode(encode(call, to=URL))[1] == call
    key = Get(CimRef("Msvm_ConcreteJob", (("InstanceID", text),), VIRTUALIZATION))
    assert decode(encode(key, to=URL))[1] == key


def test_the_header_arrives() -> None:
    envelope = encode(
        Get(VM),
        to=URL,
        message_id="uuid:a B ",
        operation_timeout=7.5,
        max_envelope=9000,
        locale="de-DE",
    )
    header, _ = decode(envelope)
    assert header == Header(
        message_id="uuid:a B ",
        to=URL,
        reply_to="http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous",
        operation_timeout=timedelta(seconds=7.5),
        max_envelope=9000,
        locale="de-DE",
        action="http://schemas.xmlsoap.org/ws/2004/09/transfer/Get",
        resource=f"{WMI}{VIRTUALIZATION}/Msvm_ComputerSystem",
        selectors=VM.keys,
    )


def test_a_loose_spelling_is_understood() -> None:
    header, request = decode((WIRE / "request_loose.xml").read_bytes())
    assert header.message_id == "urn:uuid:0b8a3b7e-0000-4000-8000-000000000001"
    assert header.operation_timeout == timedelta(seconds=90.5)
    assert header.timeout == timedelta(seconds=60)
    assert header.locale == "de-DE"
    ref = CimRef(SERVICE.class_name, (("creationclassname", SERVICE.class_name),), VIRTUALIZATION)
    assert request == Invoke(ref, "GetSummaryInformation", {"RequestedInformation": (0, 100)})


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(coding: str) -> None:
    name = "utf-16" if "16" in coding else "utf-8"
    text = f'<?xml version="1.0" encoding="{name}"?>\n' + sent(Put(VM, {"ElementName": "ü€"}))
    assert decode(text.encode(coding))[1] == Put(VM, {"ElementName": "ü€"})


def test_timeouts_are_clamped() -> None:
    assert Header().timeout == timedelta(seconds=60)
    assert Header(operation_timeout=timedelta(milliseconds=1)).timeout == timedelta(seconds=0.5)
    assert Header(operation_timeout=timedelta(seconds=9)).timeout == timedelta(seconds=9)


GET = sent(Get(VM))
ENUMERATE = sent(Enumerate(VIRTUALIZATION, wql="SELECT * FROM Msvm_ComputerSystem"))
CALL = sent(Invoke(VM, "RequestStateChange", {"RequestedState": 2}))
REPLY_TO = GET[GET.index("<a:ReplyTo>") : GET.index("</a:ReplyTo>") + len("</a:ReplyTo>")]
MESSAGE_ID = "<a:MessageID>uuid:ONE</a:MessageID>"


@pytest.mark.parametrize(
    ("envelope", "code", "subcode", "detail"),
    [
        (GET.replace(REPLY_TO, ""), 2150858769, "a:MessageInformationHeaderRequired", ""),
        (
            GET.replace("/role/anonymous", "/elsewhere"),
            2150858870,
            "w:UnsupportedFeature",
            "AddressingMode",
        ),
        (
            GET.replace(MESSAGE_ID, f"{MESSAGE_ID}<a:FaultTo><a:Address>x</a:Address></a:FaultTo>"),
            2150858870,
            "w:UnsupportedFeature",
            "AddressingMode",
        ),
        (GET.replace(MESSAGE_ID, ""), 2150858767, "a:InvalidMessageInformationHeader", ""),
        (GET.replace("uuid:ONE", " "), 2150858767, "a:InvalidMessageInformationHeader", ""),
        (GET.replace("uuid:ONE", "x" * 2049), 2150858767, "a:InvalidMessageInformationHeader", ""),
        (GET.replace("PT20S", "PT-1S"), 2150858767, "a:InvalidMessageInformationHeader", ""),
        (GET.replace("PT20S", "-PT1S"), 2150858767, "a:InvalidMessageInformationHeader", ""),
        (GET.replace("PT20S", "soon"), 2150858767, "a:InvalidMessageInformationHeader", ""),
        (GET.replace("512000", "8191"), 2150858878, "w:EncodingLimit", "MinimumEnvelopeLimit"),
        (GET.replace("512000", "big"), 2150858767, "a:InvalidMessageInformationHeader", ""),
        (
            GET.replace(
                '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/>',
                '<w:Locale xml:lang="en-US" mustUnderstand="1"/>',
            ),
            2150858887,
            "w:UnsupportedFeature",
            "Locale",
        ),
        (
            GET.replace(
                '<p:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>',
                '<p:DataLocale xml:lang="en-US" s:mustUnderstand="true"/>',
            ),
            2150858887,
            "w:UnsupportedFeature",
            "DataLocale",
        ),
        (GET.replace("transfer/Get", "transfer/Fetch"), 2150858771, "a:ActionNotSupported", ""),
        (
            GET.replace("<w:SelectorSet>", '<w:SelectorSet><w:Selector Name="NAME">x</w:Selector>'),
            2150858847,
            "w:InvalidSelectors",
            "DuplicateSelectors",
        ),
        (
            GET.replace("wmi/root/virtualization", "wmi/virtualization"),
            2150858811,
            "a:DestinationUnreachable",
            "InvalidResourceURI",
        ),
        (
            GET.replace(f"{WMI}root", "http://example.org/root"),
            2150858752,
            "a:DestinationUnreachable",
            "InvalidResourceURI",
        ),
        (
            GET.replace(
                "<w:SelectorSet>",
                '<w:SelectorSet><w:Selector Name="__cimnamespace">root/x</w:Selector>',
            ),
            2147942487,
            "w:InternalError",
            "",
        ),
        (
            GET.replace("</s:Header>", "<w:FragmentTransfer>Name</w:FragmentTransfer></s:Header>"),
            2150858767,
            "a:InvalidMessageInformationHeader",
            "",
        ),
        (sent(Get(VM, "/Name")), 2150858778, "n:CannotProcessFilter", ""),
        (
            ENUMERATE.replace("wsman/1/WQL", "wsman/1/SQL"),
            2150858777,
            "n:FilterDialectRequestedUnavailable",
            "",
        ),
        (ENUMERATE.replace("v2/*", "v2/Msvm_ComputerSystem"), 2150859003, "w:InvalidSelectors", ""),
        (
            sent(Enumerate(VIRTUALIZATION, "Msvm_ComputerSystem")).replace(
                "v2/Msvm_ComputerSystem", "v2/*"
            ),
            2150858778,
            "n:CannotProcessFilter",
            "",
        ),
        (
            sent(Enumerate(VIRTUALIZATION, "Msvm_Processor", mode=Mode.EPR)).replace(
                "EnumerateEPR", "EnumerateAll"
            ),
            2150858886,
            "w:UnsupportedFeature",
            "EnumerationMode",
        ),
        (
            sent(Pull(CIMV2, "*", "x", 7)).replace(">7<", ">0<"),
            2150858817,
            "w:SchemaValidationError",
            "",
        ),
        (
            CALL.replace("RequestStateChange</a:Action>", "Explode</a:Action>"),
            2150858771,
            "a:ActionNotSupported",
            "",
        ),
        (
            CALL.replace("RequestStateChange_INPUT", "Explode_INPUT"),
            2150858817,
            "w:SchemaValidationError",
            "",
        ),
        (
            CALL.replace("p:RequestedState>", "p:Unknown>"),
            2150858817,
            "w:SchemaValidationError",
            "",
        ),
        (CALL.replace(">2<", ">two<"), 2150858817, "w:SchemaValidationError", ""),
        (CALL.replace(">2<", "><b/>2<"), 2150858817, "w:SchemaValidationError", ""),
        (
            CALL.replace("<p:RequestedState>", '<p:RequestedState xmlns:p="urn:other">'),
            2150858817,
            "w:SchemaValidationError",
            "",
        ),
        (
            sent(Put(VM, {"ElementName": "x"})).replace("p:ElementName", "p:Unknown"),
            2150858838,
            "x:InvalidRepresentation",
            "InvalidValues",
        ),
        (
            sent(Put(VM, {"ElementName": "x"})).replace("p:Msvm_ComputerSystem", "p:Msvm_Other"),
            2150858840,
            "x:InvalidRepresentation",
            "InvalidNamespace",
        ),
        (GET.replace("2003/05/soap-envelope", "2003/05/other"), 2150858765, "", ""),
        (GET[:-20], 2150858819, "w:InternalError", "Invalid"),
        (f"<!DOCTYPE s>{GET}", 2150858819, "w:InternalError", "Invalid"),
    ],
)
def test_broken_rules(envelope: str, code: int, subcode: str, detail: str) -> None:
    reply = refusal_of(envelope).reply
    assert (reply.code, reply.subcode, reply.detail) == (code, subcode, detail)


@pytest.mark.parametrize(
    "flag", ['s:mustUnderstand="true"', 's:mustUnderstand="1"', 'mustUnderstand="true"']
)
def test_an_unknown_mandatory_header_is_named(flag: str) -> None:
    strange = GET.replace("</s:Header>", f'<q:Lock xmlns:q="urn:q" {flag}/></s:Header>')
    refusal = refusal_of(strange)
    assert refusal.reply.code == Wsman.MUST_UNDERSTAND
    assert refusal.reply.not_understood == "{urn:q}Lock"
    assert refusal.header
    assert refusal.header.message_id == "uuid:ONE"
    harmless = strange.replace(f"{flag}/></s:Header>", 's:mustUnderstand="false"/></s:Header>')
    assert decode(harmless.encode())[1] == Get(VM)


def test_a_wrapped_reference_is_refused_as_hosts_do() -> None:
    text = sent(Invoke(SERVICE, "GetSummaryInformation", {"SettingData": (SETTING,)}))
    wrapped = text.replace(
        "<a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>"
        "<a:ReferenceParameters>",
        "<a:EndpointReference><a:ReferenceParameters>",
    ).replace("</a:ReferenceParameters>", "</a:ReferenceParameters></a:EndpointReference>")
    assert wrapped != text
    assert refusal_of(wrapped).reply.code == Wsman.SCHEMA_VALIDATION_ERROR


@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
def test_no_entity_is_ever_expanded(coding: str) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><s:Envelope>&b;</s:Envelope>'
    for prolog in ("", '<?xml version="1.0"?>', "<!-- x -->\n<?pi y?>", "\ufeff\ufeff"):
        with pytest.raises(Refusal) as caught:
            decode((prolog + bomb).encode(coding))
        assert "document type" in caught.value.cause


def test_nesting_without_end_is_a_refusal() -> None:
    deep = "<a>" * 50_000 + "</a>" * 50_000
    assert refusal_of(CALL.replace(">2<", f">{deep}<")).reply.code == Wsman.SCHEMA_VALIDATION_ERROR


def test_a_dmtf_resource_takes_its_namespace_from_a_selector() -> None:
    text = GET.replace(
        f"{WMI}{VIRTUALIZATION}/", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
    )
    told = '<w:SelectorSet><w:Selector Name="__cimnamespace">root\\virtualization\\v2</w:Selector>'
    assert decode(text.replace("<w:SelectorSet>", told).encode())[1] == Get(VM)


def test_keys_that_are_references_travel_as_references() -> None:
    keys = (("AffectedElement", to_path(VM)), ("AffectingElement", to_path(SETTING)))
    ref = CimRef("Msvm_AffectedJobElement", keys, VIRTUALIZATION)
    text = sent(Get(ref))
    assert text.count("<a:EndpointReference>") == 2
    assert decode(text.encode())[1] == Get(ref)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"RequestedState": "2"}, "RequestedState"),
        ({"RequestedState": 65536}, "RequestedState"),
        ({"RequestedState": (2,)}, "RequestedState"),
        ({"RequestedState": True}, "RequestedState"),
        ({"TimeoutPeriod": datetime(2025, 1, 1)}, "TimeoutPeriod"),  # noqa: DTZ001 - the case
        ({"Timeout": 5}, "Timeout"),
    ],
)
def test_a_wrong_parameter_never_leaves(values: dict[str, CimValue], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        encode(Invoke(VM, "RequestStateChange", values), to=URL)


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x0b", "\ud800", "\uffff"])
def test_a_control_character_never_leaves(character: str) -> None:
    with pytest.raises(UsageError, match="character"):
        encode(Put(VM, {"ElementName": f"a{character}b"}), to=URL)


@pytest.mark.parametrize(
    "request_",
    [
        Get(CimRef("Msvm_ComputerSystem", ())),
        Enumerate(VIRTUALIZATION),
        Enumerate(VIRTUALIZATION, "Msvm_Processor", wql="SELECT * FROM Msvm_Processor"),
    ],
)
def test_nonsense_is_told_before_sending(request_: Request) -> None:
    with pytest.raises(UsageError):
        encode(request_, to=URL)


def test_parameters_of_an_unknown_class_follow_their_python_type() -> None:
    call = Invoke(
        CimRef("Vendor_Thing", (), "root/vendor"),
        "Do",
        {"A": 1, "B": "x", "C": True, "D": datetime(2025, 1, 1, tzinfo=UTC), "E": VM},
    )
    read = decode(encode(call, to=URL))[1]
    assert isinstance(read, Invoke)
    assert read.parameters == {
        "A": "1",
        "B": "x",
        "C": "true",
        "D": "2025-01-01T00:00:00Z",
        "E": VM,
    }


def test_the_class_a_query_selects_from() -> None:
    assert selected_class(" select Name,\n Id FROM Win32_Volume where X='FROM y'") == "Win32_Volume"
    assert selected_class("ASSOCIATORS OF {A.B='c'}") == ""
    assert selected_class(None) == ""

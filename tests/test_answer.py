from __future__ import annotations

import re

import pytest

from tests.handmade import (
    ANONYMOUS,
    FIRST,
    JOB,
    NIL,
    SYSTEM,
    TRANSFER,
    V2,
    WMI,
    XSI_TYPE,
    A,
    Answer,
    Client,
    E,
    F,
    Host,
    I,
    S,
    W,
    five_machines,
    guid,
    names,
)
from tui.wsman import schema


@pytest.fixture
def host() -> Host:
    return five_machines()


@pytest.fixture
def client(host: Host) -> Client:
    return Client(host)


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

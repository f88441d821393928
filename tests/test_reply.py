"""Replies: written as Windows writes them, read whatever a host makes of them."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import Fault, UsageError, WireError
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.fault import fault
from tui.wsman.header import Header
from tui.wsman.reply import (
    ClassDeclaration,
    Created,
    Deleted,
    Got,
    Identity,
    Items,
    MethodOutput,
    Page,
    Released,
    Reply,
    decode,
    encode,
    item_size,
    item_text,
)
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
)
from tui.wsman.schema import VIRTUALIZATION, cim_class

WIRE = Path(__file__).parent / "wire"
RELATES = "uuid:0B8A3B7E-0000-4000-8000-000000000001"
HEADER = Header(message_id=RELATES)
JOB = CimRef(
    "Msvm_ConcreteJob", (("InstanceID", "11111111-2222-3333-4444-555555555555"),), VIRTUALIZATION
)
VM = CimRef(
    "Msvm_ComputerSystem",
    (
        ("CreationClassName", "Msvm_ComputerSystem"),
        ("Name", "0A1B2C3D-0000-4000-8000-00000000000A"),
    ),
    VIRTUALIZATION,
)
SERVICE = CimRef("Msvm_VirtualSystemManagementService", (), VIRTUALIZATION)
ALL = Enumerate(VIRTUALIZATION, "Msvm_AffectedJobElement")
PULL = Pull(VIRTUALIZATION, "Msvm_AffectedJobElement", "uuid:A1")
START = Invoke(VM, "RequestStateChange", {"RequestedState": 2})
SUMMARY = Invoke(SERVICE, "GetSummaryInformation", {})
AFFECTED = CimInstance(
    "Msvm_AffectedJobElement",
    {"AffectedElement": VM, "AffectingElement": JOB, "ElementEffects": (5,)},
    VIRTUALIZATION,
)
COLUMNS = ("InstallDate", "elementname", "EnabledState", "ProcessID", "OperationalStatus")
PROJECTION = Enumerate(
    VIRTUALIZATION,
    wql="SELECT InstallDate, ElementName, EnabledState, ProcessID, OperationalStatus"
    " FROM Msvm_ComputerSystem",
)
CREATED_AT = datetime(2025, 3, 4, 5, 6, 7, 890000, UTC)
ROW = CimInstance(
    "Msvm_ComputerSystem",
    {
        "ElementName": "web-01",
        "EnabledState": 2,
        "InstallDate": CREATED_AT,
        "ProcessID": None,
    },
    VIRTUALIZATION,
)


def wire(name: str) -> str:
    """An exchange file without its note."""
    return (WIRE / name).read_text("utf-8").partition("\n")[2].rstrip("\n")


def full(class_name: str, **values: CimValue) -> CimInstance:
    """An instance as it comes back: null scalars told, null arrays missing."""
    shape = cim_class(VIRTUALIZATION, class_name)
    assert shape
    scalars = {name: None for name, prop in shape.properties.items() if not prop.array}
    return CimInstance(class_name, {**scalars, **values}, VIRTUALIZATION)


FINISHED = full(
    "Msvm_ConcreteJob",
    Cancellable=True,
    Caption="",
    ElapsedTime=timedelta(minutes=1, seconds=1.00417),
    ErrorCode=0,
    InstanceID=JOB.keys[0][1],
    JobState=7,
    JobType=12,
    OperationalStatus=(2, 17),
    PercentComplete=100,
    StartTime=CREATED_AT,
    TimeBeforeRemoval=timedelta(minutes=5),
    UntilTime=datetime(1601, 1, 1, tzinfo=UTC),
)
SECURE = Identity("OS: 10.0.20348 SP: 0.0 Stack: 3.0", security=("http/basic",))
MORE = Items((AFFECTED,), "uuid:A1000000-0000-4000-8000-000000000001", end=False)

EXACT: tuple[tuple[str, Reply, Request, tuple[str, ...] | None], ...] = (
    ("identify.xml", SECURE, Identify(), None),
    ("enumerate_more.xml", MORE, ALL, None),
    ("pull_last.xml", Items((AFFECTED,)), PULL, None),
    ("get_job.xml", Got(FINISHED), Get(JOB), None),
    ("invoke_job.xml", MethodOutput(4096, {"Job": JOB}), START, None),
    ("projection.xml", Items((ROW,)), PROJECTION, COLUMNS),
)


@pytest.mark.parametrize(("name", "reply", "request_", "columns"), EXACT, ids=lambda v: str(v)[:20])
def test_written_as_windows_does(
    name: str, reply: Reply, request_: Request, columns: tuple[str, ...] | None
) -> None:
    text = encode(reply, request=request_, header=HEADER, projection=columns).decode()
    told = "uuid:6D2F0C1A-9A55-4B0F-8C0E-1B2C3D4E5F60"
    fresh = re.sub(r"(?<=<a:MessageID>)uuid:[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", told, text)
    assert fresh == wire(name)


@pytest.mark.parametrize(("name", "reply", "request_", "columns"), EXACT, ids=lambda v: str(v)[:20])
def test_read_back(
    name: str, reply: Reply, request_: Request, columns: tuple[str, ...] | None
) -> None:
    assert decode(wire(name).encode(), request_) == reply
    assert decode((WIRE / name).read_bytes(), request_, relates_to=RELATES) == reply


def test_objects_inside_an_answer() -> None:
    answer = decode((WIRE / "summary.xml").read_bytes(), SUMMARY)
    assert isinstance(answer, MethodOutput)
    found = answer.values["SummaryInformation"]
    assert isinstance(found, tuple)
    first, second = found
    assert isinstance(second, CimInstance)
    assert first == CimInstance(
        "Msvm_SummaryInformation",
        {
            "CreationTime": CREATED_AT,
            "ElementName": "web-01",
            "EnabledState": 2,
            "OperationalStatus": None,
            "ThumbnailImage": b"\x01\xff",
        },
        VIRTUALIZATION,
    )
    assert second.values == {
        "ElementName": "",
        "NotYetInvented": "42",
        "ThumbnailImage": b"\x01\x02\x03\xff",
    }


@pytest.mark.parametrize(
    ("reply", "request_"),
    [
        (Identity("OS: 0.0.0 SP: 0.0 Stack: 3.0"), Identify()),
        (Items(()), ALL),
        (Items(()), PULL),
        (Items((), "uuid:B", end=False), PULL),
        (Items((), "uuid:B", end=False), Enumerate(VIRTUALIZATION, "CIM_Job", optimize=False)),
        (Items((VM, JOB)), Enumerate(VIRTUALIZATION, "CIM_Job", mode=Mode.EPR)),
        (Got(FINISHED), Put(JOB, {})),
        (Released(), Release(VIRTUALIZATION, "*", "uuid:A")),
        (Deleted(), Delete(VM)),
        (Created(VM), Create(CimInstance("Msvm_ComputerSystem", {}, VIRTUALIZATION))),
        (MethodOutput(32775, {"Job": None}), START),
        (
            MethodOutput(
                0,
                {
                    "SummaryInformation": (
                        full(
                            "Msvm_SummaryInformation",
                            Name="G",
                            ThumbnailImage=bytes(range(256)),
                            TestReplicaSystem=VM,
                            Snapshots=(
                                full("Msvm_VirtualSystemSettingData", InstanceID="x", Notes=("",)),
                            ),
                        ),
                    )
                },
            ),
            SUMMARY,
        ),
    ],
    ids=lambda v: type(v).__name__,
)
def test_both_roles_agree(reply: Reply, request_: Request) -> None:
    assert decode(encode(reply, request=request_, header=HEADER), request_) == reply


def test_objects_with_their_references() -> None:
    asked = Enumerate(VIRTUALIZATION, "Msvm_ConcreteJob", mode=Mode.OBJECT_AND_EPR)
    item = CimInstance(FINISHED.class_name, FINISHED.values, VIRTUALIZATION, JOB)
    assert decode(encode(Items((item,)), request=asked), asked) == Items((item,))
    epr = Enumerate(VIRTUALIZATION, "Msvm_ConcreteJob", mode=Mode.EPR)
    assert decode(encode(Items((item,)), request=epr), epr) == Items((JOB,))


def test_fragments() -> None:
    for path in ("JobState", "JobState/text()", "jobstate"):
        asked = Get(JOB, path)
        text = encode(Got(FINISHED), request=asked, header=HEADER)
        answer = decode(text, asked)
        assert isinstance(answer, Got)
        assert answer.instance.values == {"JobState": 7}
        assert b'<w:FragmentTransfer s:mustUnderstand="true">' in text
    asked = Get(JOB, "StartTime")
    answer = decode(encode(Got(FINISHED), request=asked), asked)
    assert isinstance(answer, Got)
    assert answer.instance.values == {"StartTime": CREATED_AT}


def test_class_declarations() -> None:
    shape = cim_class(VIRTUALIZATION, "Msvm_AffectedJobElement")
    assert shape
    asked = GetClass(VIRTUALIZATION, "Msvm_AffectedJobElement")
    answer = decode(encode(ClassDeclaration.of(shape), request=asked), asked)
    assert answer == ClassDeclaration.of(shape)
    assert '<PROPERTY.ARRAY NAME="ElementEffects" TYPE="uint16">' in answer.text
    assert '<QUALIFIER NAME="Association" TYPE="boolean">' in answer.text


def test_pages_of_items_written_before() -> None:
    texts = tuple(item_text(item) for item in (AFFECTED, FINISHED))
    for page, items in (
        (Page(texts, "uuid:C", end=False), Items((AFFECTED, FINISHED), "uuid:C", end=False)),
        (Page(texts), Items((AFFECTED, FINISHED))),
    ):
        assert decode(encode(page, request=PULL), PULL) == items


def test_sizes_count_utf16() -> None:
    for text in ("abc", "aé€", "a\U0001f600"):
        assert item_size(text) == len(text.encode("utf-16-le"))


def test_the_answer_to_a_non_optimized_enumerate_holds_no_items() -> None:
    plain = Enumerate(VIRTUALIZATION, "CIM_Job", optimize=False)
    text = encode(Items((), "uuid:B", end=False), request=plain).decode()
    assert "Items" not in text
    assert "<n:EnumerationContext>uuid:B</n:EnumerationContext></n:EnumerateResponse>" in text


def test_empty_and_final_pages() -> None:
    assert (
        "<n:EnumerateResponse><n:EnumerationContext></n:EnumerationContext><w:Items></w:Items>"
        "<w:EndOfSequence/></n:EnumerateResponse>" in encode(Items(()), request=ALL).decode()
    )
    assert (
        "<n:PullResponse><n:Items></n:Items><n:EndOfSequence/></n:PullResponse>"
        in encode(Items(()), request=PULL).decode()
    )


@given(st.text(), st.text())
def test_any_text_survives_or_is_marked(name: str, note: str) -> None:
    item = full("Msvm_VirtualSystemSettingData", ElementName=name, Notes=(note, "x"))
    answer = decode(encode(Items((item,)), request=PULL, header=HEADER), PULL)
    assert isinstance(answer, Items)
    read = answer.items[0]
    assert isinstance(read, CimInstance)
    for sent, got in ((name, read["ElementName"]), (note, read["Notes"][0])):  # type: ignore[index]
        assert isinstance(got, str)
        marked = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "?", sent)
        assert got == marked


def test_relates_to_is_verbatim() -> None:
    for told in ("urn:uuid:abc", "uuid:ABC", " odd <&> "):
        text = encode(Deleted(), request=Delete(VM), header=Header(message_id=told)).decode()
        escaped = told.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert f"<a:RelatesTo>{escaped}</a:RelatesTo>" in text


def test_a_value_the_class_cannot_hold_is_no_answer() -> None:
    with pytest.raises(UsageError, match="EnabledState"):
        encode(
            Items((CimInstance(VM.class_name, {"EnabledState": "on"}, VIRTUALIZATION),)),
            request=PULL,
        )


def test_a_property_the_table_lacks_is_written_in_its_place() -> None:
    item = CimInstance("Msvm_ConcreteJob", {"Jobs": 3, "InstanceID": "x"}, VIRTUALIZATION)
    text = encode(Items((item,)), request=PULL).decode()
    assert text.index("p:JobRunTimes") < text.index("<p:Jobs>3</p:Jobs>") < text.index("p:JobState")


# -- faults --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code", "subcode", "detail", "cause", "sender"),
    [
        (
            "fault_selectors.xml",
            2150858843,
            "InvalidSelectors",
            "UnexpectedSelectors",
            "Longer text.",
            True,
        ),
        ("fault_provider.xml", 2150858778, "CannotProcessFilter", "", "Ungültige Klasse.", True),
        (
            "fault_quota.xml",
            2150859174,
            "InternalError",
            "",
            "Too many concurrent operations.",
            False,
        ),
    ],
)
def test_faults_from_the_wire(
    name: str, code: int, subcode: str, detail: str, cause: str, sender: bool
) -> None:
    with pytest.raises(Fault) as caught:
        decode((WIRE / name).read_bytes(), PULL, relates_to=RELATES)
    found = caught.value
    assert (found.code, found.subcode, found.detail) == (code, subcode, detail)
    assert (found.cause, found.sender) == (cause, sender)


def test_a_stack_fault_is_written_as_windows_does() -> None:
    reply = fault(2150858843, "Longer text.")
    text = encode(
        replace(reply, machine="10.0.0.5"),
        header=HEADER,
    ).decode()
    assert text.partition("<s:Body>")[2] == wire("fault_selectors.xml").partition("<s:Body>")[2]
    assert text.startswith(wire("fault_selectors.xml").partition("<s:Header>")[0])


@pytest.mark.parametrize("shape", [1, 2, 3])
@pytest.mark.parametrize("code", [5, 2150858752, 2150858778, 2150858793, 2150859174, 2147942405])
def test_every_shape_of_fault_is_read(code: int, shape: int) -> None:
    reply = fault(code, "Why <&>", shape=shape, operation="ExecQuery", parameter="SELECT 'a<b'")
    with pytest.raises(Fault) as caught:
        decode(encode(reply, header=HEADER), PULL)
    found = caught.value
    assert (found.code, found.cause) == (code, "Why <&>")
    assert found.subcode == reply.subcode.partition(":")[2]
    assert (found.detail, found.sender) == (reply.detail, reply.role == "Sender")


def test_the_header_not_understood_is_named() -> None:
    reply = fault(2150858768)
    text = encode(replace(reply, not_understood="{urn:q}Lock")).decode()
    assert '<s:NotUnderstood qname="q:Lock" xmlns:q="urn:q"/></s:Header>' in text
    assert "<s:Value>s:MustUnderstand</s:Value></s:Code>" in text


@pytest.mark.parametrize(
    ("detail", "code"),
    [
        ("", 0),
        ("<s:Detail/>", 0),
        ("<s:Detail>plain words</s:Detail>", 0),
        ('<s:Detail><WSManFault Code="-2144108503"/></s:Detail>', 2150858793),
        ('<s:Detail><WSManFault Code="0x80338029"/></s:Detail>', 2150858793),
        ('<s:Detail><WSManFault Code="none"/></s:Detail>', 0),
        ('<s:Detail><MSFT_WmiError/><WSManFault Code="5"/></s:Detail>', 5),
        (
            '<s:Detail><WSManFault Code="7"><Message><WSManFault Code="x"/></Message></WSManFault>'
            "</s:Detail>",
            7,
        ),
    ],
)
def test_poor_faults(detail: str, code: int) -> None:
    text = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault>'
        f"<s:Reason><s:Text>Nein\x85 danke</s:Text></s:Reason>{detail}</s:Fault></s:Body>"
        "</s:Envelope>"
    )
    with pytest.raises(Fault) as caught:
        decode(text.encode(), PULL)
    assert caught.value.code == code
    assert caught.value.title
    assert str(caught.value).isprintable()


# -- answers that are none -----------------------------------------------------------------

GOOD = encode(Items((FINISHED,)), request=PULL, header=HEADER)


@given(st.integers(min_value=0, max_value=len(GOOD) - 1))
def test_a_cut_answer_is_a_wire_error(length: int) -> None:
    with pytest.raises(WireError):
        decode(GOOD[:length], PULL)


@given(st.integers(min_value=0, max_value=len(GOOD) - 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_answer_never_raises_anything_else(place: int, junk: bytes) -> None:
    with suppress(WireError, Fault):
        decode(GOOD[:place] + junk + GOOD[place + len(junk) :], PULL)


@given(st.binary())
def test_noise_is_a_wire_error(noise: bytes) -> None:
    with pytest.raises(WireError):
        decode(noise, PULL)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (">7<", ">seven<", "JobState"),
        (">true<", ">maybe<", "Cancellable"),
        ("2025-03-04T", "yesterday", "StartTime"),
        ("PullResponse>", "PushResponse>", "PullResponse"),
        ("<p:Msvm_ConcreteJob ", "<p:Msvm_Other ", "not well-formed"),
        ("2003/05/soap-envelope", "2003/05/other", "SOAP"),
        ("<s:Envelope", "<!DOCTYPE x><s:Envelope", "document type"),
        (RELATES, "uuid:ANOTHER", "another request"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, told: str) -> None:
    text = GOOD.decode().replace(old, new)
    assert text != GOOD.decode()
    with pytest.raises(WireError, match=told):
        decode(text.encode(), PULL, relates_to=RELATES)


def test_objects_nested_without_end_are_a_wire_error() -> None:
    uri = f"http://schemas.microsoft.com/wbem/wsman/1/wmi/{VIRTUALIZATION}/Msvm_SummaryInformation"
    deep = f'<q:Snapshots xmlns:q="{uri}">' * 20_000 + "</q:Snapshots>" * 20_000
    text = wire("summary.xml").replace("<p1:NotYetInvented>42</p1:NotYetInvented>", deep)
    with pytest.raises(WireError, match="nested"):
        decode(text.encode(), SUMMARY)


def test_missing_items_and_arrays_told_as_nil() -> None:
    text = GOOD.decode()
    bare = re.sub("<n:Items>.*</n:Items>", "", text)
    assert decode(bare.encode(), PULL) == Items(())
    nil = text.replace(
        "<p:OperationalStatus>2</p:OperationalStatus><p:OperationalStatus>17</p:OperationalStatus>",
        '<p:OperationalStatus xsi:nil="1" xmlns:m="urn:m" m:IsNullArray="true"/>',
    )
    answer = decode(nil.encode(), PULL)
    assert isinstance(answer, Items)
    item = answer.items[0]
    assert isinstance(item, CimInstance)
    assert item["OperationalStatus"] is None
    assert item["JobState"] == 7


@pytest.mark.parametrize("prefix", ["n", "w"])
def test_either_namespace_of_items(prefix: str) -> None:
    for request, reply in ((ALL, MORE), (PULL, Items((AFFECTED,)))):
        text = encode(reply, request=request).decode()
        for name in ("Items", "EndOfSequence"):
            text = re.sub(f"(</?)[nw]:{name}", rf"\1{prefix}:{name}", text)
        assert decode(text.encode(), request) == reply


def test_a_method_declared_void_worked() -> None:
    text = encode(MethodOutput(0), request=START).decode()
    bare = text.replace("<p:ReturnValue>0</p:ReturnValue>", "")
    assert decode(bare.encode(), START) == MethodOutput(0, {"Job": None})

"""CIM-XML instances in string parameters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import UsageError, WireError
from tui.wsman.cim import CimInstance, CimRef
from tui.wsman.embedded import BadDatetime, ScalarForArray, from_text, to_text
from tui.wsman.schema import VIRTUALIZATION

XML_TEXT = st.text(
    st.one_of(
        st.characters(min_codepoint=0x20, max_codepoint=0xD7FF),
        st.characters(min_codepoint=0xE000, max_codepoint=0xFFFD),
        st.characters(min_codepoint=0x10000),
        st.sampled_from("\t\n\r&<>\"']]>"),
    )
)


def instance(name: str, **values: object) -> CimInstance:
    return CimInstance(name, values, VIRTUALIZATION)  # type: ignore[arg-type]


def test_the_written_form() -> None:
    text = to_text(
        instance(
            "Msvm_VirtualSystemSettingData",
            ElementName="a & <b>",
            VirtualNumaEnabled=True,
            Notes=("line",),
            AutomaticStartupActionDelay=timedelta(minutes=30),
            Caption=None,
        )
    )
    assert text == (
        '<INSTANCE CLASSNAME="Msvm_VirtualSystemSettingData">'
        '<PROPERTY NAME="ElementName" TYPE="string"><VALUE>a &amp; &lt;b&gt;</VALUE></PROPERTY>'
        '<PROPERTY NAME="VirtualNumaEnabled" TYPE="boolean"><VALUE>true</VALUE></PROPERTY>'
        '<PROPERTY.ARRAY NAME="Notes" TYPE="string"><VALUE.ARRAY><VALUE>line</VALUE>'
        "</VALUE.ARRAY></PROPERTY.ARRAY>"
        '<PROPERTY NAME="AutomaticStartupActionDelay" TYPE="datetime">'
        "<VALUE>00000000003000.000000:000</VALUE></PROPERTY>"
        '<PROPERTY NAME="Caption" TYPE="string"></PROPERTY></INSTANCE>'
    )


def test_every_type_comes_back() -> None:
    disk = CimRef("Msvm_Error", (("K", "a\\b"),), "root/cimv2")
    whole = instance(
        "Msvm_SummaryInformation",
        Name="G",
        ProcessorLoad=7,
        Shielded=False,
        CreationTime=datetime(2025, 3, 4, 5, 6, 7, 8, UTC),
        ProcessorLoadHistory=(1, 2),
        StatusDescriptions=(),
        ThumbnailImage=b"\x00\xff",
        TestReplicaSystem=disk,
        Snapshots=(instance("Msvm_VirtualSystemSettingData", InstanceID="x"),),
        GuestOperatingSystem=None,
    )
    assert from_text(to_text(whole), VIRTUALIZATION) == whole


def test_what_windows_adds_is_passed_over() -> None:
    text = (
        '<?xml version="1.0"?><CIM><DECLARATION>\n<INSTANCE CLASSNAME="msvm_memorysettingdata">'
        '<QUALIFIER NAME="dynamic" TYPE="boolean"><VALUE>TRUE</VALUE></QUALIFIER>'
        '<PROPERTY NAME="virtualquantity" CLASSORIGIN="X" PROPAGATED="true" TYPE="uint64">'
        '<QUALIFIER NAME="q" TYPE="string"><VALUE>no</VALUE></QUALIFIER>'
        "<VALUE>2048</VALUE></PROPERTY>"
        '<PROPERTY NAME="NotYetInvented" TYPE="uint16"><VALUE>3</VALUE></PROPERTY>'
        '<PROPERTY.ARRAY NAME="HostResource" TYPE="string"></PROPERTY.ARRAY>'
        "</INSTANCE></DECLARATION></CIM>"
    )
    assert from_text(text, "root\\virtualization\\v2") == instance(
        "Msvm_MemorySettingData", VirtualQuantity=2048, NotYetInvented=3, HostResource=None
    )


@pytest.mark.parametrize(
    ("inner", "error"),
    [
        ('<PROPERTY NAME="HostResource" TYPE="string"><VALUE>x</VALUE></PROPERTY>', ScalarForArray),
        (
            '<PROPERTY NAME="InstallDate" TYPE="datetime"><VALUE>2025-03-04T05:06:07Z</VALUE>'
            "</PROPERTY>",
            BadDatetime,
        ),
        ('<PROPERTY NAME="VirtualQuantity" TYPE="uint64"><VALUE>x</VALUE></PROPERTY>', WireError),
        ('<PROPERTY TYPE="uint64"><VALUE>x</VALUE></PROPERTY>', WireError),
    ],
)
def test_a_wrong_property_is_named(inner: str, error: type[WireError]) -> None:
    name = "Msvm_LANEndpoint" if "InstallDate" in inner else "Msvm_ProcessorSettingData"
    with pytest.raises(error):
        from_text(f'<INSTANCE CLASSNAME="{name}">{inner}</INSTANCE>', VIRTUALIZATION)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "web-01",
        "<INSTANCE",
        "<INSTANCE/>",
        "<CIM/>",
        '<!DOCTYPE x [<!ENTITY a "b">]><INSTANCE CLASSNAME="A"/>',
        "\ufeff\ufeff<!DOCTYPE x><INSTANCE CLASSNAME='A'/>",
        "<INSTANCE CLASSNAME='A'>\ud800</INSTANCE>",
    ],
)
def test_what_is_no_instance_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        from_text(text, VIRTUALIZATION)


def test_a_value_of_the_wrong_type_never_leaves() -> None:
    with pytest.raises(UsageError, match="VirtualQuantity"):
        to_text(instance("Msvm_MemorySettingData", VirtualQuantity="2048"))
    with pytest.raises(UsageError, match="HostResource"):
        to_text(instance("Msvm_MemorySettingData", HostResource="x"))


@given(XML_TEXT)
def test_any_text_survives(text: str) -> None:
    whole = instance("Msvm_VirtualSystemSettingData", ElementName=text, Notes=(text, ""))
    assert from_text(to_text(whole), VIRTUALIZATION) == whole


@given(st.text(min_size=1))
def test_what_cannot_be_sent_is_refused_or_replaced(text: str) -> None:
    whole = instance("Msvm_VirtualSystemSettingData", ElementName=text)
    written = from_text(to_text(whole, strict=False), VIRTUALIZATION).values["ElementName"]
    assert isinstance(written, str)
    assert len(written) == len(text)
    try:
        strict = from_text(to_text(whole), VIRTUALIZATION).values["ElementName"]
    except UsageError:
        assert written.count("?") > text.count("?")
    else:
        assert strict == written == text

"""CIM values as text and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.errors import UsageError, WireError
from tui.wsman.cim import (
    CimProperty,
    CimRef,
    CimType,
    datetime_from_dmtf,
    datetime_from_text,
    datetime_to_dmtf,
    from_path,
    interval_from_iso,
    interval_to_iso,
    text_of,
    time_from_iso,
    time_to_iso,
    to_path,
    value_of,
)

MOMENTS = st.datetimes(timezones=st.just(UTC))
SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=99999999))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2025, 3, 4, 5, 6, 7, 890000, UTC), "2025-03-04T05:06:07.89Z"),
        (datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC), "2025-03-04T05:06:07Z"),
        (datetime(1601, 1, 1, tzinfo=UTC), "1601-01-01T00:00:00Z"),
    ],
)
def test_iso_times_lose_trailing_zeros(moment: datetime, text: str) -> None:
    assert time_to_iso(moment) == text
    assert time_from_iso(text) == moment


def test_iso_offset_becomes_utc() -> None:
    assert time_from_iso("2025-03-04T13:00:00+08:00") == datetime(2025, 3, 4, 5, tzinfo=UTC)
    assert time_from_iso("9999-12-31T23:59:59-08:00").year == 9999


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(minutes=30), "P0DT0H30M0S"),
        (timedelta(minutes=1, seconds=1, microseconds=4170), "P0DT0H1M1.00417S"),
        (timedelta(days=3, hours=2), "P3DT2H0M0S"),
        (timedelta(seconds=-1), "-P0DT0H0M1S"),
    ],
)
def test_intervals_have_all_fields(span: timedelta, text: str) -> None:
    assert interval_to_iso(span) == text
    assert interval_from_iso(text) == span


@pytest.mark.parametrize("text", ["P", "PT", "P1Y", "P1M", "1D", "PT1.5M", "", "P1DT"])
def test_a_duration_of_no_fixed_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        interval_from_iso(text)


@given(MOMENTS)
def test_times_survive_both_forms(moment: datetime) -> None:
    assert datetime_from_text(time_to_iso(moment)) == moment
    assert datetime_from_text(datetime_to_dmtf(moment)) == moment


@given(SPANS)
def test_intervals_survive_both_forms(span: timedelta) -> None:
    assert datetime_from_text(interval_to_iso(span)) == span
    assert datetime_from_text(datetime_to_dmtf(span)) == span


def test_dmtf_forms() -> None:
    assert datetime_from_dmtf("00000000003000.000000:000") == timedelta(minutes=30)
    berlin = datetime(2025, 3, 4, 6, tzinfo=timezone(timedelta(hours=1)))
    assert datetime_to_dmtf(berlin) == "20250304050000.000000+000"
    assert datetime_from_dmtf("20250304060000.000000+060") == berlin
    assert datetime_from_dmtf("20250304******.******+***") is None
    assert datetime_from_dmtf("00000000000000.000000+000") is None
    with pytest.raises(ValueError, match="datetime"):
        datetime_from_dmtf("2025-03-04T05:06:07Z")


def test_a_negative_interval_has_no_dmtf_form() -> None:
    with pytest.raises(UsageError):
        datetime_to_dmtf(timedelta(seconds=-1))


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (CimType.BOOLEAN, True, "true"),
        (CimType.UINT64, 2**64 - 1, "18446744073709551615"),
        (CimType.SINT32, -5, "-5"),
        (CimType.REAL64, 0.1, "0.1"),
        (CimType.REAL64, float("inf"), "INF"),
        (CimType.STRING, "  as it is ", "  as it is "),
        (CimType.CHAR16, "A", "65"),
    ],
)
def test_scalars(kind: CimType, value: bool | int | float | str, text: str) -> None:
    prop = CimProperty("Thing", kind)
    assert text_of(value, prop) == text
    assert value_of(text, prop) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (CimType.UINT16, 65536),
        (CimType.UINT8, -1),
        (CimType.UINT32, True),
        (CimType.UINT32, "7"),
        (CimType.BOOLEAN, 1),
        (CimType.STRING, 7),
        (CimType.CHAR16, "AB"),
        (CimType.DATETIME, datetime(2025, 1, 1)),  # noqa: DTZ001 - the case under test
        (CimType.STRING, None),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(
    kind: CimType, value: bool | int | str | datetime | None
) -> None:
    with pytest.raises(UsageError, match="Thing"):
        text_of(value, CimProperty("Thing", kind))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (CimType.UINT16, "seven"),
        (CimType.UINT16, "1_000"),
        (CimType.UINT16, "٣"),
        (CimType.UINT64, "9" * 5000),
        (CimType.BOOLEAN, "yes"),
        (CimType.DATETIME, "yesterday"),
    ],
)
def test_unreadable_text_names_the_property(kind: CimType, text: str) -> None:
    with pytest.raises(WireError, match="Thing"):
        value_of(text, CimProperty("Thing", kind))


VOLUME = CimRef(
    "Msvm_StorageAllocationSettingData",
    (("InstanceID", 'Microsoft:AA\\0\\"L'),),
    "root/virtualization/v2",
)


def test_object_paths() -> None:
    assert to_path(VOLUME) == (
        "root/virtualization/v2:Msvm_StorageAllocationSettingData"
        '.InstanceID="Microsoft:AA\\\\0\\\\\\"L"'
    )
    assert to_path(VOLUME, "HV01").startswith("\\\\HV01\\root\\virtualization\\v2:Msvm_")
    assert to_path(CimRef("Win32_CurrentTime", (), "root/cimv2")) == (
        "root/cimv2:Win32_CurrentTime=@"
    )


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("A=@", CimRef("A", ())),
        ('A="x"', CimRef("A", (("", "x"),))),
        ("A.K=5,L='y'", CimRef("A", (("K", "5"), ("L", "y")))),
        ("\\\\.\\root\\cimv2:A.K=5", CimRef("A", (("K", "5"),), "root/cimv2")),
        ("//h/root/cimv2:A.K=TRUE", CimRef("A", (("K", "TRUE"),), "root/cimv2")),
        ('root\\v2:A.K = "a,b=c:d"', CimRef("A", (("K", "a,b=c:d"),), "root/v2")),
    ],
)
def test_spellings_of_object_paths(text: str, ref: CimRef) -> None:
    assert from_path(text) == ref


@pytest.mark.parametrize("text", ["", "A.", "A.K", 'A.K="x', "A;B", 'A.K="x"L="y"', "A B"])
def test_what_is_no_object_path_is_refused(text: str) -> None:
    with pytest.raises(WireError, match="object path"):
        from_path(text)


@given(st.text(), st.sampled_from(["", "HV01"]))
def test_any_key_survives_a_path(value: str, host: str) -> None:
    ref = CimRef("Msvm_X", (("Name", value), ("Other", "1")), "root/virtualization/v2")
    assert from_path(to_path(ref, host)) == ref


def test_keys_are_found_without_case() -> None:
    assert VOLUME.key("instanceid") == 'Microsoft:AA\\0\\"L'
    assert VOLUME.key("Name") is None

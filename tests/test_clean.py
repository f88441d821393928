"""Text from hosts is made harmless at the border, and identities are read tolerantly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.hyperv import clean, paths

VM = "6B29FC40-CA47-1067-B31D-00DD010662DA"


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("sql01", "sql01"),
        ("  sql01 ", "sql01"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x1b]0;owned\x07b", "ab"),
        ("a\x1b]8;;http://x\x1b\\link", "alink"),
        ("a\x1bPq#0\x1b\\b", "ab"),
        ("a\x9b2Jb", "ab"),
        ("one\r\ntwo\tthree", "one  two three"),
        ("bell\x07\x00\x7f", "bell"),
        ("exe\u202efdp.txt", "exefdp.txt"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("a\u2028b", "a b"),
        ("データベース", "データベース"),
        ("café [bold]not markup[/]", "café [bold]not markup[/]"),
        ("\ud800x", "x"),
    ],
)
def test_names(hostile: str, harmless: str) -> None:
    assert clean.text(hostile) == harmless


@given(st.text())
def test_nothing_that_moves_a_cursor_gets_through(hostile: str) -> None:
    result = clean.text(hostile)
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in result)
    assert not set(result) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    assert len(result) <= clean.SHORT
    assert clean.text(result) == result


@given(st.text())
def test_notes_keep_only_line_breaks(hostile: str) -> None:
    result = clean.lines(hostile)
    assert not any(ord(character) < 32 and character != "\n" for character in result)
    assert len(result) <= clean.LONG


def test_notes_keep_their_lines() -> None:
    assert clean.lines("first\r\nsecond\rthird\x1b[2J") == "first\nsecond\nthird"


def test_length_is_bounded_and_says_so() -> None:
    result = clean.text("x" * 1000)
    assert len(result) == clean.SHORT
    assert result.endswith("…")


def test_what_is_no_text_is_empty() -> None:
    assert clean.text(None) == ""
    assert clean.text(5) == ""
    assert clean.texts(("a", "", None, "b\n")) == ("a", "b")
    assert clean.first(()) is None
    assert clean.first(("x", "y")) == "x"


def test_times() -> None:
    assert clean.moment(datetime(2025, 1, 1, tzinfo=UTC)) == 1735689600.0
    assert clean.moment(datetime(1601, 1, 1, tzinfo=UTC)) == 0.0
    assert clean.moment(None) == 0.0
    assert clean.seconds(timedelta(minutes=2)) == 120.0


def test_identities() -> None:
    assert paths.guid(VM.lower()) == VM
    assert paths.guid(f"{{{VM}}}") == VM
    assert paths.guid("HV01") == ""
    assert paths.owner(f"Microsoft:{VM.lower()}\\83F8638B\\0\\0\\D") == VM
    assert paths.owner(f"Microsoft:{VM}") == VM
    assert paths.owner(f"Microsoft:{VM}:{VM}\\x") == ""
    assert paths.owner("Microsoft:Definition\\x\\Default") == ""


def test_object_paths() -> None:
    path = (
        '\\\\HV01\\root\\virtualization\\v2:Msvm_ResourceAllocationSettingData.InstanceID="'
        f'Microsoft:{VM}\\\\83F8638B\\\\0\\\\1\\\\D"'
    )
    assert paths.key(path, "instanceid") == f"Microsoft:{VM}\\83F8638B\\0\\1\\D"
    assert paths.class_of(path) == "Msvm_ResourceAllocationSettingData"
    two = 'Msvm_VirtualEthernetSwitch.CreationClassName="Msvm_VirtualEthernetSwitch",Name="a\\"b"'
    assert paths.key(two, "Name") == 'a"b'
    assert paths.class_of(two) == "Msvm_VirtualEthernetSwitch"
    assert paths.key("no path at all", "Name") == ""
    assert paths.key(None, "Name") == ""

"""Numbers of the wire as names and words."""

from __future__ import annotations

from tui.wsman.values import EnabledState, ReturnValue, Wsman, name_of, words


def test_names_and_numbers_no_table_knows() -> None:
    assert name_of(EnabledState, 2) == "running"
    assert name_of(EnabledState, 32785) == "running critical"
    assert name_of(EnabledState, 4711) == "unknown (4711)"
    assert name_of(EnabledState, None) == "unknown"
    assert name_of(ReturnValue, 32775) == "invalid state"


def test_every_code_has_words_of_its_own_language() -> None:
    for code in Wsman:
        assert words(code).isascii()
        assert str(int(code)) not in words(code), code.name


def test_codes_without_words_are_told_as_numbers() -> None:
    assert words(0x80041010) == "WMI: the class does not exist"
    assert words(0x80041FFF) == "WMI error 0x80041FFF"
    assert words(2150850000) == "WS-Management error 2150850000"

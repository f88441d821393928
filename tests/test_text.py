"""Words and numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.hyperv.model import HostVitals, Link, Nic, NicKind, Trouble, Vlan, VlanMode, VmVitals
from tui.hyperv.plans.words import several
from tui.rows import text

GB = 1024**3


@pytest.fixture
def ascii_glyphs() -> Iterator[None]:
    text.use_ascii(True)
    yield
    text.use_ascii(False)


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (512 * 1024**2, "512 MB"),
        (1023 * 1024**2, "1.0 GB"),
        (4 * GB, "4.0 GB"),
        (1536 * 1024**2, "1.5 GB"),
        (128 * GB, "128 GB"),
        (3 * 1024**4, "3.0 TB"),
    ],
)
def test_sizes(count: int | None, shown: str) -> None:
    assert text.size(count) == shown


@given(st.integers(min_value=0, max_value=2**62))
def test_a_size_fits_its_column(count: int) -> None:
    assert len(text.size(count)) <= 7
    assert len(text.rate(count)) <= 9


@pytest.mark.parametrize(
    ("seconds", "up", "age"),
    [
        (None, "", ""),
        (0, "0s", "0s"),
        (59.9, "59s", "59s"),
        (61, "1m 1s", "1m"),
        (3600 * 5 + 120, "5h 2m", "5h"),
        (86_400 * 3 + 3600 * 4, "3d 4h", "3d"),
        (86_400 * 400, "1y 35d", "1y"),
        (-5, "0s", "0s"),
    ],
)
def test_spans(seconds: float | None, up: str, age: str) -> None:
    assert text.uptime(seconds) == up
    assert text.age(seconds) == age


def test_small_numbers() -> None:
    assert text.percent(0.2) == "<1%"
    assert text.percent(0) == "0%"
    assert text.percent(99.6) == "100%"
    assert text.rate(0) == "0 B/s"
    assert text.rate(1.5 * 1024**2) == "1.5 MB/s"
    assert text.bits(10_000_000_000) == "10 Gb/s"
    assert text.latency(0.0184) == "18 ms"
    assert text.latency(2.25) == "2.2 s"
    assert text.since(100.0, 40.0) == 0.0
    assert text.since(0.0, 40.0) is None


CRITICAL_PAIRS = {
    32785: 2, 32786: 3, 32787: 4, 32788: 6, 32789: 9, 32790: 10,
    32791: 11, 32792: 32773, 32793: 32776, 32794: 32777,
}  # fmt: skip


@pytest.mark.parametrize(("critical", "plain"), CRITICAL_PAIRS.items())
def test_a_critical_state_is_named_after_its_plain_one(critical: int, plain: int) -> None:
    state = text.vm_state(critical)
    assert state.word == f"{text.vm_state(plain).word}-crit"
    assert state.tone == "critical"


@pytest.mark.parametrize("number", text.VM_STATES)
def test_every_state_has_glyph_word_and_tone_and_fits(number: int) -> None:
    state = text.vm_state(number)
    assert text.width(state.glyph) == 1
    assert len(state.plain) == 1
    assert state.plain.isascii()
    assert state.tone in text.TONES
    assert text.width(str(state)) <= 16


def test_states_nobody_documented_stay_numbers() -> None:
    assert text.vm_state(4711).word == "State 4711"
    assert text.vm_state(1, "Applying policy").word == "Applying policy"
    assert text.vm_state(1).word == "Other"


def test_what_was_asked_for_shows_before_what_is() -> None:
    vitals = VmVitals("g", "hv01", 2, activity=32772)
    assert text.vm_shown(vitals).word == "Merging disks"
    assert text.vm_shown(vitals).glyph == text.vm_state(2).glyph
    assert text.vm_shown(vitals, "saving 40 %").word == "saving 40 %"
    assert text.vm_shown(VmVitals("g", "hv01", 32789, activity=32772)).word == "Paused-crit"


@pytest.mark.usefixtures("ascii_glyphs")
def test_ascii_reaches_every_state() -> None:
    assert all(str(state).isascii() for state in text.VM_STATES.values())
    assert str(text.host_state(HostVitals("h", link=Link.SLOW))).isascii()
    assert text.shorten("a-long-name", 6).isascii()


def test_a_host_that_is_down_says_why() -> None:
    trouble = Trouble("AuthRejected", "hv01 refused the account", "wrong password\n(1326)")
    vitals = HostVitals("hv01", link=Link.DOWN, trouble=trouble)
    assert text.host_state(vitals).word == "Login refused"
    assert text.trouble(trouble) == "hv01 refused the account: wrong password (1326)"
    assert text.host_state(HostVitals("hv01", link=Link.DOWN)).word == "Down"


def test_network_words() -> None:
    assert text.mac("00155d0a0b0c") == "00-15-5D-0A-0B-0C"
    assert text.vlan(Vlan()) == ""
    assert text.vlan(Vlan(VlanMode.ACCESS, 20)) == "20"
    assert text.vlan(Vlan(VlanMode.TRUNK, 1, (10, 11, 12, 20))) == "trunk 10-12,20 (1)"
    assert text.vlan(Vlan(VlanMode.PRIVATE, 5, secondary=7)) == "private 5/7"
    assert text.ranges(()) == ""
    one = Nic("n", "n", NicKind.SYNTHETIC, "", False, True, addresses=("10.0.0.1", "fe80::1"))
    assert text.ip((one,)) == "10.0.0.1 +1"


def test_tags_are_words_in_the_notes() -> None:
    assert text.tags("SQL of orders #prod, #tier1\n#x. not#this # alone") == ("prod", "tier1", "x")
    assert text.first_line("\n first \nsecond") == "first"


def test_width_counts_cells() -> None:
    assert text.width("abc") == 3
    assert text.width("東京") == 4
    assert text.width("e\u0301") == 1
    assert text.width("a\u200bb") == 2


def test_names_keep_their_end() -> None:
    assert text.shorten("exchange-mailbox-017", 12) == "exchan…x-017"
    assert text.shorten("東京データベース", 9) == "東京…ース"
    assert text.shorten("abc", 3) == "abc"
    assert text.shorten("abc", 0) == ""


@given(st.text(max_size=40), st.integers(min_value=0, max_value=30), st.booleans())
def test_padding_is_exact(value: str, cells: int, right: bool) -> None:
    assert text.width(text.pad(value, cells, right=right)) == cells


@pytest.mark.parametrize(
    ("count", "one", "more", "shown"),
    [
        (0, "machine", "", "0 machines"),
        (1, "machine", "", "1 machine"),
        (2, "machine", "", "2 machines"),
        (1, "needs attention", "need attention", "1 needs attention"),
        (0, "needs attention", "need attention", "0 need attention"),
        (21, "history", "histories", "21 histories"),
    ],
)
def test_so_many_of_something(count: int, one: str, more: str, shown: str) -> None:
    assert several(count, one, more) == shown

"""The order of a table: kept while a filter is typed, made anew when what it rests on changes."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from tests.deck_kit import Deck, deck, story
from tui.collector.messages import Batch
from tui.rows.column import in_order
from tui.ui.sorting import Sorting

VALUES = st.dictionaries(st.integers(), st.none() | st.floats(allow_nan=False))


@given(VALUES, st.booleans())
def test_what_has_no_value_is_last_whichever_way_the_others_go(
    values: dict[int, float | None], reverse: bool
) -> None:
    keys = in_order(values, reverse=reverse)
    assert sorted(keys) == sorted(values)
    known = [value for key in keys if (value := values[key]) is not None]
    assert known == sorted(known, reverse=reverse)
    assert [values[key] for key in keys[len(known) :]] == [None] * (len(keys) - len(known))


def test_text_is_ordered_without_case_and_equals_stay_as_they_were() -> None:
    assert in_order({1: "b", 2: "A", 3: "", 4: "a", 5: "C"}) == [2, 4, 1, 5, 3]
    assert in_order({1: "b", 2: "A", 3: "", 4: "a", 5: "C"}, reverse=True) == [5, 1, 2, 4, 3]


async def vary(d: Deck, name: str, cpu: float) -> None:
    d.collector.play(Batch((d.estate.vary(name, cpu=cpu),)))
    await d.settle()


def by_cpu(d: Deck) -> list[str]:
    rows = d.app.store.vms.values()
    known = sorted((row for row in rows if row.vitals.cpu is not None), key=lambda r: r.name)
    return [row.name for row in sorted(known, key=lambda r: -(r.vitals.cpu or 0))]


@story
async def test_what_a_filter_hid_stands_where_it_belongs_when_it_shows_again() -> None:
    async with deck(size=(130, 40)) as d:
        table = d.app.panes.vms
        table.set_sort("cpu")
        first = by_cpu(d)[0]
        table.set_filter(f"!{first}")
        await vary(d, first, 0.5)
        assert first not in d.names
        table.set_filter("")
        await d.settle()
        assert d.names[: len(by_cpu(d))] == by_cpu(d)
        assert by_cpu(d)[0] != first


@story
async def test_typing_a_filter_orders_nothing_anew() -> None:
    async with deck(size=(130, 40)) as d:
        await d.press("slash")
        with patch.object(Sorting, "_sort", side_effect=AssertionError("ordered anew")):
            await d.type("sql")
            assert d.names == ["sql01", "sql02"]
        await vary(d, "sql02", 88.0)
        await d.press("escape")
        assert d.names == ["sql01", "sql02"]

"""Top as rows: what is used now, at most, and how that went."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted import GB, START, Estate, datacenter
from tui.collector.messages import Batch
from tui.rows import text
from tui.rows.column import Column, find, order
from tui.rows.spark import sparkline
from tui.rows.top import CELLS, CPU, NET, Span, host_columns, vm_columns
from tui.store import History, Metric, Store

EDGE = 1_790_000_100.0
"""A multiple of a cell of five minutes."""


@pytest.fixture
def estate() -> Estate:
    return datacenter(EDGE)


@pytest.fixture
def plain() -> Iterator[None]:
    text.use_ascii(True)
    yield
    text.use_ascii(False)


def vary(store: Store, estate: Estate, name: str, seconds: float = 2.0, **changes: object) -> None:
    """Time passes, and a machine uses something else."""
    estate.now += seconds
    store.apply(Batch((estate.vary(name, **changes),)), estate.now)


def row_of(store: Store, name: str) -> object:
    return next(row for row in store.vms.values() if row.name == name)


def said(columns: list[Column[object]], column: str, row: object) -> str:
    return find(columns, column).cell(row).text


# -- peaks ---------------------------------------------------------------------------------


def test_a_peak_stays_while_it_is_in_the_window_and_goes_with_it(
    store: Store, estate: Estate
) -> None:
    span = Span(store, 300.0)
    columns = vm_columns(span)
    sql = row_of(store, "sql01")
    vary(store, estate, "sql01", cpu=93)
    vary(store, estate, "sql01", cpu=12)
    span.renew()
    assert (said(columns, "cpu", sql), said(columns, "cpu_peak", sql)) == ("12%", "93%")
    vary(store, estate, "sql01", 270.0, cpu=12)
    span.renew()
    assert said(columns, "cpu_peak", sql) == "93%"
    vary(store, estate, "sql01", 60.0, cpu=12)
    span.renew()
    assert said(columns, "cpu_peak", sql) == "12%"


def test_network_is_in_and_out_of_the_same_moment(store: Store, estate: Estate) -> None:
    span = Span(store)
    vary(store, estate, "sql01", net_in=9e6, net_out=0.0)
    vary(store, estate, "sql01", net_in=0.0, net_out=8e6)
    span.renew()
    assert span.peak(row_of(store, "sql01"), NET) == pytest.approx(9e6, rel=1e-3), "not seventeen"


def test_one_counter_missing_leaves_the_other() -> None:
    history = History()
    for at, value in ((START, 5.0), (START + 2, 7.0)):
        history.record(at, (None, None, None, value, None, None))
    both = (Metric.NET_IN, Metric.NET_OUT)
    assert history.highest(both, START, START + 10) == 7.0
    assert history.highest((Metric.CPU,), START, START + 10) is None
    assert history.highest(both, START + 20, START + 30) is None


@given(
    st.lists(st.tuples(st.integers(1, 40), st.none() | st.integers(0, 100)), min_size=1),
    st.integers(1, 3600),
)
def test_the_highest_is_the_highest_of_all_readings_kept(
    readings: list[tuple[int, int | None]], window: int
) -> None:
    history, at, kept = History(), START, {}
    for step, value in readings:
        at += step
        history.record(at, (value, *[None] * 5))
        kept[int(at // 2)] = value  # one value to a slot of two seconds: the last
    fine = int(at // 2) - 299
    since = max(at - window, fine * 2.0)
    known = [v for slot, v in kept.items() if slot >= since // 2 and v is not None]
    assert history.highest((Metric.CPU,), since, at) == max(known, default=None)


def test_looking_often_finds_what_looking_once_finds(store: Store, estate: Estate) -> None:
    often, sql = Span(store), row_of(store, "sql01")
    for number in range(400):
        vary(store, estate, "sql01", cpu=number * 37 % 101)
        often.renew()
        fresh = Span(store)
        assert often.peak(sql, CPU) == fresh.peak(sql, CPU), number


# -- lines ---------------------------------------------------------------------------------


def test_a_line_ends_with_the_newest_and_is_scaled_by_what_it_may_be(
    store: Store, estate: Estate
) -> None:
    span = Span(store, 300.0)
    columns, sql = vm_columns(span), row_of(store, "sql01")
    for number in range(150):
        vary(store, estate, "sql01", cpu=100 if number >= 75 else 0)
    span.renew()
    assert said(columns, "cpu_line", sql) == "▁▁▁▁▇▇▇▇"


def test_what_is_over_stands_still_until_the_line_moves_by_a_cell(
    store: Store, estate: Estate
) -> None:
    span = Span(store, 300.0)
    columns, sql = vm_columns(span), row_of(store, "sql01")
    for number in range(200):
        before = said(columns, "cpu_line", sql)
        vary(store, estate, "sql01", cpu=number * 37 % 101)
        moved = span.renew()
        after = said(columns, "cpu_line", sql)
        if moved:
            assert after[:-2] == before[1:-1]
        else:
            assert after[:-1] == before[:-1]


def test_lines_in_ascii(store: Store, estate: Estate, plain: None) -> None:
    span = Span(store)
    line = said(vm_columns(span), "net_line", row_of(store, "sql01"))
    assert len(line) == CELLS
    assert line.isascii()
    assert sparkline([1, 4], 2, ascii=True, heights=7) == ".*"


def test_a_machine_that_is_off_has_no_line(store: Store) -> None:
    columns, row = vm_columns(Span(store)), row_of(store, "web02")
    assert [said(columns, name, row).strip() for name in ("cpu", "cpu_peak", "cpu_line")] == [
        "", "", "",
    ]  # fmt: skip


def test_a_hosts_memory_is_a_share_also_in_its_peak(store: Store, estate: Estate) -> None:
    columns, host = host_columns(Span(store)), store.host_rows["HV01"]
    assert host.host.memory == 256 * GB
    assert said(columns, "memory", host) == said(columns, "memory_peak", host) == "61%"


# -- order ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [vm_columns, host_columns])
def test_every_column_can_be_sorted_by(make: type, store: Store, estate: Estate) -> None:
    for _ in range(5):
        store.apply(estate.tick(), estate.now)
    rows = list((store.vms if make is vm_columns else store.host_rows).values())
    for column in make(Span(store)):
        ordered = order(column, reverse=True)(rows)
        values = [column.value(row) for row in ordered if column.value(row) not in (None, "")]
        keys = [v.casefold() if isinstance(v, str) else v for v in values]
        assert keys == sorted(keys, reverse=True)
        assert len(ordered) == len(rows)


def test_figures_alone(store: Store) -> None:
    ids = [column.id for column in vm_columns(Span(store), lines=False)]
    assert ids == ["name", "host", "state", "cpu", "cpu_peak", "memory", "demand", "memory_peak",
                   "net", "net_peak", "disk", "disk_peak"]  # fmt: skip

"""Who shares a volume, and with how much of it; measurements in words."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.meters_kit import DATA, disk, measured, meters, roomy, told
from tests.scripted import Estate, datacenter
from tui.collector.messages import Batch
from tui.hyperv.meters import Look, VolumeMeter
from tui.rows import text
from tui.rows.amounts import brief, often
from tui.rows.chain import host_columns, steps, verdict, volume_columns
from tui.rows.column import find
from tui.rows.filter import parse
from tui.rows.neighbours import REST, Chain, chain
from tui.rows.ranking import RANKINGS
from tui.rows.top import Span
from tui.store import Store

SHARED = "C:\\ClusterStorage\\Volume1"


@pytest.fixture
def estate() -> Estate:
    return roomy(datacenter())


def hot(estate: Estate, name: str = "sql01") -> str:
    return f"disk:{disk(estate.find(name)[1]).id}"


def asked(store: Store, key: str, *, processors: bool = False) -> Chain:
    found = chain(store, key, processors=processors)
    assert found is not None
    return found


def said(found: Chain) -> dict[str, str]:
    return {label: words for label, words, _ in steps(found)}


# -- volumes -------------------------------------------------------------------------------


def test_from_a_disk_to_everyone_on_its_volume(store: Store, estate: Estate) -> None:
    store.apply(measured(estate, sql01=900.0, web03=300.0), estate.now)
    found = asked(store, hot(estate))
    assert {one.name for one in found.neighbours} == {"sql01", "web03", "mail01", "erp-db", REST}
    assert found.culprit is not None
    assert found.culprit.name == "sql01"
    assert verdict(found) == "sql01 does 73% of the reads on this volume"
    words = said(found)
    assert words["Disk"].startswith("sql01.vhdx  2.0 ms  1,125 IOPS")
    assert words["VM"].startswith("sql01 on HV01  Running")
    assert "1,600 IOPS" in words["Volume"]
    assert "120 GB free of 1.0 TB" in words["Volume"]
    assert "Not known" not in words
    shown = find(volume_columns(Span(store)), "iops_share").cell(found.culprit)
    assert (shown.text, shown.tone) == ("70%", "warning")


def test_machine_and_volume_lead_to_the_same_neighbours(store: Store, estate: Estate) -> None:
    store.apply(measured(estate, sql01=900.0), estate.now)
    by_disk = {one.key for one in asked(store, hot(estate)).neighbours}
    machine = asked(store, estate.find("sql01")[1].id)
    assert {one.key for one in machine.neighbours} == by_disk
    assert [one.name for one in machine.neighbours if one.here] == ["sql01"]
    (volume,) = store.measured.rows_of(Look.VOLUMES, "HV01")
    assert {one.key for one in asked(store, volume.key).neighbours} == by_disk


def test_a_slow_volume_is_told_with_its_culprit(store: Store, estate: Estate) -> None:
    found = meters(estate, "HV01", sql01=900.0)
    slow = msgspec.structs.replace(found.volumes[0], latency=0.023)
    estate.now += 2
    batch = Batch((told(estate, msgspec.structs.replace(found, volumes=(slow,))),))
    store.apply(batch, estate.now)
    assert verdict(asked(store, hot(estate))).endswith("on this volume, which takes 23 ms")


def test_nobody_is_blamed_on_a_quiet_volume_or_among_equals(store: Store, estate: Estate) -> None:
    quiet = dict.fromkeys(("sql01", "web03", "mail01"), 0.1)
    store.apply(measured(estate, **quiet, **{"erp-db": 2.0}), estate.now)
    assert asked(store, hot(estate)).culprit is None, "nor is what no machine does held against one"
    store.apply(measured(estate), estate.now)
    assert verdict(asked(store, hot(estate))) == "Nobody stands out"


def test_a_shared_volume_is_shared_across_hosts(store: Store, estate: Estate) -> None:
    updates = []
    for host, reads in (("CL1-N1", 400.0), ("CL1-N2", 0.0)):
        some = meters(estate, host, dc02=reads)
        disks = tuple(msgspec.structs.replace(one, volume=SHARED) for one in some.disks)
        volume = VolumeMeter(f"{host}:{SHARED.lower()}", host, SHARED, True, reads=reads)
        if host == "CL1-N2":
            vm = estate.find("file01")[1]
            disks = (disk(vm, 600.0, volume=SHARED + "\\"),)
            volume = msgspec.structs.replace(volume, reads=600.0)
        updates.append(told(estate, msgspec.structs.replace(
            some, disks=disks, volumes=(volume,))))  # fmt: skip
    estate.now += 2
    store.apply(Batch(tuple(updates)), estate.now)
    found = asked(store, hot(estate, "dc02"))
    assert found.shared
    assert set(found.hosts) == {"CL1-N1", "CL1-N2"}
    assert found.culprit is not None
    assert found.culprit.name == "file01", "on the other node"
    assert "shared by the cluster" in said(found)["Volume"]


def test_what_has_left_its_host_has_no_share_any_more(store: Store, estate: Estate) -> None:
    store.apply(measured(estate, sql01=900.0), estate.now)
    some = meters(estate, "HV01", sql01=900.0)
    web = hot(estate, "web03")
    rest = tuple(one for one in some.disks if f"disk:{one.id}" != web)
    estate.now += 2
    batch = Batch((told(estate, msgspec.structs.replace(some, disks=rest)),))
    store.apply(batch, estate.now)
    assert web in store.measured.disks, "still in top, dimmed"
    names = {one.name for one in asked(store, hot(estate)).neighbours}
    assert names == {"sql01", "mail01", "erp-db", REST}


def test_what_is_not_read_is_said(store: Store, estate: Estate) -> None:
    key = estate.find("sql01")[1].id
    assert "not read yet" in said(asked(store, key))["Not known"]
    refusing = msgspec.structs.replace(
        meters(estate, "HV01", Look.DISKS),
        looks=(Look.DISKS, Look.VOLUMES), refused={Look.VOLUMES: "access denied"},
    )  # fmt: skip
    estate.now += 2
    store.apply(Batch((told(estate, refusing),)), estate.now)
    assert said(asked(store, key))["Not known"] == "volumes of HV01: access denied"
    assert verdict(asked(store, key)).endswith("as far as is known")
    homeless = msgspec.structs.replace(
        refusing, disks=tuple(msgspec.structs.replace(d, volume="") for d in refusing.disks)
    )
    estate.now += 2
    store.apply(Batch((told(estate, homeless),)), estate.now)
    assert said(asked(store, key))["Not known"] == "which volume its disk is on"
    assert chain(store, "disk:gone") is None


def test_nobody_else_is_said_only_of_hosts_that_were_read(store: Store, estate: Estate) -> None:
    alone = msgspec.structs.replace(meters(estate, "CL1-N1"), volumes=())
    dc02 = disk(estate.find("dc02")[1], 400.0, volume=SHARED)
    estate.now += 2
    store.apply(Batch((told(estate, msgspec.structs.replace(alone, disks=(dc02,))),)), estate.now)
    found = asked(store, hot(estate, "dc02"))
    assert "disks of CL1-N2: not read yet" in found.unread
    assert verdict(found) == "Nobody else works on this volume, as far as is known"


def test_rates_that_take_a_second_reading_are_not_told_as_nought(
    store: Store, estate: Estate
) -> None:
    first = meters(estate, "HV01")
    none = {"read": None, "write": None, "reads": None, "writes": None, "latency": None}
    disks = tuple(msgspec.structs.replace(one, **none) for one in first.disks)
    volumes = tuple(msgspec.structs.replace(one, **none) for one in first.volumes)
    estate.now += 2
    update = told(estate, msgspec.structs.replace(first, disks=disks, volumes=volumes))
    store.apply(Batch((update,)), estate.now)
    found = asked(store, hot(estate))
    assert "IOPS" not in said(found)["Volume"]
    assert "B/s" not in said(found)["Volume"]
    columns = volume_columns(Span(store))
    for one in found.neighbours:
        for id in ("iops", "rate", "iops_share"):
            assert find(columns, id).cell(one).text == ""


use = st.floats(0, 1e5, allow_subnormal=False)


@given(st.lists(st.tuples(use, use, use, use), min_size=1, max_size=4), use, use)
@settings(max_examples=30, deadline=None)
def test_shares_of_a_volume_add_up(
    uses: list[tuple[float, float, float, float]], reads: float, read: float
) -> None:
    estate = roomy(datacenter())
    store = Store()
    store.configure(estate.links)
    store.apply(estate.everything(), estate.now)
    names = ("sql01", "web03", "mail01", "erp-db")
    disks = tuple(
        disk(estate.find(name)[1], reads=one[0], writes=one[1], read=one[2], write=one[3])
        for name, one in zip(names, uses, strict=False)
    )
    volume = VolumeMeter("HV01:d:", "HV01", DATA, reads=reads, read=read, writes=0.0, write=None)
    found = msgspec.structs.replace(meters(estate, "HV01"), disks=disks, volumes=(volume,))
    estate.now += 2
    store.apply(Batch((told(estate, found),)), estate.now)
    neighbours = asked(store, hot(estate)).neighbours
    for share in ("iops_share", "rate_share"):
        parts = [getattr(one, share) for one in neighbours]
        if None not in parts:
            assert sum(parts) == pytest.approx(100.0)
        assert all(part is None or 0 <= part <= 100.0 + 1e-6 for part in parts)
    assert len({one.key for one in neighbours}) == len(neighbours)


# -- processors ----------------------------------------------------------------------------


def test_shares_of_a_host_add_up_and_the_busiest_is_named(store: Store, estate: Estate) -> None:
    vm = estate.find("sql01")[1]
    big = msgspec.structs.replace(vm, processors=32)
    estate.hosts["HV01"].vms[vm.id] = big
    busy = estate.vary("sql01", cpu=60)
    store.apply(Batch((msgspec.structs.replace(busy, vms=(big,)),)), estate.now)
    found = asked(store, "HV01")
    assert sum(one.cpu_share or 0 for one in found.neighbours) == pytest.approx(100.0)
    assert verdict(found).startswith("sql01 has ")
    assert verdict(found).endswith("% of what is used of the processors")
    same = asked(store, vm.id, processors=True)
    assert [one.name for one in same.neighbours if one.here] == ["sql01"]
    assert "CPU 60%" in said(same)["VM"]
    cells = [column.cell(found.neighbours[0]).text for column in host_columns(Span(store))]
    assert "32" in cells or "4" in cells


# -- top -----------------------------------------------------------------------------------


def test_every_ranking_draws_sorts_and_filters_its_rows(store: Store, estate: Estate) -> None:
    for _ in range(3):
        store.apply(measured(estate, sql01=900.0), estate.now)
    span = Span(store)
    for ranking in RANKINGS.values():
        columns = ranking.columns(span, True)
        ids = [column.id for column in columns]
        assert len(set(ids)) == len(ids), ranking.id
        rows = list(ranking.rows(store).values())
        assert rows, ranking.id
        for column in columns:
            values = [column.value(row) for row in rows]
            assert all(column.cell(row) is not None for row in rows)
            sorted(value for value in values if value is not None)
        assert len(parse(f"host:{rows[0].host.id}", ranking.kind).select(rows)) < len(rows)
        assert find(columns, ranking.sort).right
    disks = list(store.measured.disks.values())
    assert [r.name for r in parse("iops>1000", "disk").select(disks)] == ["sql01.vhdx"]
    assert [r.name for r in parse("vm:sql01 latency<5", "disk").select(disks)] == ["sql01.vhdx"]
    assert not parse("is:slow", "disk").select(disks)


def test_peak_and_line_of_a_disk(store: Store, estate: Estate) -> None:
    span = Span(store)
    columns = RANKINGS["disks"].columns(span, True)
    for reads in (2000.0, 80.0):
        store.apply(measured(estate, sql01=reads), estate.now)
        span.renew()
        row = store.measured.disks[hot(estate)]
        find(columns, "iops_peak").cell(row)
    assert find(columns, "iops").cell(row).text == "100"
    assert find(columns, "iops_peak").cell(row).text == "2,500"
    assert find(columns, "iops_line").cell(row).text.strip()


def test_a_refused_group_is_not_applicable_and_an_unread_one_unknown(
    store: Store, estate: Estate
) -> None:
    columns = RANKINGS["vms"].columns(Span(store), True)
    row = store.vms[estate.find("sql01")[1].id]
    assert find(columns, "wait").cell(row).text == text.unknown()
    refused = msgspec.structs.replace(
        meters(estate, "HV01", Look.DISKS),
        looks=(Look.PROCESSORS,), refused={Look.PROCESSORS: "no such class"},
    )  # fmt: skip
    estate.now += 2
    store.apply(Batch((told(estate, refused),)), estate.now)
    assert find(columns, "wait").cell(row).text == "n/a"
    store.apply(measured(estate), estate.now)
    assert find(columns, "wait").cell(row).text == "45 µs"
    pressed = find(columns, "pressure").cell
    assert (pressed(row).text, pressed(row).tone) == ("92%", ""), "as its buffer wants it"
    hosts = find(RANKINGS["hosts"].columns(Span(store), True), "pressure").cell
    assert hosts(store.host_rows["HV01"]).tone == "warning", "too much for all of a host"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.000045, "45 µs"), (0.0042, "4.2 ms"), (0.00999, "10 ms"), (0.018, "18 ms"),
     (0.9999, "1.0 s"), (1.24, "1.2 s")],
)  # fmt: skip
def test_short_times(seconds: float | None, words: str) -> None:
    assert brief(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(None, ""), (0.0, "0"), (0.01, "<0.1"), (0.4, "0.4"), (9.94, "9.9"), (9.96, "10"),
     (12400.0, "12,400")],
)  # fmt: skip
def test_how_often(count: float | None, words: str) -> None:
    assert often(count) == words

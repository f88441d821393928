"""Which graphs a thing has, and what they are drawn from."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.meters_kit import DATA, disk, measured, meters, roomy, told
from tests.scripted import GB, Estate, datacenter
from tui.collector.messages import Batch
from tui.hyperv.meters import Look, Meters
from tui.rows.neighbours import chain
from tui.store import (
    MICRO,
    AdapterMetric,
    DiskMetric,
    HostVolumeRow,
    MeterRow,
    Metric,
    Store,
)
from tui.ui.charts import CHARTS, NOT_TOLD, Chart, charts_of, name_of, plotted


@pytest.fixture
def estate() -> Estate:
    return roomy(datacenter())


def key_of(estate: Estate, name: str) -> str:
    return f"disk:{disk(estate.find(name)[1]).id}"


def only(store: Store, look: Look, host: str = "HV01") -> MeterRow[Any]:
    found: MeterRow[Any] = store.measured.rows_of(look, host)[0]
    return found


def chart(store: Store, key: str, title: str) -> Chart:
    row = plotted(store, key)
    assert row is not None
    return next(chart for chart in charts_of(store, row) if chart.title == title)


def newest(store: Store, estate: Estate, key: str) -> dict[str, list[float | None]]:
    """What every line of a thing ends with, by the title of its graph."""
    row = plotted(store, key)
    assert row is not None
    now = estate.now + 1
    return {
        chart.title: [line.view.points(now - 10, now, 5)[-1] for line in chart.series(store, row)]
        for chart in charts_of(store, row)
    }


def tell(store: Store, estate: Estate, found: Meters) -> None:
    estate.now += 2
    store.apply(Batch((told(estate, found),)), estate.now)


def test_all_that_is_kept_of_a_thing_is_drawn() -> None:
    kept = {"VmRow": Metric, "HostRow": Metric, "DiskRow": DiskMetric, "HostVolumeRow": DiskMetric,
            "AdapterRow": AdapterMetric, "UplinkRow": AdapterMetric}  # fmt: skip
    assert {kind.__name__ for kind in CHARTS} == kept.keys()
    for kind, charts in CHARTS.items():
        drawn = [metric for chart in charts if chart.title != "Used" for _, metric in chart.lines]
        assert sorted(drawn) == sorted(kept[kind.__name__]), kind


def test_the_graphs_of_an_image_end_with_what_its_host_tells(store: Store, estate: Estate) -> None:
    store.apply(measured(estate, sql01=900.0), estate.now)
    key = key_of(estate, "sql01")
    ends = newest(store, estate, key)
    assert list(ends) == ["IOPS", "Throughput", "Latency", "Queue"]
    assert ends["IOPS"] == [900, 225]
    assert ends["Throughput"] == pytest.approx([900 * 8192, 900 * 2048], rel=1e-3)
    assert ends["Latency"] == pytest.approx([0.002], rel=1e-3)
    assert ends["Queue"] == pytest.approx([0.1], rel=1e-3)
    row = plotted(store, key)
    assert row is not None
    assert name_of(row) == "sql01.vhdx of sql01"


def test_a_latency_of_a_fast_disk_is_not_nought(store: Store, estate: Estate) -> None:
    some = meters(estate, "HV01")
    fast = msgspec.structs.replace(some.disks[0], latency=0.00013)
    tell(store, estate, msgspec.structs.replace(some, disks=(fast,)))
    key = f"disk:{fast.id}"
    assert newest(store, estate, key)["Latency"] == pytest.approx([0.00013], rel=1e-3)
    [line] = chart(store, key, "Latency").series(store, plotted(store, key))
    assert line.peak is not None
    assert line.peak(estate.now - 9, estate.now) == pytest.approx(0.00013, rel=1e-3)
    assert store.history(key).latest(DiskMetric.LATENCY) == pytest.approx(0.00013 / MICRO, rel=1e-3)


def test_a_volume_is_drawn_with_what_is_used_where_that_is_known(
    store: Store, estate: Estate
) -> None:
    store.apply(measured(estate), estate.now)
    row = only(store, Look.VOLUMES)
    assert isinstance(row, HostVolumeRow)
    assert name_of(row) == f"{DATA} on HV01"
    used = charts_of(store, row)[-1]
    assert (used.title, used.top(row)) == ("Used", 1024 * GB)
    assert newest(store, estate, row.key)["Used"] == [904 * GB]
    [line] = used.series(store, row)
    assert line.peak is not None
    assert line.peak(estate.now - 60, estate.now) == 904 * GB
    bare = msgspec.structs.replace(row.meter, id="HV01:e:\\", name="E:\\")
    tell(store, estate, Meters("HV01", estate.now, (Look.VOLUMES,), volumes=(bare,)))
    other = store.measured.volumes["volume:HV01:e:\\"]
    assert [chart.title for chart in charts_of(store, other)][-1] == "Queue"


def test_adapters_are_drawn_both_ways(store: Store, estate: Estate) -> None:
    store.apply(measured(estate), estate.now)
    nic, uplink = only(store, Look.ADAPTERS), only(store, Look.UPLINKS)
    assert newest(store, estate, nic.key) == {
        "In": [pytest.approx(1e5, rel=1e-3)], "Out": [pytest.approx(5e4, rel=1e-3)],
        "Packets/s": [100, 50], "Drops/s": [0, 0],
    }  # fmt: skip
    assert newest(store, estate, uplink.key)["Packets/s"] == [2000, 1000]
    named = [name_of(row) for row in (plotted(store, nic.key), plotted(store, uplink.key)) if row]
    assert named == [f"Network Adapter of {nic.machine.name}" if nic.machine else "",
                     "Ethernet 1 on HV01"]  # fmt: skip


def test_what_is_not_told_is_missing_and_never_nought(store: Store, estate: Estate) -> None:
    some = meters(estate, "HV01")
    first = msgspec.structs.replace(
        some.disks[0], read=None, write=None, reads=None, writes=None, latency=None
    )
    tell(store, estate, msgspec.structs.replace(some, disks=(first,)))
    key = f"disk:{first.id}"
    row = plotted(store, key)
    assert chart(store, key, "IOPS").why_none(store, row) == "", "a rate needs two readings"
    lame = msgspec.structs.replace(some.disks[0], queue=None, latency=None)
    tell(store, estate, msgspec.structs.replace(some, disks=(lame,)))
    assert newest(store, estate, key)["Queue"] == [pytest.approx(0.1, rel=1e-3)], "as of before"
    assert chart(store, key, "Queue").why_none(store, row) == NOT_TOLD
    assert chart(store, key, "IOPS").why_none(store, row) == ""
    assert chart(store, key, "Latency").why_none(store, row) != NOT_TOLD, "perhaps nothing was done"
    assert newest(store, estate, key)["Latency"] == [None]
    tell(store, estate, Meters("HV01", estate.now, (Look.DISKS,), {Look.DISKS: "access denied"}))
    titles = ("IOPS", "Throughput", "Latency", "Queue")
    assert {chart(store, key, title).why_none(store, row) for title in titles} == {NOT_TOLD}


def test_groups_switches_and_what_is_gone_are_not_drawn(store: Store, estate: Estate) -> None:
    store.apply(measured(estate), estate.now)
    assert plotted(store, None) is None
    assert plotted(store, "disk:HV01:nowhere") is None
    assert plotted(store, next(iter(store.switches))) is None
    assert plotted(store, next(iter(store.groups.rows))) is None
    assert plotted(store, "HV01") is store.host_rows["HV01"]


def test_a_neighbour_is_drawn_by_its_only_image_there(store: Store, estate: Estate) -> None:
    store.apply(measured(estate), estate.now)
    found = chain(store, key_of(estate, "sql01"))
    assert found is not None
    drawn = {one.name: one.plotted for one in found.neighbours}
    assert drawn["sql01"] == key_of(estate, "sql01")
    assert drawn["everything else"] == "HV01"
    sql = next(one for one in found.neighbours if one.name == "sql01")
    sql.disks *= 2
    assert sql.machine is not None
    assert sql.plotted == sql.machine.key

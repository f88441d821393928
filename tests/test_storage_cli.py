"""``storage`` over sockets, and time to full against what the fabric does."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from msgspec import structs

from tests.hyperv_kit import HOST, Bench, bench
from tests.meters_kit import measured
from tests.scripted import datacenter
from tests.verb_story_kit import Served, Shell, serving_scene
from tui.cli import exits
from tui.cli.storage import _Reading
from tui.collector.messages import Batch, HostLink, Update
from tui.hyperv.meters import Look
from tui.rows.storage import file_lines, guest_lines, space_lines
from tui.sim.plan import VmPlan, VolumePlan
from tui.store import Store, Trend

BALANCER = "Win32_PerfRawData_BalancerStats_HyperVDynamicMemoryBalancer"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("homelab") as found:
        yield found


def test_every_file_as_large_as_its_host_says(served: Served, shell: Shell) -> None:
    ran = shell("NUC01", "storage", "files", "--columns", "+path", "-o", "json")
    assert ran.code == exits.DONE, ran.err
    told = {row["path"]: row["used"] for row in json.loads(ran.out)}
    rows = served.truth("NUC01")("SELECT Name, FileSize FROM CIM_DataFile")
    truth = {str(row["Name"]).casefold(): int(str(row["FileSize"])) for row in rows}
    assert len(told) > 5
    for path, used in told.items():
        assert used == truth[path.casefold()], path


def test_volumes_filtered_and_sorted(shell: Shell) -> None:
    ran = shell("NUC01", "storage", "--sort", "-size", "--filter", "size>1G", "-o", "csv")
    assert ran.code == exits.DONE, ran.err
    lines = list(csv.DictReader(io.StringIO(ran.out)))
    sizes = [float(line["size"]) for line in lines]
    assert sizes == sorted(sizes, reverse=True)
    assert all(line["full"] == "" for line in lines), "nothing is said of growth after one look"
    grown = next(line for line in lines if line["name"].startswith("D:"))
    assert float(grown["overcommit"]) > 0


def test_memory_needs_no_files(served: Served, shell: Shell) -> None:
    ran = shell("NUC01", "storage", "hosts", "-o", "json")
    (row,) = json.loads(ran.out)
    assert row["physical"] > row["available"] > 0
    assert row["assigned"] > 0
    (truth,) = served.truth("NUC01")(f"SELECT AveragePressure FROM {BALANCER}")
    assert row["pressure"] == pytest.approx(int(str(truth["AveragePressure"])), abs=15)
    assert row["pressure"] == int(row["pressure"]), "that of the counter, which is whole"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("storage", "--for", "-1"), "--for"),
        (("storage", "--for", "8d"), "a week at most"),
        (("storage", "--filter", "colour:red"), "colour"),
        (("storage", "files", "--sort", "weight"), "weight"),
    ],
)
def test_what_cannot_be_asked_is_named(shell: Shell, words: tuple[str, ...], named: str) -> None:
    ran = shell("NUC01", *words)
    assert ran.code == exits.USAGE
    assert named in ran.err


def test_memory_is_told_when_whoever_answers_has_told_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = datacenter()
    monkeypatch.setattr("tui.cli.storage.time.time", lambda: estate.now)
    store = Store()
    store.configure(estate.links)
    reading = _Reading(store, set(estate.hosts), (Look.MEMORY,), 0.0)
    assert not reading.hear(estate.everything())
    updates = measured(estate, Look.MEMORY).updates
    assert not reading.hear(Batch(tuple(one for one in updates if one.host != "HV02")))
    assert reading.hear(Batch((estate.lose("HV02"),)))


# -- truth ---------------------------------------------------------------------------------


class Watched:
    """A host of the fabric as a store sees it, while hours pass."""

    def __init__(self, growth: float) -> None:
        plan = replace(
            HOST,
            vms=(VmPlan("busy", "ws2022", "db", disks=(60, 1500), grows=growth),),
            volumes=(
                VolumePlan("C:\\", "System", 200, 80, 0),
                VolumePlan("D:\\", "VMs", 2000, 1500, 0),
            ),
        )
        self.at: Bench = bench(plan)
        self.store = Store()
        self.store.configure((HostLink("hv01", "http://hv01:5985/wsman"),))
        self.seq = 0
        self.at.reader.attend((Look.IMAGES,))

    def look(self) -> None:
        reader = self.at.reader
        reader.fast()
        reader.slow()
        found = reader.survey()
        self.seq += 1
        now = self.at.clock.now()
        vitals = structs.replace(found.vitals, read_at=now)
        update = Update(
            "hv01", self.seq, now, full=True, info=found.host, vitals=vitals,
            vms=tuple(found.vms.values()), vm_vitals=tuple(found.vm_vitals.values()),
            meters=found.meters,
        )  # fmt: skip
        self.store.apply(Batch((update,)), now)

    def pass_hours(self, hours: float) -> None:
        for _ in range(int(hours * 12)):
            self.at.pass_time(300.0)
            self.look()


def test_time_to_full_is_what_the_fabric_will_do() -> None:
    watched = Watched(growth=240.0)
    watched.look()
    line = next(line for line in space_lines(watched.store) if line.name == "D:\\")
    assert line.full_in is None
    watched.pass_hours(2)
    line = next(line for line in space_lines(watched.store) if line.name == "D:\\")
    assert line.full_in is not None
    truth = line.free / (240.0 * 2**30 / 86_400.0)
    assert line.full_in == pytest.approx(truth, rel=0.05)
    grower = max(file_lines(watched.store), key=lambda file: _rate(file.growth.trend))
    assert grower.vms == ("busy",)
    assert _rate(grower.growth.trend) * 3600 == pytest.approx(10 * 2**30, rel=0.05)
    (guest,) = guest_lines(watched.store)
    assert (guest.rate or 0.0) * 3600 == pytest.approx(10 * 2**30, rel=0.05)


def _rate(trend: Trend | None) -> float:
    return trend.rate if trend is not None else 0.0


def test_a_quiet_volume_is_not_growing() -> None:
    watched = Watched(growth=0.0)
    watched.pass_hours(1)
    for line in space_lines(watched.store):
        trend = line.growth.trend
        assert trend is not None
        assert trend.rate == pytest.approx(0.0, abs=1.0)
        assert line.full_in is None

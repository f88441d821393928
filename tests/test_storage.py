"""Storage and memory on their page: what is told of volumes, files, hosts and machines."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.deck_kit import Deck, deck, story
from tests.scripted import GB, Estate
from tui.collector.messages import Batch, Update
from tui.hyperv.meters import ImageFile, Look, MachineMeter, Meters
from tui.hyperv.model import Disk, Volume
from tui.rows import text
from tui.rows.amounts import at_least
from tui.rows.column import Cell, find
from tui.rows.filter import parse
from tui.rows.ranking import RANKINGS
from tui.rows.storage import SpaceLine, file_lines, guest_lines, memory_lines, space_lines
from tui.rows.storage_columns import FILE_COLUMNS, SPACE_COLUMNS, TABLES, full_words, per_hour
from tui.rows.top import Span
from tui.store import Growth, Stale, Store

CSV = "C:\\ClusterStorage\\Volume1\\"
MINUTE = 60.0


def change(estate: Estate, host: str, **parts: Any) -> Update:
    """The host itself is otherwise from now on."""
    place = estate.hosts[host]
    place.info = msgspec.structs.replace(place.info, **parts)
    return estate.update(host, info=place.info)


def put(estate: Estate, name: str, path: str, **parts: Any) -> None:
    """A machine's disk and home are in a folder."""
    host, vm = estate.find(name)
    disk = Disk(f"{name}-disk", f"{path}{name}.vhdx", "SCSI", 0, 0)
    host.vms[vm.id] = msgspec.structs.replace(vm, disks=(disk,), folder=path, **parts)


def image(estate: Estate, name: str, used: float, size: float, **parts: Any) -> ImageFile:
    """The file of a machine's disk; sizes in gigabytes."""
    host, vm = estate.find(name)
    fields = {
        "path": vm.disks[0].path, "vm": vm.id, "kind": 3, "size": int(size * GB),
        "used": int(used * GB), "written": True, "read_at": estate.now, **parts,
    }  # fmt: skip
    made = ImageFile(f"{host.info.id}:{fields['path']}", host.info.id, **fields)
    return msgspec.structs.replace(made, id=f"{host.info.id}:{made.path.casefold()}")


def told(estate: Estate, host: str, *images: ImageFile) -> Update:
    meters = Meters(host, estate.now, (Look.IMAGES,), images=images)
    return estate.update(host, meters=meters)


def fleet() -> Estate:
    """A host with a drive of its own, and two nodes that share a volume."""
    estate = Estate()
    estate.add_host("HV01")
    for node in ("N1", "N2"):
        estate.add_host(node, "CL1")
        change(estate, node, volumes=(Volume(CSV, "Volume1", 1000 * GB, 400 * GB),))
    drives = (Volume("C:\\", "OS", 100 * GB, 60 * GB), Volume("D:\\", "VMs", 500 * GB, 30 * GB))
    change(estate, "HV01", volumes=drives)
    for host, name, path in (("HV01", "sql", "D:\\vm\\"), ("N1", "web", CSV), ("N2", "app", CSV)):
        estate.add_vm(host, name)
        put(estate, name, path)
    return estate


@pytest.fixture
def estate() -> Estate:
    return fleet()


def hear(store: Store, estate: Estate, *updates: Update) -> None:
    store.apply(Batch(updates), estate.now)


def volume(store: Store, name: str) -> SpaceLine:
    return next(line for line in space_lines(store) if line.name == name)


# -- volumes -------------------------------------------------------------------------------


def test_a_shared_volume_is_one_whoever_tells_of_it(store: Store, estate: Estate) -> None:
    names = [line.name for line in space_lines(store)]
    assert sorted(names) == sorted([CSV, "C:\\", "D:\\"])
    hear(
        store,
        estate,
        told(estate, "N1", image(estate, "web", 100, 400)),
        told(estate, "N2", image(estate, "app", 50, 600)),
    )
    shared = volume(store, CSV)
    assert (shared.place, shared.hosts) == ("CL1", ("N1", "N2"))
    assert (shared.known, shared.wanted) == (2, 2)
    assert shared.possible == (600 + 300 + 550) * GB
    assert shared.overcommit == pytest.approx(145.0)
    assert shared.tone == "warning", "it cannot hold what is promised"


def test_only_what_is_written_to_may_grow(store: Store, estate: Estate) -> None:
    _, vm = estate.find("sql")
    base = vm.disks[0].path
    child = base.replace(".vhdx", "_1.avhdx")
    hear(
        store,
        estate,
        told(
            estate,
            "HV01",
            image(estate, "sql", 80, 200, written=False),
            image(estate, "sql", 5, 200, path=child, kind=4, parent=base),
            image(estate, "sql", 300, 300, path="D:\\vm\\data.vhdx", kind=2),
        ),
    )
    line = volume(store, "D:\\")
    assert line.rest == 195 * GB, "the parent is frozen, a fixed disk has all it may have"
    assert line.deltas == 5 * GB
    guest = next(line for line in guest_lines(store) if line.row.name == "sql")
    assert (guest.used, guest.limit, guest.deltas) == (385 * GB, 580 * GB, 5 * GB)


def test_what_was_not_read_is_not_known(store: Store, estate: Estate) -> None:
    assert volume(store, "D:\\").overcommit is None
    waiting = image(estate, "sql", 0, 0, read_at=0.0, kind=0)
    locked = image(estate, "sql", 0, 0, path="D:\\vm\\b.vhdx", trouble="in use")
    hear(store, estate, told(estate, "HV01", waiting, locked))
    line = volume(store, "D:\\")
    assert (line.known, line.wanted, line.overcommit) == (0, 2, None)
    tones = {row.file.trouble: row.tone for row in file_lines(store)}
    assert tones == {"": "", "in use": "error"}
    used = next(column for column in FILE_COLUMNS if column.id == "used")
    assert [used.value(row) for row in file_lines(store)] == [None, None], "nor is it nought"


def test_a_file_that_cannot_be_read_any_more_is_not_told_as_standing_still(
    store: Store, estate: Estate
) -> None:
    key = "HV01/d:\\vm\\sql.vhdx"
    for trouble in ("", "in use"):
        estate.now += MINUTE
        hear(store, estate, told(estate, "HV01", image(estate, "sql", 80, 200, trouble=trouble)))
        assert len(store.space.growth(key)) == 1


def test_a_sum_of_which_only_a_part_was_read_says_so(store: Store, estate: Estate) -> None:
    cells = {column.id: column.cell for column in SPACE_COLUMNS}

    def words() -> list[str]:
        line = volume(store, "D:\\")
        return [cells[id](line).text for id in ("overcommit", "possible", "deltas")]

    read = image(estate, "sql", 80, 200)
    other = image(estate, "sql", 0, 0, path="D:\\vm\\b.vhdx", read_at=0.0, kind=0)
    hear(store, estate, told(estate, "HV01", other))
    assert at_least("") in ("≥", ">=")
    assert words() == [text.unknown()] * 3
    hear(store, estate, told(estate, "HV01", read, other))
    assert words() == [at_least("118%"), at_least("590 GB"), ""]
    hear(store, estate, told(estate, "HV01", read))
    assert words() == ["118%", "590 GB", ""]


def test_lines_are_as_old_as_the_host_that_told_of_them(store: Store, estate: Estate) -> None:
    hear(store, estate, told(estate, "HV01", image(estate, "sql", 80, 200)))
    hear(store, estate, estate.lose("HV01"), estate.lose("N1"))
    ages = {line.name: line.stale for line in space_lines(store)}
    assert ages == {"C:\\": Stale.LOST, "D:\\": Stale.LOST, CSV: Stale.FRESH}
    lines = [*memory_lines(store), *guest_lines(store), *file_lines(store)]
    assert {line.stale for line in lines if "HV01" in line.hosts} == {Stale.LOST}
    assert {line.stale for line in lines if "N2" in line.hosts} == {Stale.FRESH}


def test_memory_of_machines_that_will_be_saved_is_reserved(store: Store, estate: Estate) -> None:
    assert volume(store, "D:\\").reserve == 4 * GB
    put(estate, "sql", "D:\\vm\\", automatic_stop=2)
    hear(store, estate, estate.full("HV01"))
    assert volume(store, "D:\\").reserve == 0


def test_machines_paused_for_want_of_storage_are_counted(store: Store, estate: Estate) -> None:
    hear(store, estate, estate.vary("web", state=32791), estate.vary("app", state=32791))
    line = volume(store, CSV)
    assert (line.critical, line.tone) == (("app", "web"), "error")
    cell = next(column for column in SPACE_COLUMNS if column.id == "critical").cell(line)
    assert cell.text == "2 paused-critical"


# -- growth --------------------------------------------------------------------------------


def fill(store: Store, estate: Estate, per_minute: float, minutes: int) -> None:
    """The drive of HV01 fills, told every minute."""
    place = estate.hosts["HV01"]
    for _ in range(minutes):
        estate.now += MINUTE
        system, drive = place.info.volumes
        less = msgspec.structs.replace(drive, free=int(drive.free - per_minute * GB))
        hear(store, estate, change(estate, "HV01", volumes=(system, less)))


def test_time_to_full_is_said_when_it_is_known(store: Store, estate: Estate) -> None:
    line = volume(store, "D:\\")
    assert full_words(line.growth, line.free) == "not enough data"
    fill(store, estate, 0.05, 5)
    assert volume(store, "D:\\").full_in is None
    fill(store, estate, 0.05, 20)
    line = volume(store, "D:\\")
    assert line.full_in == pytest.approx(line.free / GB / 0.05 * MINUTE, rel=0.01)
    assert full_words(line.growth, line.free) == "9h"
    assert line.tone == "error"
    assert parse("full<12h", "space").matches(line)
    assert space_lines(store)[0].name == "D:\\", "what fills up first is first"


def test_a_volume_that_nobody_tells_of_anew_holds_what_it_held(
    store: Store, estate: Estate
) -> None:
    for _ in range(20):
        estate.now += MINUTE
        hear(store, estate, estate.update("HV01"))
    line = volume(store, "C:\\")
    assert full_words(line.growth, line.free) == "not growing"


def test_words_for_a_rate_and_for_what_is_unsure() -> None:
    assert per_hour(2 * GB / 3600) == "+2.0 GB/h"
    assert per_hour(-GB / 3600) == "-1.0 GB/h"
    assert per_hour(0.0) == "0"
    growth = Growth()
    steps = [0.0, 3.0, 3.5, 7.0, 7.2, 11.0, 11.5, 15.0, 15.3, 19.0]
    for minute, step in enumerate(steps):
        growth.record(1000.0 + 90 * minute, step * GB)
    words = full_words(growth, 1000 * GB)
    assert " to " in words, words


def test_growth_of_files_that_are_gone_is_forgotten(store: Store, estate: Estate) -> None:
    """A checkpoint a night on every machine must not fill the memory."""
    for night in range(4):
        file = image(estate, "sql", 1, 200, path=f"D:\\vm\\{night}.avhdx")
        hear(store, estate, told(estate, "HV01", file))
        assert len(store.space.growth(f"HV01/d:\\vm\\{night}.avhdx")) == 1
        estate.now += 86_400.0
        hear(store, estate, estate.update("HV01"))
    kept = [len(store.space.growth(f"HV01/d:\\vm\\{night}.avhdx")) for night in range(4)]
    assert kept == [0, 0, 0, 1]
    assert len(store.space.growth("HV01/d:")) > 1, "volumes are told of all the time"


# -- memory --------------------------------------------------------------------------------


def test_memory_of_a_host_adds_up(store: Store, estate: Estate) -> None:
    estate.add_vm("HV01", "fixed", memory=2 * GB, memory_available=None)
    host, vm = estate.find("fixed")
    host.vms[vm.id] = msgspec.structs.replace(vm, dynamic_memory=False)
    hear(store, estate, estate.full("HV01"))
    line = next(line for line in memory_lines(store) if line.key == "HV01")
    assert line.memory.assigned == 6 * GB
    assert line.memory.most == (8 + 2) * GB
    assert line.pressure == pytest.approx(65.0, abs=0.1), "of those that tell"
    assert line.system == 150 * GB
    assert line.overcommit == pytest.approx(100 * 10 / 256)


def test_pressure_is_one_thing_on_both_pages(store: Store, estate: Estate) -> None:
    vm = next(iter(estate.hosts["HV01"].vms))
    span = Span(store)

    def shown(key: str, stored: str, ranked: str) -> set[tuple[object, Cell]]:
        line = next(line for line in TABLES[stored].lines(store) if line.key == key)
        row = RANKINGS[ranked].rows(store)[key]
        above = find(TABLES[stored].columns, "pressure")
        below = find(RANKINGS[ranked].columns(span, False), "pressure")
        return {(above.value(line), above.cell(line)), (below.value(row), below.cell(row))}

    assert shown(vm, "machines", "vms") == {(65.0, Cell("65%"))}, "the ratio, when nobody measures"
    ((ratio, _),) = shown("HV01", "hosts", "hosts")
    assert ratio == pytest.approx(65.0, abs=0.1)
    assert [row.key for row in parse("pressure<66", "vm").select([store.vms[vm]])] == [vm]
    meter = MachineMeter(vm, "HV01", pressure=112)
    said = Meters("HV01", estate.now, (Look.MEMORY,), machines=(meter,), pressure=104)
    hear(store, estate, estate.update("HV01", meters=said))
    assert shown(vm, "machines", "vms") == {(112, Cell("112%", "error"))}, "what no ratio tells"
    assert shown("HV01", "hosts", "hosts") == {(104, Cell("104%", "error"))}
    assert not parse("pressure<66", "vm").select([store.vms[vm]])
    said = Meters("HV01", estate.now, (Look.MEMORY,), refused={Look.MEMORY: "no such class"})
    hear(store, estate, estate.update("HV01", meters=said))
    assert shown(vm, "machines", "vms") == {(65.0, Cell("65%"))}, "nor is it n/a"


def test_a_machine_without_a_bound_counts_as_it_is(store: Store, estate: Estate) -> None:
    host, vm = estate.find("sql")
    host.vms[vm.id] = msgspec.structs.replace(vm, memory_maximum=1 << 40)
    hear(store, estate, estate.full("HV01"))
    line = next(line for line in memory_lines(store) if line.key == "HV01")
    assert line.memory.most == 4 * GB, "what Hyper-V proposes is no promise, as capacity has it"


# -- the page ------------------------------------------------------------------------------


async def surveyed(d: Deck) -> None:
    d.collector.play(Batch((told(d.estate, "N1", image(d.estate, "web", 100, 400)),), idle=True))
    await d.settle()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_from_a_volume_to_its_files_to_the_machine(size: tuple[int, int]) -> None:
    @story
    async def told_at() -> None:
        async with deck(fleet(), size=size) as d:
            await surveyed(d)
            await d.press("V")
            screen = d.text()
            assert "Volume1" in screen
            assert "not enough data" in screen
            pane = d.app.panes.storage
            assert pane.grid.move_to("cluster:CL1/c:\\clusterstorage\\volume1")
            await d.press("enter")
            assert pane.view == "files"
            assert [pane.rows[key].file.path for key in pane.grid.keys] == [f"{CSV}web.vhdx"]
            assert pane.filter.text == f'"{CSV}" cluster:"CL1"'
            assert "400 GB" in d.text()
            await d.press("enter")
            assert d.app.panes.vms.cursor == d.key("web")

    told_at()


@story
async def test_every_table_is_shown_and_problems_are_found() -> None:
    async with deck(fleet()) as d:
        await surveyed(d)
        d.collector.play(Batch((d.estate.lose("HV01"),), idle=True))
        await d.settle()
        await d.press("V")
        lost = [line.strip() for line in d.text().splitlines() if "HV01" in line]
        assert len(lost) == 2
        assert all(line.startswith("?") for line in lost), "what it held when it was last heard"
        for title in ("Volumes", "Files of disks", "Memory of hosts", "Memory and disks"):
            assert title in d.text()
            await d.press("right")
        await d.press("exclamation_mark")
        rows = d.app.panes.storage
        assert [rows.rows[key].name for key in rows.grid.keys] == ["D:\\"]

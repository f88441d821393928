"""What is measured besides, as rows: they come with somebody's look and go after it."""

from __future__ import annotations

import msgspec
import pytest

from tests.meters_kit import EVERY, disk, measured, meters, roomy, told
from tests.scripted import Estate, datacenter
from tui.collector.messages import Batch
from tui.hyperv.meters import Look, MachineMeter, Meters
from tui.store import DiskMetric, MachineMetric, Stale, Store
from tui.store.measured import KEEP, MISSING, machine_history


@pytest.fixture
def estate() -> Estate:
    return roomy(datacenter())


def later(store: Store, estate: Estate, found: Meters | None, seconds: float = 2.0) -> None:
    """Time passes for HV01, with these measurements or without news of them."""
    estate.now += seconds
    store.apply(Batch((estate.update("HV01", meters=found),)), estate.now)


def key_of(estate: Estate, name: str) -> str:
    return f"disk:{disk(estate.find(name)[1]).id}"


def test_rows_come_with_their_machine_host_and_history(store: Store, estate: Estate) -> None:
    changes = store.apply(measured(estate, sql01=500.0), estate.now)
    key = key_of(estate, "sql01")
    row = store.measured.disks[key]
    assert key in changes.disks.added
    assert (row.name, row.host.id) == ("sql01.vhdx", "HV01")
    assert row.machine is store.vms[estate.find("sql01")[1].id]
    assert row.goes == row.machine.key
    assert store.history(key).latest(DiskMetric.READS) == 500.0
    assert {row.name for row in store.measured.rows_of(Look.VOLUMES, "HV01")} == {"D:\\"}
    volume = store.measured.rows_of(Look.VOLUMES, "HV01")[0]
    assert volume.volume.free > 0


def test_what_stands_still_goes_on_in_history_and_is_not_drawn_again(
    store: Store, estate: Estate
) -> None:
    store.apply(measured(estate), estate.now)
    key = key_of(estate, "sql01")
    since = estate.now
    for _ in range(5):
        later(store, estate, None)
    assert store.history(key).newest > since
    estate.now += 2
    changes = store.apply(Batch((told(estate, meters(estate, "HV01")),)), estate.now)
    assert not changes.disks


def test_a_thing_its_host_no_longer_tells_of_dims_and_goes(store: Store, estate: Estate) -> None:
    store.apply(measured(estate), estate.now)
    key = key_of(estate, "sql01")
    some = meters(estate, "HV01")
    rest = msgspec.structs.replace(some, disks=some.disks[1:])
    later(store, estate, rest)
    assert store.measured.disks[key].stale is Stale.DIM
    changes = store.tick(estate.now + MISSING + 1)
    assert key in changes.disks.removed
    assert key not in store.measured.disks
    assert key not in store.histories
    later(store, estate, meters(estate, "HV01"))
    assert store.measured.disks[key].stale is Stale.FRESH


def test_when_nobody_looks_the_last_values_stay_stale_and_go(store: Store, estate: Estate) -> None:
    store.apply(measured(estate), estate.now)
    key = key_of(estate, "sql01")
    later(store, estate, Meters("HV01"))
    row = store.measured.disks[key]
    assert store.measured.disks[key].stale is Stale.DIM
    assert row.meter.reads
    store.tick(estate.now + MISSING + 1)
    assert store.measured.disks[key].stale is Stale.OLD
    store.tick(estate.now + KEEP + 1)
    assert not store.measured.rows_of(Look.DISKS, "HV01")
    assert store.measured.rows_of(Look.DISKS, "HV02"), "somebody still looks at the others"
    assert not any(key.startswith("disk:HV01") for key in store.histories)


def test_one_group_ends_while_another_goes_on(store: Store, estate: Estate) -> None:
    store.apply(measured(estate), estate.now)
    later(store, estate, meters(estate, "HV01", Look.VOLUMES))
    assert store.measured.disks[key_of(estate, "sql01")].stale is Stale.DIM
    assert store.measured.rows_of(Look.VOLUMES, "HV01")[0].stale is Stale.FRESH
    assert not store.measured.looked_at("HV01", Look.DISKS)
    assert store.measured.looked_at("HV01", Look.VOLUMES)


def test_rows_of_a_lost_host_are_lost_with_it(store: Store, estate: Estate) -> None:
    store.apply(measured(estate), estate.now)
    key = key_of(estate, "sql01")
    changes = store.apply(Batch((estate.lose("HV01"),)), estate.now)
    assert store.measured.disks[key].stale is Stale.LOST
    assert key in changes.disks.changed


def test_a_host_taken_out_of_the_configuration_takes_its_rows_along(
    store: Store, estate: Estate
) -> None:
    store.apply(measured(estate), estate.now)
    store.configure(link for link in estate.links if link.id != "HV01")
    assert not any(row.host.id == "HV01" for row in store.measured.disks.values())
    assert "HV01" not in store.measured.told
    store.tick(estate.now + 1)


def test_machines_and_hosts_carry_what_is_measured_of_them(store: Store, estate: Estate) -> None:
    store.apply(measured(estate), estate.now)
    guid = estate.find("sql01")[1].id
    meter = store.vms[guid].meter
    assert meter is not None
    assert (meter.pressure, store.host_rows["HV01"].pressure) == (92, 88)
    assert store.history(machine_history(guid)).latest(MachineMetric.PRESSURE) == 92
    later(store, estate, Meters("HV01"))
    assert store.vms[guid].meter is None
    assert store.host_rows["HV01"].pressure is None


def test_a_machine_that_is_told_of_later_has_its_measurements(estate: Estate) -> None:
    store = Store()
    guid = estate.find("sql01")[1].id
    estate.hosts["HV01"].seq = 0
    early = Meters("HV01", estate.now, EVERY, machines=(MachineMeter(guid, "HV01", wait=0.002),))
    store.apply(Batch((estate.update("HV01", meters=early),)), estate.now)
    store.apply(Batch((estate.update("HV01", vms=(estate.find("sql01")[1],)),)), estate.now)
    assert store.vms[guid].meter == early.machines[0]


def test_refusals_are_known_by_host(store: Store, estate: Estate) -> None:
    found = Meters("HV01", estate.now, (Look.DISKS,), {Look.DISKS: "access denied"})
    later(store, estate, found)
    assert store.measured.refused(Look.DISKS) == {"HV01": "access denied"}
    assert not store.measured.looked_at("HV01", Look.DISKS)

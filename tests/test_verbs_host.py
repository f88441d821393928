"""Settings of a host: only what differs is sent, and WQL shows it afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.verb_kit import Verbs, verbs
from tui.wsman.cim import CimInstance

MANAGEMENT = "Msvm_VirtualSystemManagementServiceSettingData"
MIGRATION = "Msvm_VirtualSystemMigrationServiceSettingData"


@pytest.fixture
def at() -> Iterator[Verbs]:
    with verbs() as made:
        made.host.ensure()
        made.host.files.make_folder("D:\\Other & more")
        yield made


def row(at: Verbs, class_name: str) -> CimInstance:
    (found,) = at.wql(f"SELECT * FROM {class_name}")
    return found


def test_folders_and_switches(at: Verbs) -> None:
    before = row(at, MANAGEMENT).values
    spanning = not before["NumaSpanningEnabled"]
    at.run("host.set", "hv01", vhd_path="D:\\Other & more", numa_spanning=spanning)
    after = row(at, MANAGEMENT).values
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"DefaultVirtualHardDiskPath", "NumaSpanningEnabled"}
    assert after["DefaultVirtualHardDiskPath"] == "D:\\Other & more"
    assert len(at.changes) == 1, "the other service is left alone"
    (asked,) = (one for one in at.invoked if one.method == "ModifyServiceSettings")
    sent = str(asked.parameters["SettingData"])
    assert "EnhancedSession" not in sent


def test_limits_of_live_migration(at: Verbs) -> None:
    at.run("host.set", "hv01", max_migrations=7, max_storage_migrations=3)
    after = row(at, MIGRATION)
    assert after["MaximumActiveVirtualSystemMigration"] == 7
    assert after["MaximumActiveStorageMigration"] == 3
    assert at.inventory().host.max_storage_migrations == 3


def test_live_migration_on_and_off(at: Verbs) -> None:
    now = row(at, MIGRATION)["EnableVirtualSystemMigration"]
    at.run("host.set", "hv01", migration_enabled=not now)
    assert row(at, MIGRATION)["EnableVirtualSystemMigration"] is not now


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "so already"),
        ({"vhd_path": "relative"}, "full path"),
        ({"vm_path": "D:\\nowhere"}, "folder"),
        ({"max_migrations": -1}, "between 0 and 1024"),
    ],
)
def test_what_no_host_can_be(at: Verbs, arguments: dict[str, object], reason: str) -> None:
    assert reason in at.refused("host.set", "hv01", **arguments)


def test_half_of_a_change_is_named(at: Verbs) -> None:
    at.sabotage = lambda asked: asked.ref.class_name == "Msvm_VirtualSystemMigrationService"
    spanning = not row(at, MANAGEMENT)["NumaSpanningEnabled"]
    update = at.failed("host.set", "hv01", numa_spanning=spanning, max_migrations=9)
    assert update.made == ("NumaSpanningEnabled",)

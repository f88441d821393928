"""Why machines of simulated hosts cannot move, each cause by its machine, and what helps."""

from __future__ import annotations

import pytest

from tests.move_kit import (
    LIVE,
    PORT,
    SERVICE,
    STORAGE,
    WHOLE,
    Wishes,
    check_job,
    checked,
    errors,
    first,
    images,
    machines,
    move,
    parameters,
    port,
    set_service,
    switch_path,
    world,
)
from tests.sim_kit import VSMS, Bench, bench, embedded, word
from tests.storage_kit import DISK, end, ended, failed, paths
from tui.sim import counters
from tui.wsman.cim import CimValue
from tui.wsman.embedded import from_text


@pytest.fixture
def here() -> Bench:
    return world()


CAUSES = [
    ("MIG01", "live01", "MIG03", WHOLE, "21502", "AuthenticAMD"),
    ("MIG01", "saved01", "MIG03", WHOLE, "21502", "0x80048054"),
    ("MIG03", "amd01", "MIG01", WHOLE, "21502", "GenuineIntel"),
    ("MIG01", "cpu01", "MIG04", WHOLE, "21502", "processor-specific features"),
    ("MIG01", "off01", "MIG04", WHOLE, "24004", "version 10.0"),
    ("MIG01", "lab01", "MIG02", WHOLE, "33012", "'Lab'"),
    ("MIG01", "compat01", "MIG04", WHOLE, "33012", "'Production'"),
    ("MIG01", "huge01", "MIG02", WHOLE, "21026", "0x80070070"),
    ("MIG01", "twin01", "MIG02", WHOLE, "21026", "0x80070050"),
    ("MIG01", "iso01", "MIG02", WHOLE, "21026", "ubuntu-24.04-server.iso"),
    ("MIG01", "raw01", "MIG02", WHOLE, "21026", "physical disk"),
    ("MIG01", "live01", "MIG02", LIVE, "21026", "0x80070003"),
    ("MIG01", "tpm01", "MIG02", WHOLE, "12510", "key protector"),
    ("MIG04", "old01", "MIG01", WHOLE, "20308", "0x8009030E"),
    ("MIG05", "cred01", "MIG01", WHOLE, "20308", "0x80090302"),
    ("MIG01", "live01", "MIG05", WHOLE, "20308", "CredSSP"),
    ("MIG01", "live01", "MIG06", WHOLE, "20413", "incoming"),
    ("MIG06", "closed01", "MIG01", WHOLE, "20413", "outgoing"),
    ("MIG01", "live01", "nowhere", WHOLE, "20306", "0x80072AF9"),
    ("MIG01", "live01", "10.20.90.99", WHOLE, "20306", "0x80072AF9"),
]


@pytest.mark.parametrize(("host", "name", "target", "kind", "message", "words"), CAUSES)
def test_a_move_that_cannot_be_fails_and_says_why(
    here: Bench, host: str, name: str, target: str, kind: int, message: str, words: str
) -> None:
    at = here.at(host)
    before = at.state(name)
    answer = checked(at, name, target, kind)
    assert (answer.return_value, answer.values["IsMigratable"]) == (0, False)
    assert words in failed(at, check_job(at, name, target, kind))
    output = move(at, name, target, kind)
    text = failed(at, output, number="(21024)")
    assert words in text
    assert name in text
    told = errors(at, output)
    assert words in told[message]
    assert at.state(name) == before
    assert at.vm(name)["OperationalStatus"] == (2,)
    for other in here.fabric.hosts.values():
        assert other.moves == []
        assert other.planned == {}


def test_memory_has_a_code_of_its_own(here: Bench) -> None:
    text = failed(here, move(here, "ram01", "MIG02"), code=32778, number="0x800705AA")
    assert "98304 MB" in text
    ended(here, here.change("ram01", 3))
    ended(here, move(here, "ram01", "MIG02"))


def test_memory_promised_to_one_is_not_there_for_another(here: Bench) -> None:
    there = here.at("MIG02")
    there.host.ensure()
    left = (counters.free_memory(there.host, here.clock.now()) >> 20) - 1024
    text = embedded(
        "Msvm_MemorySettingData",
        InstanceID=here.of("ram01", "Msvm_MemorySettingData")[0]["InstanceID"],
        VirtualQuantity=left,
        Reservation=left,
        Limit=left,
    )
    ended(here, here.change("ram01", 3))
    ended(here, here.call(VSMS, "ModifyResourceSettings", ResourceSettings=(text,)))
    ended(here, here.change("ram01", 2))
    first_one = move(here, "ram01", "MIG02")
    here.clock.advance(1)
    failed(here, move(here, "live01", "MIG02"), code=32778)
    ended(here, first_one)


def test_storage_moves_where_migration_is_switched_off(here: Bench) -> None:
    closed = here.at("MIG06")
    more = images(closed, "closed01", "C:\\VMs")
    ended(closed, move(closed, "closed01", None, STORAGE, NewResourceSettingData=more))
    assert paths(closed, "closed01") == ["C:\\VMs\\closed01.vhdx"]
    elsewhere = images(closed, "closed01", "Q:\\VMs")
    wrong = move(closed, "closed01", None, STORAGE, NewResourceSettingData=elsewhere)
    failed(closed, wrong, number="0x80070003")


def test_a_lost_disk_cannot_move() -> None:
    at = bench("troubled", "HV-BAD")
    more = images(at, "lost-disk", "C:\\VMs")
    lost = move(at, "lost-disk", None, STORAGE, NewResourceSettingData=more)
    failed(at, lost, number="0x80070002")


# -- signing in ----------------------------------------------------------------------------


def test_credssp_takes_no_callers_from_elsewhere(here: Bench) -> None:
    for name in ("MIG01", "MIG02"):
        ended(here.at(name), set_service(here.at(name), AuthenticationType=0))
    failed(here, move(here, "live01", "MIG02"), number="0x8009030E")
    for name in ("MIG01", "MIG02"):
        ended(here.at(name), set_service(here.at(name), AuthenticationType=1))
    ended(here, move(here, "live01", "MIG02"))


def test_migration_is_switched_off_and_on(here: Bench) -> None:
    there = here.at("MIG02")
    ended(there, set_service(there, EnableVirtualSystemMigration=False))
    failed(here, move(here, "live01", "MIG02"), number="20413")
    ended(there, set_service(there, EnableVirtualSystemMigration=True))
    assert checked(here, "live01", "MIG02").values["IsMigratable"] is True
    assert set_service(there, AuthenticationType=7).return_value == 32773


@pytest.mark.parametrize(
    "target",
    ["MIG02", "mig02", "MIG02.CORP.example.com", "mig02.corp.example.com.", "10.20.90.247"],
)
def test_a_host_answers_to_all_its_names(here: Bench, target: str) -> None:
    ended(here, move(here, "smb01", target, LIVE))
    assert "smb01" in machines(here.at("MIG02"))


def test_a_host_that_does_not_answer(here: Bench) -> None:
    there = here.at("MIG02").host
    there.faults.http.refuse_connections = True
    failed(here, move(here, "live01", "MIG02"), number="0x8007274C")
    there.faults.http.refuse_connections = False
    there.faults.missing_namespaces = {"root/virtualization/v2"}
    failed(here, move(here, "live01", "MIG02"), number="0x8004100E")


# -- remedies ------------------------------------------------------------------------------


def test_another_switch_or_none_helps(here: Bench) -> None:
    old, there = here.at("MIG04"), here.at("MIG02")
    ref = port(here, "compat01")["InstanceID"]
    text = embedded(PORT, InstanceID=ref, HostResource=(switch_path(old, "LAN"),), EnabledState=2)
    ended(here, move(here, "compat01", "MIG04", NewResourceSettingData=(text,)))
    assert first(port(old, "compat01")["HostResource"]) == switch_path(old, "LAN")
    text = embedded(PORT, InstanceID=port(here, "lab01")["InstanceID"], EnabledState=3)
    ended(here, move(here, "lab01", "MIG02", NewResourceSettingData=(text,)))
    assert port(there, "lab01")["EnabledState"] == 3
    unknown = switch_path(there, "Production").replace("MIG02", "X")[:-3] + 'F"'
    text = embedded(PORT, InstanceID=port(here, "live01")["InstanceID"], HostResource=(unknown,))
    lost = move(here, "live01", "MIG02", NewResourceSettingData=(text,))
    failed(here, lost, number="33012")


def test_a_dvd_is_taken_out_on_the_way(here: Bench) -> None:
    (dvd,) = [item for item in here.of("iso01", DISK) if item["Access"] == 1]
    text = embedded(DISK, InstanceID=dvd["InstanceID"], HostResource=("",))
    ended(here, move(here, "iso01", "MIG02", NewResourceSettingData=(text,)))
    there = here.at("MIG02")
    assert paths(there, "iso01")[0].endswith("iso01.vhdx")


def test_limited_features_help_a_machine_on_an_older_processor(here: Bench) -> None:
    (processor,) = here.of("cpu01", "Msvm_ProcessorSettingData")
    ended(here, here.change("cpu01", 3))
    text = embedded(
        "Msvm_ProcessorSettingData",
        InstanceID=processor["InstanceID"],
        LimitProcessorFeatures=True,
    )
    ended(here, here.call(VSMS, "ModifyResourceSettings", ResourceSettings=(text,)))
    ended(here, here.change("cpu01", 2))
    more = images(here, "cpu01", "C:\\VMs")
    ended(here, move(here, "cpu01", "MIG04", NewResourceSettingData=more))
    assert here.at("MIG04").state("cpu01") == 2


def test_a_key_opens_where_its_guardian_is_known(here: Bench) -> None:
    there = here.at("MIG02")
    ended(there, move(there, "tpm02", "MIG01"))
    assert here.state("tpm02") == 2
    ended(here, here.change("tpm01", 3))
    ended(here, move(here, "tpm01", "MIG02"))
    failed(there, there.change("tpm01", 2), number="0xC000A002")
    ended(there, move(there, "tpm01", "MIG01"))
    ended(here, here.change("tpm01", 2))


# -- calls that mean nothing ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "kind", "code"),
    [
        ("MIG02", 0, 32773),
        ("MIG02", STORAGE, 32773),
        ("MIG01", WHOLE, 32773),
        (None, LIVE, 32773),
        ("MIG02", 32770, 32770),
    ],
)
def test_what_is_no_move_is_refused(here: Bench, target: str, kind: int, code: int) -> None:
    assert move(here, "live01", target, kind).return_value == code
    small = 1 if code == 32770 else 4
    assert checked(here, "live01", target, kind).return_value == small


def test_parameters_that_do_not_fit_are_refused(here: Bench) -> None:
    asked = parameters(here, "live01", "MIG02", WHOLE)
    wrong: list[dict[str, CimValue]] = [
        {"MigrationSettingData": ""},
        {"MigrationSettingData": embedded("Msvm_MemorySettingData", VirtualQuantity=1)},
        {"NewSystemSettingData": embedded("Msvm_MemorySettingData", VirtualQuantity=1)},
        {
            "NewSystemSettingData": embedded(
                "Msvm_VirtualSystemSettingData", ConfigurationDataRoot="nowhere"
            )
        },
        {"NewResourceSettingData": (embedded(DISK, InstanceID="x", HostResource=("D:\\a.vhdx",)),)},
    ]
    for more in wrong:
        output = here.call(SERVICE, "MigrateVirtualSystemToHost", **asked | more)
        assert output.return_value == 32773, more
    disk = here.of("smb01", DISK)[0]["InstanceID"]
    text = embedded(DISK, InstanceID=disk, HostResource=("D:\\a.vhdx",))
    assert move(here, "smb01", "MIG02", LIVE, NewResourceSettingData=(text,)).return_value == 32773


def test_a_machine_in_the_middle_of_something_stays(here: Bench) -> None:
    assert move(here, "stuck01", "MIG02").return_value == 32775
    assert checked(here, "stuck01", "MIG02").return_value == 5
    out = here.call(
        VSMS,
        "ExportSystemDefinition",
        ComputerSystem=here.ref("off01"),
        ExportDirectory="E:\\Out",
    )
    here.clock.advance(1)
    assert move(here, "off01", "MIG02").return_value == 32775
    ended(here, out)
    ended(here, move(here, "off01", "MIG02"))


# -- clusters and the other scenes ---------------------------------------------------------


def test_a_clustered_role_moves_through_its_cluster_only() -> None:
    node = bench("datacenter", "NODE1")
    name = next(m.name for m in node.host.machines.values() if m.clustered and m.state == 2)
    failed(node, move(node, name, "NODE2", LIVE), number="21116")
    failed(node, move(node, name, "HV01", WHOLE), number="PRODCL")
    more = images(node, name, "C:\\ClusterStorage\\Volume2\\Moved")
    ended(node, move(node, name, None, STORAGE, NewResourceSettingData=more))
    assert all("Volume2\\Moved" in path for path in paths(node, name))


def test_the_datacenter_refuses_for_versions_and_processors() -> None:
    new = bench("datacenter", "HV01")
    old = new.at("HV02")
    output = move(new, "web01", "HV02")
    assert end(new, output)["JobState"] == 10
    told = errors(new, output)
    assert {"24004", "21502"} <= set(told)
    ended(old, move(old, "artifact01", "HV01", **unplugged(old, "artifact01")))
    assert new.state("artifact01") == 2
    ended(new, move(new, "artifact01", "HV02"))
    assert old.state("artifact01") == 2


def unplugged(at: Bench, name: str) -> Wishes:
    """Every adapter of a machine without a switch."""
    texts = tuple(
        embedded(PORT, InstanceID=item["InstanceID"], EnabledState=3) for item in at.of(name, PORT)
    )
    return {"NewResourceSettingData": texts}


# -- compatibility -------------------------------------------------------------------------


def test_hosts_compare_what_a_machine_needs(here: Bench) -> None:
    def told(name: str) -> CimValue:
        output = here.call(SERVICE, "GetSystemCompatibilityInfo", ComputerSystem=here.ref(name))
        assert output.return_value == 0
        return output.values["CompatibilityInfo"]

    def asked(host: str, name: str) -> tuple[int, str]:
        at, blob = here.at(host), told(name)
        output = at.call(SERVICE, "CheckSystemCompatibilityInfo", CompatibilityInfo=blob)
        reasons = output.values.get("Reasons")
        found = [from_text(word(r), "") for r in reasons] if isinstance(reasons, tuple) else []
        return output.return_value, " ".join(word(one["MessageID"]) for one in found)

    assert asked("MIG02", "live01") == (0, "")
    assert asked("MIG03", "live01") == (32784, "21502")
    assert asked("MIG03", "off01") == (0, "")
    assert asked("MIG04", "live01") == (32784, "21502 24004")
    assert asked("MIG04", "compat01") == (0, "")
    junk = here.call(SERVICE, "CheckSystemCompatibilityInfo", CompatibilityInfo=b"junk")
    assert junk.return_value == 32773

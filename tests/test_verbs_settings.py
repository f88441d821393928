"""Settings of machines: what the host shows afterwards, and what is refused before and by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.action_kit import V2, action, attempt, objection, only, perform, rows, target, values
from tests.hyperv_kit import Bench, bench, refusing
from tui.errors import Fault, HalfDone, MethodFailed
from tui.hyperv import templates
from tui.sim import shapes
from tui.wsman.cim import CimValue
from tui.wsman.fault import fault
from tui.wsman.request import Invoke
from tui.wsman.values import Wsman

GB = 1 << 30
MB = 1 << 20
SYSTEM = "Msvm_VirtualSystemSettingData"
PROCESSOR = "Msvm_ProcessorSettingData"
MEMORY = "Msvm_MemorySettingData"
SECURITY = "Msvm_SecuritySettingData"
ON, OFF, DYNAMIC, FIRST, SAVED = "sql01", "idle01", "web01", "old01", "kept01"
UEFI_CA = "272e7447-90a4-4563-a4b9-8e4ab00526ce"


def sent(at: Bench) -> list[str]:
    """The methods asked since the last time."""
    return [asked.method for asked in at.wire.take() if isinstance(asked, Invoke)]


# -- processor -----------------------------------------------------------------------------


def test_processors_are_set_as_asked() -> None:
    at = bench()
    perform(
        at, "vm.set-cpu", OFF, count=6, reservation=10_000, limit=75_500, weight=300,
        nested=True, compatibility=True,
    )  # fmt: skip
    wanted = ("VirtualQuantity", "Reservation", "Limit", "Weight",
              "ExposeVirtualizationExtensions", "LimitProcessorFeatures")  # fmt: skip
    assert values(at, PROCESSOR, OFF, *wanted) == (6, 10_000, 75_500, 300, True, True)


def test_only_what_differs_is_sent() -> None:
    at = bench()
    at.wire.take()
    attempt(at, "vm.set-cpu", ON, weight=200)
    asked = [a for a in at.wire.take() if isinstance(a, Invoke)]
    texts = asked[-1].parameters["ResourceSettings"]
    assert isinstance(texts, tuple)
    assert "Weight" in str(texts[0])
    assert "VirtualQuantity" not in str(texts[0])
    assert "Limit" not in str(texts[0])


@pytest.mark.parametrize("action_id", ["vm.set-cpu", "vm.set-memory", "vm.set-automatic"])
def test_nothing_is_asked_when_nothing_differs(action_id: str) -> None:
    at = bench()
    ran = perform(at, action_id, ON)
    assert ran.steps == []
    assert not {"ModifyResourceSettings", "ModifySystemSettings"} & set(sent(at))


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        (ON, {"count": 4}, "the processor count can only change while the machine is off"),
        (SAVED, {"count": 4}, "it is saved"),
        (OFF, {"count": 0}, "between 1 and "),
        (OFF, {"count": 4096}, "between 1 and "),
        (OFF, {"weight": 0}, "between 1 and 10000"),
        (OFF, {"limit": 100_001}, "between 0.001 % and 100 %"),
        (OFF, {"reservation": 60_000, "limit": 50_000}, "60 % is above the limit of 50 %"),
        (ON, {"nested": True}, "nested virtualization can only change while"),
        (ON, {"compatibility": True}, "processor compatibility can only change while"),
    ],
)
def test_processors_that_cannot_be(name: str, given: dict[str, Any], says: str) -> None:
    assert says in objection(bench(), "vm.set-cpu", name, **given)


# -- memory --------------------------------------------------------------------------------


def test_a_running_machine_of_static_memory_grows() -> None:
    at = bench()
    assert only(rows(at, MEMORY, ON))["DynamicMemoryEnabled"] is False
    perform(at, "vm.set-memory", ON, startup=10 * GB)
    assert values(at, MEMORY, ON, "VirtualQuantity", "Reservation") == (10240, 10240)


def test_dynamic_memory_takes_virtual_numa_away_and_gives_it_back() -> None:
    at = bench()
    ran = perform(
        at, "vm.set-memory", OFF, dynamic=True, startup=2 * GB, minimum=GB, maximum=4 * GB,
        buffer=35, weight=7000,
    )  # fmt: skip
    assert ran.steps == ["Switching virtual NUMA off", "Setting the memory"]
    wanted = ("DynamicMemoryEnabled", "VirtualQuantity", "Reservation", "Limit",
              "TargetMemoryBuffer", "Weight")  # fmt: skip
    assert values(at, MEMORY, OFF, *wanted) == (True, 2048, 1024, 4096, 35, 7000)
    assert only(rows(at, SYSTEM, OFF))["VirtualNumaEnabled"] is False
    perform(at, "vm.set-memory", OFF, dynamic=False)
    assert values(at, MEMORY, OFF, *wanted[:4]) == (False, 2048, 2048, 2048)
    assert only(rows(at, SYSTEM, OFF))["VirtualNumaEnabled"] is True


def test_virtual_numa_comes_back_when_the_memory_is_refused() -> None:
    at = bench()
    at.wire.intercept = refusing(
        lambda text: text.endswith("ModifyResourceSettings"), fault(Wsman.ACCESS_DENIED)
    )
    with pytest.raises(Fault):
        attempt(at, "vm.set-memory", OFF, dynamic=True, maximum=4 * GB)
    at.wire.intercept = None
    assert only(rows(at, SYSTEM, OFF))["VirtualNumaEnabled"] is True
    assert only(rows(at, MEMORY, OFF))["DynamicMemoryEnabled"] is False


def test_dynamic_memory_gets_more_room_while_it_runs() -> None:
    at = bench()
    before = only(rows(at, MEMORY, DYNAMIC))
    assert (before["DynamicMemoryEnabled"], before["Limit"]) == (True, 8192)
    perform(at, "vm.set-memory", DYNAMIC, maximum=10 * GB)
    assert only(rows(at, MEMORY, DYNAMIC))["Limit"] == 10240


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        (OFF, {"startup": 2 * GB + MB}, "multiples of 2 MB, such as 2 GB"),
        (OFF, {"startup": 16 * MB}, "between 32 MB and 12 TB"),
        (FIRST, {"startup": 2 << 40}, "between 32 MB and 1 TB"),
        (OFF, {"dynamic": True, "startup": GB, "minimum": 2 * GB, "maximum": 4 * GB},
         "the minimum memory is above the startup memory"),
        (OFF, {"dynamic": True, "startup": 8 * GB, "minimum": GB, "maximum": 4 * GB},
         "the startup memory is above the maximum memory"),
        (OFF, {"dynamic": True, "buffer": 3}, "between 5 and 2000"),
        (ON, {"dynamic": True}, "dynamic memory can only change while the machine is off"),
        (DYNAMIC, {"startup": 3 * GB}, "because its memory is dynamic"),
        (DYNAMIC, {"maximum": 6 * GB}, "the maximum memory can only change upwards"),
        (OFF, {"weight": 10_001}, "between 0 and 10000"),
    ],
)  # fmt: skip
def test_memory_that_cannot_be(name: str, given: dict[str, Any], says: str) -> None:
    assert says in objection(bench(), "vm.set-memory", name, **given)


def test_the_host_refuses_in_words_what_was_asked_anyway() -> None:
    at = bench()
    with pytest.raises(MethodFailed, match="Could not set the processor of sql01") as caught:
        attempt(at, "vm.set-cpu", ON, count=2)
    assert caught.value.code == 32775
    assert caught.value.cause
    assert caught.value.hint


# -- security ------------------------------------------------------------------------------


def test_secure_boot_templates_are_those_the_host_supports() -> None:
    at = bench()
    mine, other = target(at, OFF), "11111111-2222-3333-4444-555555555555"
    field = next(f for f in action("vm.set-security").form if f.id == "template")
    create = next(f for f in action("vm.create").form if f.id == "secure_boot")
    assert field.choices is not None
    assert create.choices is not None
    assert {choice.value for choice in field.choices(mine)} == {each.id for each in templates.KNOWN}
    at.host.repository.add(
        shapes.new(
            "Msvm_VirtualSystemSettingData",
            InstanceID=f"Microsoft:Definition\\SecureBoot\\{other}",
            ElementName="House", Description="Our own <boot>",
            VirtualSystemType="Microsoft:Hyper-V:System:Definition", Version="",
            SecureBootTemplateId=other.upper(),
        )
    )  # fmt: skip
    mine = target(at, OFF)
    assert [c.text for c in field.choices(mine) if c.value == other] == ["Our own <boot>"]
    assert [c.text for c in create.choices(mine) if c.value == other] == ["Our own <boot>"]
    assert len(create.choices(mine)) == 5


def test_a_host_without_capabilities_has_the_known_templates() -> None:
    at = bench()
    at.host.faults.unknown_classes.add("msvm_virtualsystemmanagementcapabilities")
    host = target(at, OFF, sheet=False).host
    assert host.boot_templates == ()
    assert templates.supported(host) == templates.KNOWN
    assert templates.name(host, templates.WINDOWS.upper()) == "Microsoft Windows"
    assert templates.name(host, "OTHER") == "OTHER"


def test_secure_boot_its_template_and_a_tpm_with_a_key_of_the_host() -> None:
    at = bench()
    ran = perform(
        at, "vm.set-security", OFF, secure_boot=True, template=UEFI_CA, tpm=True,
        encrypt_traffic=True,
    )  # fmt: skip
    assert ran.steps[-2:] == ["Sealing a key for the virtual TPM", "Setting the security"]
    system = only(rows(at, SYSTEM, OFF))
    assert (system["SecureBootEnabled"], str(system["SecureBootTemplateId"]).lower()) == (
        True,
        UEFI_CA,
    )
    flags = ("TpmEnabled", "EncryptStateAndVmMigrationTraffic")
    assert values(at, SECURITY, OFF, *flags) == (True, True)
    assert len(at.wql("root/Microsoft/Windows/HGS", "SELECT * FROM MSFT_HgsGuardian")) == 1


def test_a_key_that_is_there_is_never_replaced() -> None:
    at = bench()
    perform(at, "vm.set-security", OFF, tpm=True)
    perform(at, "vm.set-security", OFF, tpm=False)
    at.wire.take()
    ran = perform(at, "vm.set-security", OFF, tpm=True)
    assert ran.steps == ["Setting the security"]
    assert "SetKeyProtector" not in sent(at)


def test_a_host_without_guardians_says_what_it_needs() -> None:
    at = bench()
    at.wire.intercept = refusing(
        lambda text: "HgsGuardian" in text, fault(Wsman.CANNOT_PROCESS_FILTER)
    )
    before = only(rows(at, SYSTEM, OFF))["SecureBootEnabled"]
    with pytest.raises(HalfDone) as caught:
        attempt(at, "vm.set-security", OFF, secure_boot=not before, tpm=True)
    assert "Host Guardian" in caught.value.hint
    assert caught.value.made == ("secure boot of idle01 as wanted",)
    assert caught.value.undo is not None
    action_id, _, arguments = caught.value.undo
    at.wire.intercept = None
    perform(at, action_id, OFF, **arguments)
    assert only(rows(at, SYSTEM, OFF))["SecureBootEnabled"] is before


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        (ON, {"secure_boot": False}, "its security can only change while the machine is off"),
        (FIRST, {"tpm": True}, "generation 1"),
        (OFF, {"encrypt_traffic": True}, "encryption needs the virtual TPM"),
    ],
)
def test_security_that_cannot_be(name: str, given: dict[str, Any], says: str) -> None:
    assert says in objection(bench(), "vm.set-security", name, **given)


def test_the_template_is_locked_by_the_tpm() -> None:
    at = bench()
    perform(at, "vm.set-security", OFF, tpm=True, secure_boot=True)
    assert "while the machine has a virtual TPM" in objection(
        at, "vm.set-security", OFF, template=UEFI_CA
    )


# -- automatic actions, version ------------------------------------------------------------


def test_automatic_actions_of_a_running_machine() -> None:
    at = bench()
    perform(
        at, "vm.set-automatic", ON, start=4, start_delay=90, stop=2, critical=0,
        checkpoint_type=5, automatic_checkpoints=True,
    )  # fmt: skip
    wanted = (
        "AutomaticStartupAction",
        "AutomaticStartupActionDelay",
        "AutomaticShutdownAction",
        "AutomaticCriticalErrorAction",
        "UserSnapshotType",
        "AutomaticSnapshotsEnabled",
    )
    expected: tuple[CimValue, ...] = (4, timedelta(seconds=90), 2, 0, 5, True)
    assert tuple(only(rows(at, SYSTEM, ON))[name] for name in wanted) == expected


def test_a_delay_beyond_a_day_is_a_mistake() -> None:
    assert "between 0s and 1d" in objection(bench(), "vm.set-automatic", OFF, start_delay=100_000)


def test_the_version_only_rises_while_off() -> None:
    assert "while the machine is off" in objection(bench(), "vm.upgrade-version", ON)
    assert "cannot be undone" in action("vm.upgrade-version").effect


# -- tags ----------------------------------------------------------------------------------


def group_names(at: Bench, name: str) -> set[str]:
    path = f'Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="{at.vm(name)}"'
    wql = f"ASSOCIATORS OF {{{path}}} WHERE AssocClass=Msvm_CollectedVirtualSystems"
    return {str(row["ElementName"]) for row in at.wql(V2, wql)}


def test_tags_come_and_go_and_the_notes_stay() -> None:
    at = bench()
    perform(at, "vm.tag", ON, add=["db", "tier-1", "prod"], remove=["old"])
    assert only(rows(at, SYSTEM, ON))["Notes"] == ("first line\nsecond #prod #db #tier-1",)
    perform(at, "vm.tag", ON, remove=["PROD"])
    assert only(rows(at, SYSTEM, ON))["Notes"] == ("first line\nsecond #db #tier-1",)


def test_groups_are_made_joined_shared_and_left() -> None:
    at = bench()
    ran = perform(at, "vm.tag", ON, groups=["Gold", "Nightly backup"])
    assert ran.steps == [
        "Making the group Gold",
        "Joining Gold",
        "Making the group Nightly backup",
        "Joining Nightly backup",
    ]
    assert perform(at, "vm.tag", OFF, groups=("gold",)).steps == ["Joining gold"]
    assert group_names(at, ON) == {"Gold", "Nightly backup"}
    perform(at, "vm.tag", ON, groups=["Nightly backup"])
    assert group_names(at, ON) == {"Nightly backup"}
    assert group_names(at, OFF) == {"Gold"}
    assert target(at, ON).sheet is not None


def test_a_group_that_cannot_be_joined_is_named_as_made() -> None:
    at = bench()
    at.wire.intercept = refusing(lambda text: "AddMember" in text, fault(Wsman.ACCESS_DENIED))
    with pytest.raises(HalfDone) as caught:
        attempt(at, "vm.tag", ON, groups=["Gold"])
    assert caught.value.made == ("the group Gold",)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"add": ["a#b"]}, "cannot be a tag"),
        ({"add": ["x"], "remove": ["x"]}, "#x is to be added and removed"),
        ({"groups": ["x" * 101]}, "at most 100 characters"),
    ],
)
def test_tags_that_cannot_be(given: dict[str, Any], says: str) -> None:
    assert says in objection(bench(), "vm.tag", ON, **given)

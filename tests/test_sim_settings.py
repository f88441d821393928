"""What a simulated host lets change of a machine, when, and with which code it refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sim_kit import V2, VSMS, Bench, bench, by_id, embedded, one, system, word
from tui.sim import rules
from tui.sim.rules import RULES, When
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.reply import MethodOutput

HGS = "root/Microsoft/Windows/HGS"
SECURITY = "Msvm_SecurityService"
ON, OFF, OLD, LEGACY = "sql01", "pki-root", "scada-gw", "print01"


@pytest.fixture
def world() -> Bench:
    return bench()


@pytest.fixture(scope="module")
def shared() -> Bench:
    """For refusals, which change nothing."""
    return bench()


def modify(world: Bench, name: str, class_name: str, **values: CimValue) -> MethodOutput:
    """Change one setting of a machine by the method its class belongs to."""
    if class_name == rules.SYSTEM:
        identity = f"Microsoft:{word(world.vm(name)['Name'])}"
        text = embedded(class_name, InstanceID=identity, **values)
        return world.call(VSMS, "ModifySystemSettings", SystemSettings=text)
    identity = str(world.of(name, class_name)[0]["InstanceID"])
    text = embedded(class_name, InstanceID=identity, **values)
    if class_name == rules.SECURITY:
        return world.call(SECURITY, "ModifySecuritySettings", SecuritySettingData=text)
    return world.call(VSMS, "ModifyResourceSettings", ResourceSettings=(text,))


def code(world: Bench, name: str, class_name: str, **values: CimValue) -> int:
    """What the host answers; 4096 stands for a job that has ended well."""
    output = modify(world, name, class_name, **values)
    if output.return_value != 4096:
        return output.return_value
    job = world.finish(output)
    failed = job["ErrorCode"]
    assert isinstance(failed, int)
    return failed or 4096


def present(world: Bench, name: str, class_name: str) -> CimInstance:
    if class_name == rules.SYSTEM:
        return world.settings(name)
    return world.of(name, class_name)[0]


def other(rule: rules.Rule, old: CimValue, name: str) -> CimValue:
    """Another value that the property can have."""
    if name in ("Address", "SecureBootTemplateId", "BIOSGUID", "CpuGroupId"):
        known: dict[str, CimValue] = {
            "Address": "02AABBCCDD01",
            "SecureBootTemplateId": "4292ae2b-ee2c-42b5-a969-dd8f8689f6f3",
        }
        return known.get(name, "{00000000-0000-4000-8000-000000000001}")
    if rule.choices is not None:
        choices = sorted(rule.choices, key=str)
        return next(choice for choice in choices if choice != old)
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return old - rule.step if rule.high is not None and old >= rule.high else old + rule.step
    return str(old or "") + "x"


def cold() -> Iterator[tuple[str, str, int]]:
    for class_name, rows in RULES.items():
        for name, rule in rows.items():
            if rule.when is When.OFF and class_name != rules.EMULATED:
                yield class_name, name, rule.code


UNTYPED = frozenset(
    {"BootOrder", "HighMmioGapBase", "GuestStateIsolationType", "SgxSize", "EnableHibernation"}
)
"""Properties without a value on this host, for which a value must be made up."""
MADE_UP: dict[str, CimValue] = {
    "BootOrder": (2, 1, 3, 0),
    "HighMmioGapBase": 4096,
    "GuestStateIsolationType": 1,
    "SgxSize": 2,
    "EnableHibernation": True,
}


@pytest.mark.parametrize(("class_name", "name", "refusal"), list(cold()))
def test_a_running_machine_refuses_what_only_changes_while_off(
    shared: Bench, class_name: str, name: str, refusal: int
) -> None:
    rule = RULES[class_name][name]
    old = present(shared, ON, class_name).get(name)
    value = MADE_UP[name] if name in UNTYPED else other(rule, old, name)
    output = modify(shared, ON, class_name, **{name: value})
    assert output.return_value == refusal
    assert present(shared, ON, class_name).get(name) == old


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        (class_name, name)
        for class_name, name, _ in cold()
        if class_name in (rules.PROCESSOR, rules.MEMORY) and name not in UNTYPED
    ],
)
def test_and_a_machine_that_is_off_takes_it(world: Bench, class_name: str, name: str) -> None:
    if name == "DynamicMemoryEnabled":
        assert code(world, OFF, rules.SYSTEM, VirtualNumaEnabled=False) == 4096
    old = present(world, OFF, class_name)[name]
    value = other(RULES[class_name][name], old, name)
    assert code(world, OFF, class_name, **{name: value}) == 4096
    assert present(world, OFF, class_name)[name] == value != old


@pytest.mark.parametrize(
    ("class_name", "name", "value"),
    [
        (rules.PROCESSOR, "Weight", 300),
        (rules.PROCESSOR, "Limit", 50000),
        (rules.PROCESSOR, "Reservation", 10000),
        (rules.MEMORY, "Weight", 9000),
        (rules.MEMORY, "TargetMemoryBuffer", 35),
        (rules.MEMORY, "VirtualQuantity", 65536 + 2),
        (rules.SYSTEM, "AutomaticStartupAction", 4),
        (rules.SYSTEM, "AutomaticShutdownAction", 2),
        (rules.SYSTEM, "UserSnapshotType", 4),
        (rules.SYSTEM, "AutomaticSnapshotsEnabled", True),
        (rules.SYSTEM, "ElementName", "quote'\"s & <tags> \\ % 🐧"),
    ],
)
def test_a_running_machine_takes_what_is_hot(
    world: Bench, class_name: str, name: str, value: CimValue
) -> None:
    assert code(world, ON, class_name, **{name: value}) == 4096
    label = str(value) if name == "ElementName" else ON
    assert present(world, label, class_name)[name] == value


@pytest.mark.parametrize(
    ("class_name", "values"),
    [
        (rules.SYSTEM, {"ElementName": "x" * 101}),
        (rules.SYSTEM, {"ElementName": "two\nlines"}),
        (rules.SYSTEM, {"ElementName": "   "}),
        (rules.SYSTEM, {"VirtualSystemSubType": "Microsoft:Hyper-V:SubType:1"}),
        (rules.SYSTEM, {"Version": "8.0"}),
        (rules.SYSTEM, {"AutomaticStartupAction": 1}),
        (rules.SYSTEM, {"UserSnapshotType": 1}),
        (rules.SYSTEM, {"SecureBootTemplateId": "00000000-0000-0000-0000-000000000000"}),
        (rules.SYSTEM, {"BootOrder": (1, 2, 3)}),
        (rules.PROCESSOR, {"VirtualQuantity": 4000}),
        (rules.PROCESSOR, {"VirtualQuantity": 65}),
        (rules.PROCESSOR, {"Reservation": 60000, "Limit": 50000}),
        (rules.PROCESSOR, {"Weight": 0}),
        (rules.MEMORY, {"VirtualQuantity": 2049}),
        (rules.MEMORY, {"VirtualQuantity": 30}),
        (rules.MEMORY, {"TargetMemoryBuffer": 4}),
        (rules.MEMORY, {"DynamicMemoryEnabled": True}),
    ],
)
def test_values_that_cannot_be_are_invalid_parameters(
    shared: Bench, class_name: str, values: dict[str, CimValue]
) -> None:
    assert code(shared, OFF, class_name, **values) == 32773


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"Limit": 32768}, 4096),
        ({"Limit": 8192}, 32775),
        ({"Reservation": 256}, 4096),
        ({"Reservation": 1024}, 32775),
        ({"VirtualQuantity": 4096}, 32775),
        ({"Limit": 32767}, 32773),
        ({"Reservation": 16}, 32773),
    ],
)
def test_dynamic_memory_only_gets_more_room_while_running(
    world: Bench, values: dict[str, CimValue], answer: int
) -> None:
    assert code(world, "web01", rules.MEMORY, **values) == answer


@pytest.mark.parametrize(
    "values",
    [
        {"Reservation": 2048, "VirtualQuantity": 1024, "Limit": 4096},
        {"Reservation": 512, "VirtualQuantity": 8192, "Limit": 4096},
    ],
)
def test_minimum_startup_and_maximum_stand_in_order(
    world: Bench, values: dict[str, CimValue]
) -> None:
    assert code(world, OFF, rules.SYSTEM, VirtualNumaEnabled=False) == 4096
    assert code(world, OFF, rules.MEMORY, DynamicMemoryEnabled=True, **values) == 32773


def test_dynamic_memory_and_virtual_numa_exclude_each_other(world: Bench) -> None:
    sizes: dict[str, CimValue] = {"Reservation": 512, "VirtualQuantity": 1024, "Limit": 4096}
    assert code(world, OFF, rules.MEMORY, DynamicMemoryEnabled=True, **sizes) == 32773
    assert code(world, OFF, rules.SYSTEM, VirtualNumaEnabled=False) == 4096
    assert code(world, OFF, rules.MEMORY, DynamicMemoryEnabled=True, **sizes) == 4096
    assert code(world, OFF, rules.SYSTEM, VirtualNumaEnabled=True) == 32773


def test_static_memory_grows_while_running_if_version_guest_and_host_allow(world: Bench) -> None:
    assert code(world, ON, rules.MEMORY, VirtualQuantity=70000) == 4096
    assert world.of(ON, rules.MEMORY)[0]["VirtualQuantity"] == 70000
    assert code(world, ON, rules.MEMORY, VirtualQuantity=900000) == 32778
    assert world.of(ON, rules.MEMORY)[0]["VirtualQuantity"] == 70000
    other = world.at("HV02")
    assert code(other, OLD, rules.MEMORY, VirtualQuantity=6144) == 32775, "configuration 5.0"


def test_a_saved_machine_keeps_its_hardware_and_takes_a_new_name() -> None:
    world = bench("datacenter", "HV02")
    assert code(world, "win10-ltsc", rules.PROCESSOR, VirtualQuantity=1) == 32775
    assert code(world, "win10-ltsc", rules.MEMORY, VirtualQuantity=2048) == 32775
    assert code(world, "win10-ltsc", rules.SYSTEM, Notes=("kept", "lost")) == 4096
    assert world.settings("win10-ltsc")["Notes"] == ("kept",)


def test_generation_one_has_no_secure_boot_and_its_own_boot_order(world: Bench) -> None:
    assert world.finish(world.change(LEGACY, 3))["JobState"] == 7
    assert code(world, LEGACY, rules.SYSTEM, SecureBootEnabled=True) == 32773
    assert code(world, LEGACY, rules.SYSTEM, BootOrder=(2, 1, 3, 0)) == 4096
    assert world.settings(LEGACY)["BootOrder"] == (2, 1, 3, 0)
    assert code(world, LEGACY, rules.SYSTEM, BIOSNumLock=True) == 4096


# -- integration services ------------------------------------------------------------------


def test_a_service_that_is_switched_off_takes_its_component_with_it(world: Bench) -> None:
    setting, runtime = "Msvm_TimeSyncComponentSettingData", "Msvm_TimeSyncComponent"
    machine = world.vm(ON)["Name"]

    def running() -> bool:
        return machine in [c["SystemName"] for c in world.all(runtime)]

    assert running()
    assert code(world, ON, setting, EnabledState=3) == 4096
    assert not running()
    assert code(world, ON, setting, EnabledState=2) == 4096
    assert running()
    assert code(world, ON, setting, EnabledState=5) == 32773


def test_guest_services_offer_files_once_they_are_on(world: Bench) -> None:
    machine = world.vm(ON)["Name"]

    def offered() -> bool:
        return machine in [s["SystemName"] for s in world.all("Msvm_GuestFileService")]

    assert not offered()
    interface = "Msvm_GuestServiceInterfaceComponentSettingData"
    assert code(world, ON, interface, EnabledState=2) == 4096
    assert offered()
    below = "Msvm_GuestCommunicationServiceSettingData"
    part = world.of(ON, below)[0]
    for policy, answer in ((3, 4096), (4, 32773)):
        text = embedded(below, InstanceID=part["InstanceID"], EnabledStatePolicy=policy)
        output = world.call(VSMS, "ModifyGuestServiceSettings", GuestServiceSettings=(text,))
        assert output.return_value == answer
        if answer == 4096:
            world.finish(output)
    assert not offered()


def test_old_services_tell_of_their_protocol() -> None:
    world = bench("datacenter", "HV02")
    machine = world.vm(OLD)["Name"]
    row = one(world.all("Msvm_SummaryInformation"), lambda r: r["Name"] == machine)
    assert row["IntegrationServicesVersionState"] == 2
    found = one(world.all("Msvm_ShutdownComponent"), lambda c: c["SystemName"] == machine)
    assert found["OperationalStatus"] == (3, 32775)
    off = [s["EnabledState"] for s in world.of(OLD, "Msvm_VssComponentSettingData")]
    assert off == [3]


# -- security ------------------------------------------------------------------------------


def key_of(world: Bench, name: str) -> bytes:
    text = embedded(rules.SECURITY, InstanceID=world.of(name, rules.SECURITY)[0]["InstanceID"])
    output = world.call(SECURITY, "GetKeyProtector", SecuritySettingData=text)
    assert output.return_value == 0
    key = output.values["KeyProtector"]
    assert isinstance(key, bytes)
    return key


def new_key(world: Bench) -> bytes:
    """A local key protector, made the way tools make one."""
    guardian = world.client.invoke(
        CimRef("MSFT_HgsGuardian", (), HGS),
        "NewByGenerateCertificates",
        Name="UntrustedGuardian",
        GenerateCertificates=True,
    )
    assert guardian.return_value == 0
    assert [g["Name"] for g in world.all("MSFT_HgsGuardian", HGS)] == ["UntrustedGuardian"]
    protector = world.client.invoke(
        CimRef("MSFT_HgsKeyProtector", (), HGS),
        "NewByGuardians",
        Owner=guardian.values["cmdletOutput"],
        AllowUntrustedRoot=True,
    )
    made = protector.values["cmdletOutput"]
    assert isinstance(made, CimInstance)
    raw = made["RawData"]
    assert isinstance(raw, bytes)
    return raw


def set_key(world: Bench, name: str, key: bytes) -> MethodOutput:
    text = embedded(rules.SECURITY, InstanceID=world.of(name, rules.SECURITY)[0]["InstanceID"])
    return world.call(SECURITY, "SetKeyProtector", SecuritySettingData=text, KeyProtector=key)


def test_a_virtual_tpm_needs_a_key_protector() -> None:
    world = bench("datacenter", "HV02")
    assert key_of(world, "test-app") == bytes(4)
    assert code(world, "test-app", rules.SECURITY, TpmEnabled=True) == 32768
    key = new_key(world)
    world.finish(set_key(world, "test-app", key))
    assert key_of(world, "test-app") == key
    assert code(world, "test-app", rules.SECURITY, TpmEnabled=True) == 4096
    assert world.of("test-app", rules.SECURITY)[0]["TpmEnabled"] is True
    other_template = "272e7447-90a4-4563-a4b9-8e4ab00526ce"
    refused = code(world, "test-app", rules.SYSTEM, SecureBootTemplateId=other_template)
    assert refused == 32775, "the template is locked by the TPM"


def test_a_replaced_key_protector_makes_the_machine_unreadable(world: Bench) -> None:
    assert len(key_of(world, OFF)) > 4
    world.finish(set_key(world, OFF, new_key(world)))
    job = world.finish(world.change(OFF, 2))
    assert job["ErrorCode"] == 32768
    assert "0xC000A002" in str(job["ErrorDescription"])


def test_security_changes_only_while_off(world: Bench) -> None:
    assert set_key(world, ON, bytes(64)).return_value == 32775
    assert code(world, ON, rules.SECURITY, ShieldingRequested=True) == 32775
    assert world.state(ON) == 2


# -- service settings ----------------------------------------------------------------------


def serve(world: Bench, service: str, parameter: str, **values: CimValue) -> int:
    output = world.call(
        service, "ModifyServiceSettings", **{parameter: embedded(f"{service}SettingData", **values)}
    )
    if output.return_value != 4096:
        return output.return_value
    failed = world.finish(output)["ErrorCode"]
    assert isinstance(failed, int)
    return failed or 4096


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"DefaultVirtualHardDiskPath": "E:\\Disks", "NumaSpanningEnabled": False}, 4096),
        ({"DefaultExternalDataRoot": "\\\\filer\\vms\\hv01"}, 4096),
        ({"DefaultExternalDataRoot": "somewhere"}, 32773),
        ({"DefaultVirtualHardDiskPath": "D:\\a<b"}, 32773),
        ({"EnhancedSessionModeEnabled": False}, 4096),
        ({"MinimumMacAddress": "00155D770000", "MaximumMacAddress": "00155D77FFFF"}, 4096),
        ({"MinimumMacAddress": "00155D77FFFF", "MaximumMacAddress": "00155D770000"}, 32773),
        ({"MinimumMacAddress": "01155D770000"}, 32773),
    ],
)
def test_host_settings(world: Bench, values: dict[str, CimValue], answer: int) -> None:
    assert serve(world, VSMS, "SettingData", **values) == answer
    after = world.all(f"{VSMS}SettingData")[0]
    assert ({name: after[name] for name in values} == values) is (answer == 4096)


def test_a_new_adapter_draws_from_the_pool_of_the_host(world: Bench) -> None:
    pool = {"MinimumMacAddress": "00155D770000", "MaximumMacAddress": "00155D77FFFF"}
    assert serve(world, VSMS, "SettingData", **pool) == 4096
    text = embedded("Msvm_SyntheticEthernetPortSettingData", ElementName="New")
    target = CimRef(rules.SYSTEM, (("InstanceID", f"Microsoft:{word(world.vm(ON)['Name'])}"),), V2)
    found = world.done(
        world.call(
            VSMS, "AddResourceSettings", AffectedConfiguration=target, ResourceSettings=(text,)
        )
    )
    nic = one(found, lambda i: i.class_name == "Msvm_SyntheticEthernetPortSettingData")
    assert nic["Address"] == "00155D770000"


MIGRATION = "Msvm_VirtualSystemMigrationService"


def test_migration_settings(world: Bench) -> None:
    name = "ServiceSettingData"
    assert serve(world, MIGRATION, name, MaximumActiveVirtualSystemMigration=4) == 4096
    assert serve(world, MIGRATION, name, AuthenticationType=0, EnableSmbTransport=True) == 4096
    assert serve(world, MIGRATION, name, AuthenticationType=7) == 32773
    after = world.all(f"{MIGRATION}SettingData")[0]
    assert (after["MaximumActiveVirtualSystemMigration"], after["AuthenticationType"]) == (4, 0)
    alone = bench("homelab", "NUC01")
    assert serve(alone, MIGRATION, name, EnableVirtualSystemMigration=True) == 32768


# -- capabilities --------------------------------------------------------------------------


def test_capabilities_lead_to_templates_by_role_and_range(world: Bench) -> None:
    memory = one(
        world.all("Msvm_AllocationCapabilities"),
        lambda c: c["ResourceSubType"] == "Microsoft:Hyper-V:Memory",
    )
    identity = str(memory["InstanceID"])
    wql = f'ASSOCIATORS OF {{Msvm_AllocationCapabilities.InstanceID="{identity}"}}'
    found = world.client.query(V2, f"{wql} WHERE AssocClass=Msvm_SettingsDefineCapabilities")
    sizes = {str(i["InstanceID"]).rpartition("\\")[2]: i["VirtualQuantity"] for i in found}
    assert sizes == {"Default": 1024, "Minimum": 32, "Maximum": 12 << 20, "Increment": 2}
    links = world.client.query(
        V2,
        f"{wql.replace('ASSOCIATORS', 'REFERENCES')} "
        "WHERE ResultClass=Msvm_SettingsDefineCapabilities",
    )
    assert sorted((r["ValueRole"], r["ValueRange"]) for r in links) == [
        (0, 0),
        (3, 1),
        (3, 2),
        (3, 3),
    ]


def test_a_host_lists_its_versions_and_secure_boot_templates(world: Bench) -> None:
    name = "Msvm_VirtualSystemManagementCapabilities"
    wql = f'ASSOCIATORS OF {{{name}.InstanceID="Microsoft:VirtualSystemManagementCapabilities"}}'
    found = world.client.query(V2, f"{wql} WHERE AssocClass=Msvm_SettingsDefineCapabilities")
    assert "12.0" in [i["Version"] for i in found]
    templates = {i["SecureBootTemplateId"] for i in found} - {None}
    assert templates == set(rules.TEMPLATES)
    newest = world.at("HV02").client.query(
        V2, f"{wql} WHERE AssocClass=Msvm_SettingsDefineCapabilities"
    )
    assert "12.0" not in [i["Version"] for i in newest]


def test_a_machine_newer_than_its_host_cannot_be_defined() -> None:
    world = bench("datacenter", "HV02")
    text = embedded(rules.SYSTEM, ElementName="tomorrow", Version="12.0")
    assert world.call(VSMS, "DefineSystem", SystemSettings=text).return_value == 32773


def test_a_machine_is_defined_with_dynamic_memory(world: Bench) -> None:
    memory = embedded(
        rules.MEMORY,
        DynamicMemoryEnabled=True,
        VirtualQuantity=1024,
        Reservation=512,
        Limit=4096,
    )
    text = embedded(rules.SYSTEM, ElementName="elastic")
    world.done(world.call(VSMS, "DefineSystem", SystemSettings=text, ResourceSettings=(memory,)))
    assert world.settings("elastic")["VirtualNumaEnabled"] is False
    assert world.of("elastic", rules.MEMORY)[0]["DynamicMemoryEnabled"] is True
    assert world.client.get(system(str(world.vm("elastic")["Name"])))["EnabledState"] == 3
    assert by_id(world.settings("elastic")).class_name == rules.SYSTEM

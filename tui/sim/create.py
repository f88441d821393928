"""From a plan to a virtual machine on a host: its configuration, disks, checkpoints and state."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING

from tui.sim import build, files, hardware, machine, papers, shapes, spare_disks
from tui.sim.guests import SYSTEMS
from tui.sim.load import load_of
from tui.sim.machine import Configuration, Machine
from tui.sim.plan import CheckpointPlan, VmPlan
from tui.wsman.cim import CimInstance, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

STATES = {
    "running": machine.RUNNING,
    "off": machine.OFF,
    "saved": machine.SAVED,
    "paused": machine.PAUSED,
    "stopping": machine.STOPPING,
    "starting": machine.STARTING,
    "critical": machine.PAUSED_CRITICAL,
}
DAY = 86400.0
GIB = 1 << 30
UNTAGGED = 1
"""Network of adapters without a VLAN."""
_BRANCH = re.compile(r"_[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$")
"""What a host appends to the name of an image that a checkpoint left behind."""


def create(host: SimHost, plan: VmPlan, random: Random) -> Machine:
    """Put a machine on a host and give it the state the plan asks for."""
    identity = shapes.guid(random)
    now = host.fabric.now()
    current = Configuration(settings_of(host, plan, identity, now, random))
    found = Machine(
        host=host,
        id=identity,
        system=system_of(plan.name, identity, shapes.number(current.settings, "EnabledState")),
        current=current,
        guest=SYSTEMS[plan.os],
        fqdn=_fqdn(plan),
        load=load_of(plan.character, random),
        number=host.next_number(),
        stuck=plan.stuck,
        merge_disabled=plan.merge_disabled,
        domain=plan.domain,
        clustered=plan.clustered and bool(host.plan.cluster),
        grows=plan.grows * GIB / 86_400.0,
    )
    found.system.values["InstallDate"] = current.settings.values["CreationTime"]
    _devices(host, found, plan, random)
    _enter(found, plan, now, random)
    host.adopt(found)
    if plan.merge_disabled:
        for image in found.images:
            branch(found, image, shapes.guid(random), 9 * DAY)
    for point in plan.checkpoints:
        add_checkpoint(found, point, shapes.guid(random), now)
    return found


def system_of(name: str, identity: str, state: int) -> CimInstance:
    """The Msvm_ComputerSystem of a machine that is off."""
    return shapes.new(
        "Msvm_ComputerSystem",
        CreationClassName="Msvm_ComputerSystem",
        Name=identity,
        ElementName=name,
        Caption="Virtual Machine",
        Description="Microsoft Virtual Machine",
        EnabledState=state or machine.OFF,
        RequestedState=12,
        EnabledDefault=2,
        HealthState=5,
        OperationalStatus=(2,),
        StatusDescriptions=("Operating normally",),
        Status="OK",
        ResetCapability=1,
        EnhancedSessionModeState=3,
        HwThreadsPerCoreRealized=0,
        NumberOfNumaNodes=1,
        OnTimeInMilliseconds=0,
        FailedOverReplicationType=0,
        LastReplicationType=0,
        ReplicationHealth=0,
        ReplicationMode=0,
        ReplicationState=0,
        LastApplicationConsistentReplicationTime=shapes.ZERO_TIME,
        LastReplicationTime=shapes.ZERO_TIME,
        LastSuccessfulBackupTime=shapes.ZERO_TIME,
        TimeOfLastConfigurationChange=shapes.ZERO_TIME,
        TimeOfLastStateChange=shapes.ZERO_TIME,
    )


def settings_of(
    host: SimHost, plan: VmPlan, identity: str, now: float, random: Random
) -> CimInstance:
    """The realized Msvm_VirtualSystemSettingData."""
    root = _home(host, plan)
    age = random.uniform(40, 900) * DAY
    return shapes.new(
        "Msvm_VirtualSystemSettingData",
        **_firmware(plan, random),
        InstanceID=f"Microsoft:{identity}",
        ElementName=plan.name,
        Caption="Virtual Machine Settings",
        Description="Active settings for the virtual machine.",
        VirtualSystemIdentifier=identity,
        ConfigurationID=identity,
        VirtualSystemType=shapes.REALIZED,
        VirtualSystemSubType=f"Microsoft:Hyper-V:SubType:{plan.generation}",
        Version=plan.version or host.system.configuration,
        CreationTime=shapes.when(now - age),
        Notes=(plan.notes,),
        Architecture="x64",
        AutomaticStartupAction=3,
        AutomaticStartupActionDelay=shapes.span(0),
        AutomaticStartupActionSequenceNumber=0,
        AutomaticShutdownAction=3 if plan.character != "dc" else 4,
        AutomaticRecoveryAction=3,
        AutomaticCriticalErrorAction=1,
        AutomaticCriticalErrorActionTimeout=shapes.span(1800),
        AutomaticSnapshotsEnabled=False,
        IsAutomaticSnapshot=False,
        IsSaved=plan.state == "saved",
        UserSnapshotType=3,
        ConfigurationDataRoot=root,
        ConfigurationFile=f"Virtual Machines\\{identity}.vmcx",
        GuestStateDataRoot=root,
        GuestStateFile=f"Virtual Machines\\{identity}.vmgs"
        if plan.generation == 2
        else f"{identity}.vmgs",
        SnapshotDataRoot=root,
        SuspendDataRoot=root,
        SwapFileDataRoot=root,
        LogDataRoot=root,
        EnhancedSessionTransportType=0,
        GuestControlledCacheTypes=False,
        IncrementalBackupEnabled=True,
        LockOnDisconnect=False,
        TurnOffOnGuestRestart=False,
        VirtualNumaEnabled=plan.maximum == 0,
        AllowFullSCSICommandSet=False,
        AllowReducedFcRedundancy=False,
        GuestStateIsolationEnabled=False,
    )


def _firmware(plan: VmPlan, random: Random) -> dict[str, CimValue]:
    gen2 = plan.generation == 2
    serial = ["-".join(f"{random.randrange(10000):04d}" for _ in range(6)) for _ in range(3)]
    return {
        "BIOSGUID": "{" + shapes.guid(random) + "}",
        "BIOSSerialNumber": serial[0] + "-89",
        "BaseBoardSerialNumber": serial[1] + "-90",
        "ChassisSerialNumber": serial[2] + "-91",
        "ChassisAssetTag": "",
        "BIOSNumLock": False,
        "BootOrder": None if gen2 else (1, 2, 3, 0),
        "SecureBootEnabled": gen2,
        "SecureBootTemplateId": _template(plan) if gen2 else None,
        "PauseAfterBootFailure": False,
        "NetworkBootPreferredProtocol": 4096,
        "ConsoleMode": 0,
        "DebugPortEnabled": 0,
        "HighMmioGapSize": 512,
        "LowMmioGapSize": 128,
    }


def _template(plan: VmPlan) -> str:
    windows = SYSTEMS[plan.os].windows
    return (
        "1734c6e8-3154-4dda-ba5f-a874cc483422"
        if windows
        else "272e7447-90a4-4563-a4b9-8e4ab00526ce"
    )


def _home(host: SimHost, plan: VmPlan) -> str:
    if plan.volume:
        return f"{plan.volume}\\{_safe(plan.name)}"
    return f"{host.plan.store}\\{_safe(plan.name)}" if host.plan.cluster else host.plan.store


def _safe(name: str) -> str:
    """A name as Windows allows it in a path."""
    kept = "".join("_" if c in '<>:"/\\|?*' or ord(c) < 32 else c for c in name)
    return kept.strip() or "_"


def _fqdn(plan: VmPlan) -> str:
    short = "".join(c for c in plan.name.lower() if c.isascii() and (c.isalnum() or c == "-"))
    return f"{short or 'guest'}.{plan.domain}" if plan.domain else short or "guest"


def bare(host: SimHost, plan: VmPlan, identity: str, random: Random) -> Machine:
    """A machine as DefineSystem makes it: no disks, no adapters, generation 2 no controller."""
    now = host.fabric.now()
    current = Configuration(settings_of(host, plan, identity, now, random))
    current.settings.values["CreationTime"] = shapes.when(now)
    found = Machine(
        host=host,
        id=identity,
        system=system_of(plan.name, identity, machine.OFF),
        current=current,
        guest=SYSTEMS[plan.os],
        fqdn=_fqdn(plan),
        load=load_of(plan.character, random),
        number=host.next_number(),
    )
    found.system.values["InstallDate"] = shapes.when(now)
    _board(found, plan)
    if plan.generation == 1:
        for item in build.ide_controllers(f"Microsoft:{identity}"):
            current.put(item)
    return found


def _board(found: Machine, plan: VmPlan) -> None:
    prefix = f"Microsoft:{found.id}"
    put = found.current.put
    processor = put(build.processor(prefix, plan.cpus, nested=plan.nested))
    processor.values["LimitProcessorFeatures"] = plan.limited
    put(build.memory(prefix, plan.memory, min(plan.minimum, plan.memory), plan.maximum))
    put(build.security(prefix, tpm=plan.tpm))
    for item in (*build.services(prefix), *build.consoles(prefix, plan.generation)):
        put(item)
        word = item.class_name.removeprefix("Msvm_").removesuffix("ComponentSettingData")
        if word in plan.services_off:
            item.values["EnabledState"] = 3
    found.outdated = plan.outdated
    if plan.tpm:
        found.key = found.host.fabric.random(found.host.name, plan.name, "key").randbytes(256)
        found.sealed_by = found.host.name


def _devices(host: SimHost, found: Machine, plan: VmPlan, random: Random) -> None:
    _board(found, plan)
    first, second = _controllers(found, plan, random)
    _disks(host, found, plan, first, second)
    _adapters(host, found, plan, random)
    if plan.generation == 2:
        order_boot(host.name, found.current)


def _controllers(found: Machine, plan: VmPlan, random: Random) -> tuple[CimInstance, CimInstance]:
    """The controller of the system disk, and the one of everything after it."""
    prefix = f"Microsoft:{found.id}"
    scsi = build.scsi_controller(prefix, random)
    if plan.generation == 2:
        found.current.put(scsi)
        return scsi, scsi
    ide = [found.current.put(item) for item in build.ide_controllers(prefix)]
    if len(plan.disks) > 1:
        found.current.put(scsi)
    return ide[0], scsi


def _disks(
    host: SimHost, found: Machine, plan: VmPlan, first: CimInstance, second: CimInstance
) -> None:
    folder = _home(host, plan)
    if not plan.volume and not host.plan.cluster:
        folder = f"{host.plan.store}\\Virtual Hard Disks"
    for index in range(len(plan.disks)):
        controller = first if index == 0 else second
        slot = index if first is second else max(0, index - 1)
        holder = found.current.put(build.drive(host.name, controller, slot))
        tail = "" if index == 0 else f"_{index}"
        kind = "vhd" if plan.generation == 1 and index == 0 and plan.version == "5.0" else "vhdx"
        path = _vacant(host, f"{folder}\\{_safe(plan.name)}{tail}", kind)
        found.current.put(build.image(host.name, holder, path))
        if not plan.lost_disk:
            _furnish_disk(host, found, plan, path, index)
    _pass_through(host, found, plan, second)
    ide = found.current.resources.get(f"Microsoft:{found.id}\\{shapes.IDE}\\1".lower())
    slot = 0 if ide else len(plan.disks)
    dvd = found.current.put(build.drive(host.name, ide or first, slot, dvd=True))
    if plan.iso:
        found.current.put(build.image(host.name, dvd, plan.iso, iso=True))
        size = 1200 * files.MB + 700 * files.MB * (len(plan.iso) % 7)
        host.files.add(files.VirtualFile(plan.iso, size, size))


def _pass_through(host: SimHost, found: Machine, plan: VmPlan, controller: CimInstance) -> None:
    """A drive that is one of the host's own disks."""
    if plan.passes_through:
        slot = len(plan.disks) + 2
        drive = found.current.put(build.drive(host.name, controller, slot, physical=True))
        ref = spare_disks.ref(host, plan.passes_through)
        drive.values["HostResource"] = (shapes.object_path(host.name, ref),)


def _vacant(host: SimHost, stem: str, kind: str) -> str:
    """A path nobody has yet, for machines of the same name."""
    tails = ("", *(f" ({number})" for number in range(2, 100)))
    return next(p for tail in tails if (p := f"{stem}{tail}.{kind}") not in host.files)


def _furnish_disk(host: SimHost, found: Machine, plan: VmPlan, path: str, index: int) -> None:
    size = plan.disks[index] * GIB
    used = int(size * (0.25 + 0.5 * ((found.number * 7 + index * 3) % 10) / 10))
    if plan.fixed:
        image = files.disk(path, size, size + files.HEADER, files.FIXED)
    elif plan.template and index == 0:
        image = files.disk(path, size, used // 3, files.DIFFERENCING, plan.template)
        if plan.template not in host.files:
            host.files.add(files.disk(plan.template, size, size // 3))
        base = host.files.get(plan.template)
        image.parent_identity = base.identity if base else ""
    else:
        image = files.disk(path, size, used)
    image.live = int(used * 0.85)
    image.partitioned = size - files.MB if index == 0 else max(used, size * 4 // 5)
    image.made = host.fabric.origin - 40 * DAY
    host.files.add(image)


def _adapters(host: SimHost, found: Machine, plan: VmPlan, random: Random) -> None:
    prefix = f"Microsoft:{found.id}"
    for nic_plan in plan.nics:
        nic = found.current.put(build.adapter(prefix, random, nic_plan))
        nic.values["Address"] = nic_plan.mac or host.next_address()
        nic.values["StaticMacAddress"] = nic_plan.static or bool(nic_plan.mac)
        switch = host.switch_named(nic_plan.switch) if nic_plan.switch else None
        port = found.current.put(build.connection(host.name, nic, switch))
        if switch is None:
            port.values["LastKnownSwitchName"] = nic_plan.switch
        for item in build.port_features(port, nic_plan):
            found.current.put(item)
        if switch is not None:
            key = shapes.text(nic, "InstanceID").lower()
            number = nic_plan.vlan or UNTAGGED
            found.networks[key] = number
            address = shapes.text(nic, "Address")
            found.addresses[key] = host.fabric.lease(host.site, number, address)


def order_boot(host: str, configuration: Configuration) -> None:
    """Give a generation 2 configuration its boot sources and an order of them."""
    order = []
    devices = [
        item
        for item in configuration.of("Msvm_ResourceAllocationSettingData")
        if shapes.number(item, "ResourceType") in (16, 17)
    ]
    for slot, item in enumerate(devices):
        where = f"\\AcpiEx(VMBus,0,0)\\VenHw(9B17E5A2-0891-42DD-B653-80B5C22809BA)\\Scsi(0,{slot})"
        source = configuration.put(build.boot_source(item, 1, "EFI SCSI Device", where))
        order.append(shapes.setting_path(host, source))
    for item in list(configuration.of("Msvm_SyntheticEthernetPortSettingData")):
        where = f"\\AcpiEx(VMBus,0,0)\\MAC({shapes.text(item, 'Address')},0)\\IPv4(0.0.0.0)"
        source = configuration.put(build.boot_source(item, 2, "EFI Network", where))
        order.append(shapes.setting_path(host, source))
    configuration.settings.values["BootSourceOrder"] = tuple(order) or None


def _enter(found: Machine, plan: VmPlan, now: float, random: Random) -> None:
    """Make the machine look as if it had been in its state for a while."""
    state = STATES[plan.state]
    values = found.system.values
    values["EnabledState"] = state
    uptime = plan.uptime or random.uniform(0.2, 40) * DAY
    uptime = min(uptime, hardware.booted(found.host) * 0.98)
    values["TimeOfLastStateChange"] = shapes.when(now - uptime)
    values["TimeOfLastConfigurationChange"] = shapes.when(now - uptime)
    if state in (machine.OFF, machine.SAVED):
        found.saved_state = state == machine.SAVED
        return
    found.begin(now - uptime)
    found.host.wake(found)
    if state == machine.STARTING:
        found.ready_at = now + DAY
    if state in (machine.PAUSED, machine.PAUSED_CRITICAL):
        found.freeze(now - min(uptime / 2, 5400.0))
    if state == machine.PAUSED_CRITICAL:
        values["HealthState"] = 25
        values["OperationalStatus"] = (3, 32785)
        values["StatusDescriptions"] = (
            "Degraded",
            "The virtual machine is paused because storage it needs is not available.",
        )
        values["Status"] = "Degraded"
    if state == machine.STOPPING:
        found.leaving = True
        values["TimeOfLastStateChange"] = shapes.when(now - 3700.0)


# -- checkpoints ---------------------------------------------------------------------------


def add_checkpoint(found: Machine, plan: CheckpointPlan, identity: str, now: float) -> CimInstance:
    """Hang a checkpoint below the current tip and let the disks go on in new files."""
    taken = now - plan.age
    copy = copy_of(found.current, found.id, identity)
    settings = copy.settings.values
    stamp = shapes.when(taken)
    settings["ElementName"] = plan.name or default_name(found.name, taken)
    settings["CreationTime"] = stamp
    settings["ConfigurationID"] = identity
    settings["VirtualSystemType"] = (
        shapes.RECOVERY if plan.kind == "recovery" else shapes.CHECKPOINT
    )
    settings["IsAutomaticSnapshot"] = plan.kind == "automatic"
    settings["IsSaved"] = plan.kind in ("standard", "automatic") and found.alive
    settings["UserSnapshotType"] = 5 if plan.kind in ("standard", "automatic") else 3
    settings["Notes"] = ("",)
    settings["Description"] = "Checkpoint settings for the virtual machine."
    found.checkpoints[identity] = copy
    for item in (copy.settings, *copy.resources.values()):
        found.host.repository.add(item)
    found.settings.values["Parent"] = shapes.setting_path(found.host.name, copy.settings)
    for image in found.images:
        branch(found, image, identity, plan.age)
    papers.write_checkpoint(found, identity)
    return copy.settings


def default_name(name: str, taken: float) -> str:
    """What a host calls a checkpoint nobody named (English locale)."""
    moment = shapes.when(taken)
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    day = f"{moment.month}/{moment.day}/{moment.year}"
    return f"{name} - ({day} - {hour}:{moment.minute:02d}:{moment.second:02d} {half})"


def copy_of(source: Configuration, old: str, new: str) -> Configuration:
    """The same settings under another GUID."""

    def renamed(item: CimInstance) -> CimInstance:
        values: dict[str, CimValue] = dict(item.values)
        values["InstanceID"] = shapes.text(item, "InstanceID").replace(old, new)
        if isinstance(values.get("Parent"), str):
            values["Parent"] = str(values["Parent"]).replace(old, new)
        return CimInstance(item.class_name, values, item.namespace)

    settings = renamed(source.settings)
    order = source.settings.values.get("BootSourceOrder")
    if isinstance(order, tuple):
        settings.values["BootSourceOrder"] = tuple(str(path).replace(old, new) for path in order)
    copy = Configuration(settings)
    for item in source.resources.values():
        copy.put(renamed(item))
    return copy


def branch(found: Machine, image: CimInstance, identity: str, age: float = 0.0) -> None:
    """Let a drive go on in a new differencing disk, which has grown for some time already."""
    store = found.host.files
    path = "".join(shapes.strings(image, "HostResource")[:1])
    parent = store.get(path)
    stem, _, kind = path.rpartition(".")
    if kind.lower() not in ("vhd", "vhdx", "avhd", "avhdx"):
        return
    base = _BRANCH.sub("", stem)
    child = f"{base}_{identity}.{'avhd' if kind.lower().endswith('vhd') else 'avhdx'}"
    image.values["HostResource"] = (child,)
    size = parent.size if parent is not None else 0
    grown = min(size // 4, int((0.2 + 0.3 * age / DAY) * GIB)) if age else 0
    made = files.disk(child, size, files.HEADER + grown, files.DIFFERENCING, path)
    if parent is not None:
        made.parent_identity = parent.identity
        made.partitioned = parent.partitioned
    made.made = found.host.fabric.now() - age
    store.add(made)

"""Methods: exporting and importing machines (Msvm_VirtualSystemManagementService)."""

from __future__ import annotations

from tui.sim import definitions, disks, exports, files, merging, shapes
from tui.sim.definitions import Definition
from tui.sim.jobs import JobError, Work
from tui.sim.machine import OFF, PAUSED, RUNNING, SAVED, Machine
from tui.sim.outcome import FAILED, INVALID, STATE, Call, Method, Stop, returned
from tui.wsman.cim import CimInstance, CimRef
from tui.wsman.reply import MethodOutput

EXPORT, IMPORT, VALIDATE, REALIZE = 62, 61, 140, 141
RATE = files.GIB
SETTINGS = "Msvm_VirtualSystemExportSettingData"
SAVED_STATE = 1
"""CaptureLiveState: the memory of a running machine goes along."""


# -- export --------------------------------------------------------------------------------


def _scope(call: Call, machine: Machine) -> tuple[exports.Scope, bool]:
    """What is wanted, and whether the machine gets a folder of its own."""
    if not call.text("ExportSettingData").strip():
        return exports.Scope(), True
    given = call.embedded(call.get("ExportSettingData"))
    if given.class_name != SETTINGS:
        raise Stop(INVALID)
    kind = shapes.number(given, "CopySnapshotConfiguration")
    if kind not in (exports.ALL, exports.NONE, exports.ONE, exports.ONE_FOR_BACKUP):
        raise Stop(INVALID)
    only = ""
    if kind in (exports.ONE, exports.ONE_FOR_BACKUP):
        path = shapes.text(given, "SnapshotVirtualSystem").upper()
        only = next((key for key in machine.checkpoints if key in path), "")
        if not only:
            raise Stop(INVALID)
    runtime = given.values.get("CopyVmRuntimeInformation") is not False
    live = machine.alive and shapes.number(given, "CaptureLiveState") == SAVED_STATE
    scope = exports.Scope(
        kind, only, given.values.get("CopyVmStorage") is not False, runtime, runtime and live
    )
    return scope, given.values.get("CreateVmExportSubdirectory") is not False


def _folder_name(name: str) -> str:
    return "".join("_" if c in '<>:"/\\|?*' or ord(c) < 32 else c for c in name).strip() or "_"


def export(call: Call) -> MethodOutput:
    """Copies everything into a folder; the space is taken from the beginning."""
    machine = call.free(call.machine(call.get("ComputerSystem")))
    folder = files.clean(call.text("ExportDirectory"))
    scope, apart = _scope(call, machine)
    if not folder:
        raise Stop(INVALID)
    if machine.state not in (RUNNING, OFF, SAVED, PAUSED):
        raise Stop(STATE)
    if apart:
        folder = f"{folder.rstrip(chr(92))}\\{_folder_name(machine.name)}"
    plan = exports.Export(machine, folder, scope)
    error = _export_error(machine, plan, folder)
    store = call.host.files
    if error is None:
        merging.activity(machine, merging.EXPORTING)
        for file in plan.made.values():
            file.busy = True
            store.add(file)

    def done(at: float) -> tuple[CimRef, ...]:
        plan.seal()
        for file in plan.made.values():
            file.busy = False
        merging.idle(machine)
        return ()

    def failed(at: float) -> None:
        merging.idle(machine)
        for file in plan.made.values() if error is None else ():
            store.remove(file.path)

    seconds = 2.0 + plan.size / RATE if error is None else 1.0
    words = "Exporting Virtual Machine"
    return call.job(Work(EXPORT, words, seconds, done, failed, error, cancellable=True), machine)


def _export_error(machine: Machine, plan: exports.Export, folder: str) -> JobError | None:
    store = machine.host.files
    what = (
        f"Failed to export the virtual machine '{machine.name}'. "
        f"(Virtual machine ID {machine.id}) '{folder}'"
    )
    if store.volume(folder) is None:
        return disks.trouble(what, disks.NO_FOLDER)
    if any(file.path in store for file in plan.made.values()):
        return disks.trouble(what, disks.EXISTS)
    for image in machine.images:
        if image.values["Access"] != 1 and disks.image_path(image) not in store:
            return disks.trouble(f"{what} '{disks.image_path(image)}'", disks.MISSING)
    if store.free(folder) < plan.size:
        return disks.trouble(what, disks.FULL)
    return None


# -- import --------------------------------------------------------------------------------


def import_definition(call: Call) -> MethodOutput:
    """A configuration file becomes a planned machine, where it lies."""
    path = files.clean(call.text("SystemDefinitionFile"))
    if not path:
        raise Stop(INVALID)
    host = call.host
    found, error = _read(call, path)
    fresh = bool(call.get("GenerateNewSystemIdentifier"))
    identity = found.id if found is not None else ""
    if fresh:
        identity = shapes.guid(host.fabric.random(host.name, "import", host.next_number()))
    elif error is None and (identity in host.machines or identity in host.planned):
        error = JobError(
            FAILED,
            "Import failed. The virtual machine cannot be imported because a virtual machine with "
            f"the same identifier, {identity}, already exists.",
        )
    machines: list[Machine] = []
    snapshots = files.clean(call.text("SnapshotFolder"))

    def done(at: float) -> tuple[CimRef, ...]:
        assert found is not None
        folder = files.folder_of(files.folder_of(path))
        machine = definitions.plan(host, found, identity, folder)
        machines.append(machine)
        if snapshots:
            _take_checkpoints(machine, _checkpoints(call, snapshots, found.id), fresh=fresh)
        definitions.show(host, machine)
        return (shapes.system_ref(identity, definitions.PLANNED),)

    return call.job(Work(IMPORT, "Importing Virtual Machine", 2.0, done, error=error))


def _read(call: Call, path: str) -> tuple[Definition | None, JobError | None]:
    file = call.host.files.get(path)
    what = f"Failed to import a virtual machine from '{path}'"
    if file is None:
        return None, disks.trouble(what, disks.MISSING)
    found = definitions.read(call.host, path)
    if found is None:
        return None, disks.trouble(what, (0x8007000D, "The data is invalid."))
    return found, None


def _checkpoints(call: Call, folder: str, identity: str) -> list[Definition]:
    found = []
    for file in call.host.files.below(folder):
        made = definitions.read(call.host, file.path)
        if made is not None and made.checkpoint and made.id == identity:
            found.append(made)
    return found


def _take_checkpoints(
    machine: Machine, found: list[Definition], *, fresh: bool
) -> list[CimInstance]:
    """Add checkpoints to a planned machine, with identifiers of their own when it has new ones."""
    random = machine.host.fabric.random(machine.id, "checkpoints")
    names = {d.checkpoint: shapes.guid(random) if fresh else d.checkpoint for d in found}
    made = [definitions.add_checkpoint(machine, one, names) for one in found]
    store = machine.host.files
    leaves = [store.get(path) for path in disks.held(machine.current)]
    parents = {leaf.parent.lower() for leaf in leaves if leaf is not None and leaf.parent}
    for checkpoint in machine.checkpoints.values():
        if parents & {path.lower() for path in disks.held(checkpoint)}:
            path = shapes.setting_path(machine.host.name, checkpoint.settings)
            machine.settings.values["Parent"] = path
    return made


def planned(call: Call, name: str = "PlannedSystem") -> Machine:
    ref = call.ref(call.get(name))
    found = call.host.planned.get((ref.key("Name") or "").upper())
    if found is None:
        raise Stop(INVALID)
    return call.free(found)


def import_checkpoints(call: Call) -> MethodOutput:
    machine = planned(call)
    folder = files.clean(call.text("SnapshotFolder"))
    if not folder:
        raise Stop(INVALID)
    known = {
        made.id
        for file in call.host.files.below(files.folder_of(folder))
        if (made := definitions.read(call.host, file.path)) is not None and not made.checkpoint
    }
    found = [d for one in sorted(known) for d in _checkpoints(call, folder, one)]

    def done(at: float) -> tuple[CimRef, ...]:
        fresh = machine.id not in known
        made = _take_checkpoints(machine, found, fresh=fresh)
        definitions.show(call.host, machine)
        return tuple(shapes.setting_ref(item) for item in made)

    ref = shapes.system_ref(machine.id, definitions.PLANNED)
    words = "Importing Virtual Machine Checkpoints"
    return call.job(Work(IMPORT, words, 1.0, done, affected=(ref,)))


# -- from planned to real ------------------------------------------------------------------


def _problem(machine: Machine, what: str) -> JobError | None:
    found = definitions.problems(machine)
    if not found:
        return None
    text = f"'{machine.name}' {what} (Virtual machine ID {machine.id}) " + " ".join(found)
    return JobError(FAILED, text)


def validate(call: Call) -> MethodOutput:
    machine = planned(call)
    error = _problem(machine, "cannot be realized on this host.")
    ref = shapes.system_ref(machine.id, definitions.PLANNED)
    words = "Validating Planned Virtual Machine"
    return call.job(Work(VALIDATE, words, 1.0, error=error, affected=(ref,)))


def realize(call: Call) -> MethodOutput:
    machine = planned(call)
    error = _problem(machine, "failed to be realized.")

    def done(at: float) -> tuple[CimRef, ...]:
        if machine.id not in call.host.planned:
            raise JobError(FAILED, "The planned virtual machine is gone.")
        definitions.realize(call.host, machine)
        return (shapes.system_ref(machine.id),)

    ref = shapes.system_ref(machine.id, definitions.PLANNED)
    words = "Realizing Virtual Machine"
    return call.job(Work(REALIZE, words, 2.0, done, error=error, affected=(ref,)))


def summaries(call: Call) -> MethodOutput:
    """What configuration files say, without importing them; 32773 when one is none."""
    rows = []
    for value in call.many("DefinitionFiles"):
        found = definitions.read(call.host, files.clean(str(value)))
        if found is None:
            raise Stop(INVALID)
        rows.append(_summary(found))
    if not rows:
        raise Stop(INVALID)
    return returned(0, SummaryInformation=tuple(rows))


def _summary(found: Definition) -> CimInstance:
    settings = found.current.settings
    processor = found.current.first("Msvm_ProcessorSettingData")
    ports = found.current.of(definitions.CONNECTION)
    names = (shapes.text(port, "LastKnownSwitchName") for port in ports)
    return shapes.new(
        "Msvm_SummaryInformationBase",
        InstanceID=settings.values["InstanceID"],
        Name=found.id,
        ElementName=found.name,
        CreationTime=settings.values["CreationTime"],
        Notes="".join(shapes.strings(settings, "Notes")[:1]),
        NumberOfProcessors=shapes.number(processor, "VirtualQuantity") if processor else None,
        EnabledState=SAVED if settings.values["IsSaved"] else OFF,
        Version=settings.values["Version"],
        VirtualSystemSubType=settings.values["VirtualSystemSubType"],
        VirtualSwitchNames=tuple(dict.fromkeys(name for name in names if name)),
    )


SERVICE = "Msvm_VirtualSystemManagementService"
METHODS: dict[tuple[str, str], Method] = {
    (SERVICE, "ExportSystemDefinition"): export,
    (SERVICE, "ImportSystemDefinition"): import_definition,
    (SERVICE, "ImportSnapshotDefinitions"): import_checkpoints,
    (SERVICE, "ValidatePlannedSystem"): validate,
    (SERVICE, "RealizePlannedSystem"): realize,
    (SERVICE, "GetDefinitionFileSummaryInformation"): summaries,
}

"""What a machine's sheet adds to the facts of its row, as titled groups. Knows no widget."""

from __future__ import annotations

from collections.abc import Iterator

from tui.hyperv import templates
from tui.hyperv.model import Host
from tui.hyperv.sheet import Sheet
from tui.rows import text
from tui.store import VmRow
from tui.ui.facts import Section

ISOLATION = {0: "trusted launch", 1: "VBS", 2: "SEV-SNP", 3: "TDX", 4: "RME", 16: "OpenHCL"}
CRITICAL = {0: "nothing", 1: "pause"}
CHECKPOINT_TYPES = {
    2: "none",
    3: "production, else standard",
    4: "production only",
    5: "standard",
}


def overview(row: VmRow, sheet: Sheet) -> Iterator[Section]:
    """Security, what happens by itself, groups, boot order, and what the guest tells."""
    yield _security(sheet, row.host)
    yield _automatic(sheet)
    groups = Section("Groups")
    for name in sheet.groups:
        groups.add("", name)
    yield groups
    yield Section("Files").add("Folder", sheet.folder)
    boot = Section("Boot order")
    for position, source in enumerate(sheet.boot, start=1):
        boot.add(str(position), boot_source(source, sheet))
    yield boot
    told = Section("Told by the guest")
    for name, value in sheet.exchanged:
        told.add("", f"{name}: {value}" if value else "")
    yield told


def boot_source(path: str, sheet: Sheet) -> str:
    """The drive or adapter an object path of Msvm_BootSourceSettingData leads to."""
    plain = path.replace("\\\\", "\\").casefold()
    for drive in sheet.drives:
        if drive.id.casefold() in plain:
            kind = "DVD " if drive.dvd else ""
            return f"{kind}{drive.controller} {drive.controller_number}:{drive.slot} {drive.path}"
    for adapter in sheet.adapters:
        if adapter.id.casefold() in plain:
            return f"network, {adapter.name}"
    return path


def _security(sheet: Sheet, host: Host) -> Section:
    security = sheet.security
    section = Section("Security")
    boot = "on" if security.secure_boot else "off"
    template = templates.name(host, security.template)
    section.add("Secure boot", f"{boot}, {template}" if template and security.secure_boot else boot)
    section.add("TPM", "on" if security.tpm else "off")
    section.add("Shielded", "yes" if security.shielded else "")
    section.add("Traffic", "encrypted when saved or moved" if security.encrypt_traffic else "")
    if security.isolation >= 0:
        section.add("Isolation", ISOLATION.get(security.isolation, str(security.isolation)))
    return section.add("Nested", "on" if sheet.processor.nested else "off")


def _automatic(sheet: Sheet) -> Section:
    automatic = sheet.automatic
    section = Section("By itself")
    delay = f" after {automatic.start_delay} s" if automatic.start_delay else ""
    section.add("Host starts", text.START_ACTIONS.get(automatic.start, "") + delay)
    section.add("Host stops", text.STOP_ACTIONS.get(automatic.stop))
    section.add("Disk fails", CRITICAL.get(automatic.critical))
    section.add("Checkpoints", CHECKPOINT_TYPES.get(automatic.checkpoint_type))
    return section.add("Automatic", "a checkpoint at start" * automatic.automatic_checkpoints)


def hardware(row: VmRow, sheet: Sheet) -> Iterator[Section]:
    """Processor and memory, settings beside what is used."""
    processor, memory = sheet.processor, sheet.memory
    section = Section("Processor")
    section.add("Processors", text.count(processor.count))
    section.add("Load", text.percent(row.vitals.cpu))
    section.add("Weight", text.count(processor.weight))
    section.add("Reserve", f"{processor.reservation / 1000:g} %")
    section.add("Limit", f"{processor.limit / 1000:g} %")
    section.add("Nested", "on" if processor.nested else "off")
    section.add("Compatible", "with other processors" if processor.compatible else "off")
    section.add("Per NUMA", text.count(processor.per_numa_node or None))
    yield section
    used = Section("Memory")
    used.add("Startup", text.size(memory.startup))
    used.add("Dynamic", "on" if memory.dynamic else "off")
    if memory.dynamic:
        used.add("Minimum", text.size(memory.minimum))
        used.add("Maximum", text.size(memory.maximum))
        used.add("Buffer", f"{memory.buffer} %")
    used.add("Weight", text.count(memory.weight))
    used.add("Assigned", text.size(row.vitals.memory))
    used.add("Demand", text.size(row.vitals.demand))
    yield used

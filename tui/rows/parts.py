"""The parts of one machine as rows: drives with their chains, adapters, checkpoints, services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tui.hyperv import merging
from tui.hyperv.merging import Merge
from tui.hyperv.model import Checkpoint, Host, Integration, Vm, Volume
from tui.hyperv.sheet import Adapter, Drive, Image, Instance, Sheet
from tui.hyperv.volumes import volume_of
from tui.rows import levels, text
from tui.rows.column import Cell, Column, plain

IMAGE_KINDS: Mapping[int, str] = {2: "Fixed", 3: "Dynamic", 4: "Differencing"}
FORMATS: Mapping[int, str] = {2: "VHD", 3: "VHDX", 4: "VHD set"}
SERVICES: Mapping[str, str] = {
    "heartbeat": "Heartbeat",
    "kvp": "Data exchange",
    "shutdown": "Guest shutdown",
    "timesync": "Time synchronization",
    "vss": "Backup (VSS)",
    "guest-services": "Guest services",
}
COMPONENT_STATES: Mapping[int, tuple[str, str]] = {
    0: ("", ""),
    2: ("Running", "ok"),
    3: ("Degraded", "warning"),
    7: ("Error", "error"),
    12: ("No contact", "warning"),
    13: ("Lost contact", "error"),
    15: ("Paused", "warning"),
    32775: ("Other version", "warning"),
    32782: ("Application critical", "error"),
    32783: ("Timed out", "error"),
    32784: ("Failed", "error"),
}
"""OperationalStatus of a running component, in words."""


# -- drives --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DiskLine:
    """A drive with the image in use, or one parent of its chain."""

    key: str
    drive: Drive
    image: Image | None
    depth: int
    volume: Volume | None

    @property
    def path(self) -> str:
        return self.image.path if self.image else self.drive.path


def disk_lines(sheet: Sheet, host: Host) -> Iterator[DiskLine]:
    """Every drive, its chain below it from the file in use down to its oldest parent."""
    for drive in sheet.drives:
        first = drive.chain[0] if drive.chain else None
        yield DiskLine(drive.id, drive, first, 0, volume_of(host.volumes, drive.path))
        for depth, image in enumerate(drive.chain[1:], start=1):
            key = f"{drive.id}#{depth}"
            yield DiskLine(key, drive, image, depth, volume_of(host.volumes, image.path))


def _place(row: DiskLine) -> str:
    if row.depth:
        return "  " * row.depth + text.shorten("parent", 8)
    kind = "DVD " if row.drive.dvd else ""
    return f"{kind}{row.drive.controller} {row.drive.controller_number}:{row.drive.slot}"


def _file(row: DiskLine) -> str:
    if row.path:
        return row.path
    return "physical disk" if row.drive.physical else "empty"


def _image_kind(row: DiskLine) -> Cell:
    if row.image is None:
        return Cell("")
    if row.image.trouble:
        return Cell(row.image.trouble, "error")
    words = (IMAGE_KINDS.get(row.image.kind, ""), FORMATS.get(row.image.format, ""))
    return Cell(" ".join(filter(None, words)))


def _free(row: DiskLine) -> Cell:
    if row.volume is None or not row.volume.capacity:
        return Cell("")
    share = 100 * row.volume.free / row.volume.capacity
    return Cell(text.size(row.volume.free), levels.tone("volume_free", share))


DISK_COLUMNS: tuple[Column[DiskLine], ...] = (
    Column("place", "Where", _place, plain(_place), 14, 10, priority=0),
    Column("file", "File", _file, plain(_file), 40, 16, priority=0, grow=True),
    Column("kind", "Kind", lambda r: _image_kind(r).text, _image_kind, 17, 8, priority=3),
    Column("size", "Size", lambda r: r.image.size if r.image else None,
           plain(lambda r: text.size(r.image.size) if r.image and r.image.size else ""),
           8, right=True, priority=1),
    Column("used", "Used", lambda r: r.image.used if r.image else None,
           plain(lambda r: text.size(r.image.used) if r.image and r.image.used else ""),
           8, right=True, priority=1),
    Column("free", "Free there", lambda r: r.volume.free if r.volume else None, _free,
           10, right=True, priority=4),
)  # fmt: skip


# -- adapters ------------------------------------------------------------------------------


def _switch(row: Adapter) -> Cell:
    if not row.connected:
        last = f" (was {row.switch_name})" if row.switch_name else ""
        return Cell(f"not connected{last}", "warning")
    return Cell(row.switch_name)


def guards(row: Adapter) -> str:
    """What is guarded or allowed on the port, in words."""
    words = (
        ("MAC spoofing", row.mac_spoofing),
        ("DHCP guard", row.dhcp_guard),
        ("router guard", row.router_guard),
    )
    return ", ".join(word for word, on in words if on)


def bandwidth(row: Adapter) -> str:
    """Minimum and maximum of the port."""
    parts = []
    if row.bandwidth_reservation:
        parts.append(f"min {text.bits(row.bandwidth_reservation)}")
    if row.bandwidth_weight:
        parts.append(f"weight {row.bandwidth_weight}")
    if row.bandwidth_limit:
        parts.append(f"max {text.bits(row.bandwidth_limit)}")
    return ", ".join(parts)


def _mac(row: Adapter) -> str:
    return text.mac(row.mac) + (" static" if row.static_mac else "")


ADAPTER_COLUMNS: tuple[Column[Adapter], ...] = (
    Column("name", "Name", lambda r: r.name, plain(lambda r: r.name), 20, 10, priority=0),
    Column("switch", "Switch", lambda r: r.switch_name, _switch, 18, 12, priority=0, grow=True),
    Column("vlan", "VLAN", lambda r: text.vlan(r.vlan),
           plain(lambda r: text.vlan(r.vlan) or "untagged"), 12, 8, priority=1),
    Column("mac", "MAC", lambda r: r.mac, plain(_mac), 24, 17, priority=3),
    Column("ip", "Addresses", lambda r: ", ".join(r.addresses),
           plain(lambda r: ", ".join(r.addresses)), 24, 13, priority=2, grow=True),
    Column("guards", "Guards", guards, plain(guards), 20, 10, priority=4),
    Column("bandwidth", "Bandwidth", bandwidth, plain(bandwidth), 20, 10, priority=5),
    Column("kind", "Kind", lambda r: r.emulated,
           plain(lambda r: "legacy" if r.emulated else "synthetic"), 9, priority=6),
)  # fmt: skip


# -- checkpoints ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PointLine:
    """A checkpoint in its tree; or, without one, where the machine is now."""

    key: str
    point: Checkpoint | None
    depth: int
    now: float


NOW = "now"


def point_lines(points: Iterable[Checkpoint], now: float) -> list[PointLine]:
    """The tree, children below their parent by age, ``now`` below the checkpoint it grew from."""
    known = {point.id: point for point in points}
    children: dict[str, list[Checkpoint]] = {}
    for point in sorted(known.values(), key=lambda point: point.created_at):
        parent = point.parent if point.parent in known else ""
        children.setdefault(parent, []).append(point)
    lines: list[PointLine] = []

    def add(parent: str, depth: int) -> None:
        for point in children.get(parent, ()):
            lines.append(PointLine(point.id, point, depth, now))
            add(point.id, depth + 1)
            if point.current:
                lines.append(PointLine(NOW, None, depth + 1, now))

    add("", 0)
    if lines and not any(line.key == NOW for line in lines):
        lines.append(PointLine(NOW, None, 0, now))
    return lines


def _point_name(row: PointLine) -> str:
    mark = (
        ""
        if row.depth == 0
        else "  " * (row.depth - 1) + ("└ " if not text.ascii_in_use() else "` ")
    )
    return mark + (row.point.name if row.point else "now")


def _point_kind(row: PointLine) -> Cell:
    if row.point is None:
        return Cell("the machine as it runs", "accent")
    tone = {"missing": "error", "recovery": "warning"}.get(row.point.kind, "")
    return Cell(row.point.kind + (", automatic" if row.point.automatic else ""), tone)


def _point_age(row: PointLine) -> str:
    return text.age(row.now - row.point.created_at) if row.point else ""


POINT_COLUMNS: tuple[Column[PointLine], ...] = (
    Column("name", "Checkpoint", _point_name, lambda r: Cell(
        _point_name(r), "" if r.point else "accent"), 44, 16, priority=0, grow=True),
    Column("kind", "Kind", lambda r: _point_kind(r).text, _point_kind, 24, 12, priority=1),
    Column("age", "Age", lambda r: r.point.created_at if r.point else None,
           plain(_point_age), 8, right=True, priority=0),
    Column("created", "Created", lambda r: r.point.created_at if r.point else None,
           plain(lambda r: text.day(r.point.created_at) if r.point else ""), 16, priority=3),
)  # fmt: skip


def merge_note(vm: Vm, activity: int, sheet: Sheet | None) -> Cell:
    """How the merging of a machine's disks stands, as a sentence; empty when all is merged."""
    stands, images = merging.standing(vm, activity, sheet), merging.left(vm, sheet)
    counted = f"{images} image{'s' * (images != 1)}"
    waits = f"{counted} wait{'s' * (images == 1)}" if images else "nothing waits"
    match stands:
        case Merge.RUNNING:
            return Cell("Merging is running: what deleted checkpoints left goes into its parent",
                        "changing")  # fmt: skip
        case Merge.DISABLED:
            return Cell(f"Merging is disabled: {waits}; Enable merging lets the host merge",
                        "warning")  # fmt: skip
        case Merge.WAITING:
            return Cell(f"Merging is waiting: {counted} of deleted checkpoints to be merged",
                        "warning")  # fmt: skip
        case _:
            return Cell("")


# -- services and values -------------------------------------------------------------------


SERVICE_COLUMNS: tuple[Column[Integration], ...] = (
    Column("name", "Service", lambda r: SERVICES.get(r.name, r.name),
           plain(lambda r: SERVICES.get(r.name, r.name)), 24, 14, priority=0),
    Column("offered", "Offered", lambda r: r.enabled,
           lambda r: Cell("yes", "ok") if r.enabled else Cell("no", "dim"), 8, priority=0),
    Column("status", "In the guest", lambda r: r.status, lambda r: Cell(
        *COMPONENT_STATES.get(r.status, (str(r.status), "warning"))),
           24, 12, priority=0, grow=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ValueLine:
    """One property of one instance."""

    key: str
    class_name: str
    name: str
    value: str


def value_lines(instances: Iterable[Instance], wanted: str = "") -> Iterator[ValueLine]:
    """Every property as text; with ``wanted`` those whose class, name or value holds it."""
    needle = wanted.casefold()
    for index, instance in enumerate(instances):
        for name, value in instance.properties:
            if needle and needle not in f"{instance.class_name} {name} {value}".casefold():
                continue
            yield ValueLine(f"{index}:{name}", instance.class_name, name, value)


VALUE_COLUMNS: tuple[Column[ValueLine], ...] = (
    Column("class", "Class", lambda r: r.class_name,
           plain(lambda r: r.class_name, "dim"), 36, 20, priority=3),
    Column("name", "Property", lambda r: r.name, plain(lambda r: r.name), 30, 18, priority=0),
    Column("value", "Value", lambda r: r.value, plain(lambda r: r.value),
           40, 16, priority=0, grow=True),
)  # fmt: skip


def services_of(vm: Vm) -> Iterator[Integration]:
    """The services of a machine in the order people know them."""
    known = {service.name: service for service in vm.integration}
    for name in SERVICES:
        if name in known:
            yield known[name]

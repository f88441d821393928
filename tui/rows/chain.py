"""The chain from a hot disk to its neighbours in words, and the neighbours as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from tui.hyperv.plans.words import several
from tui.rows import levels, meters, text
from tui.rows.amounts import brief, often
from tui.rows.column import Cell, Column, plain
from tui.rows.neighbours import Chain, Neighbour, free_of, load_of
from tui.rows.ranking import IOPS
from tui.rows.top import CPU, Measure, Span, line_column
from tui.rows.vocabulary import COMMON, Unit, Vocabulary, no_tags, place, table, text_of, value_of
from tui.store import DiskRow

Step = tuple[str, str, str]
"""Label, words, tone."""


# -- the chain -----------------------------------------------------------------------------


def steps(found: Chain) -> Iterator[Step]:
    """A line for every link of the chain, then the verdict, then what is not known."""
    if found.disk is not None and not found.processors:
        yield ("Disk", _disk(found.disk), levels.tone("disk_latency", found.disk.meter.latency))
    if found.vm is not None:
        yield ("VM", _machine(found), "")
    if found.processors:
        yield ("Host", _host(found), "")
    elif found.volume:
        yield ("Volume", _volume(found), levels.tone("disk_latency", found.latency))
    words = verdict(found)
    if words:
        slow = bool(levels.tone("disk_latency", found.latency))
        calm = "" if found.unread else "ok"
        tone = ("error" if slow else "warning") if found.culprit is not None else calm
        yield ("Verdict", words, tone)
    for unread in found.unread:
        yield ("Not known", unread, "dim")


def _joined(*parts: str) -> str:
    return "  ".join(part for part in parts if part)


def _flow(
    iops: float | None, rate: float | None, latency: float | None, queue: float | None
) -> str:
    return _joined(
        brief(latency),
        f"{often(iops)} IOPS" if iops is not None else "",
        text.rate(rate),
        f"queue {often(queue)}" if queue is not None else "",
    )


def _disk(row: DiskRow) -> str:
    flow = _flow(meters.iops(row), meters.rate(row), row.meter.latency, row.meter.queue)
    return _joined(row.name, flow)


def _machine(found: Chain) -> str:
    row = found.vm
    if row is None:
        return ""
    cpu = f"CPU {text.percent(row.vitals.cpu)}" if row.vitals.cpu is not None else ""
    return _joined(f"{row.name} on {row.host.id}", text.vm_shown(row.vitals).word, cpu)


def _volume(found: Chain) -> str:
    iops, rate, queue = load_of(found)
    free, whole = free_of(found)
    room = f"{text.size(free)} free of {text.size(whole)}" if free is not None else ""
    where = "shared by the cluster" if found.shared else f"of {found.hosts[0]}"
    return _joined(f"{found.volume} {where}", _flow(iops, rate, found.latency, queue), room)


def _host(found: Chain) -> str:
    row = found.host
    if row is None:
        return ""
    share = text.host_memory(row.host, row.vitals)
    return _joined(
        row.host.id,
        f"CPU {text.percent(row.vitals.cpu)}" if row.vitals.cpu is not None else "",
        f"of {several(row.host.logical_processors, 'processor')}"
        if row.host.logical_processors
        else "",
        f"memory {text.percent(share)}" if share is not None else "",
    )


def verdict(found: Chain) -> str:
    """Who it is, in a sentence that claims no more than was read."""
    if not found.neighbours:
        return ""
    limit = ", as far as is known" if found.unread else ""
    if found.culprit is not None:
        slow = bool(levels.tone("disk_latency", found.latency))
        after = f", which takes {brief(found.latency)}" if slow else ""
        verb, where = (
            ("has", "of the processors") if found.processors else ("does", "on this volume")
        )
        return f"{found.culprit.name} {verb} {found.culprit.note} {where}{after}{limit}"
    owned = [one for one in found.neighbours if one.machine is not None or one.disks]
    if len(owned) < 2:
        place = "runs on this host" if found.processors else "works on this volume"
        return f"Nobody else {place}{limit}"
    return f"Nobody stands out{limit}"


# -- neighbours ----------------------------------------------------------------------------


def _share(get: Callable[[Neighbour], float | None]) -> Callable[[Neighbour], Cell]:
    def cell(row: Neighbour) -> Cell:
        value = get(row)
        if value is None:
            return Cell("")
        return Cell(text.percent(value), "warning" if row.note else "", min(1.0, value / 100))

    return cell


def _latency(row: Neighbour) -> Cell:
    return Cell(brief(row.latency), levels.tone("disk_latency", row.latency))


def _note(row: Neighbour) -> Cell:
    if row.note:
        return Cell(row.note, "warning")
    return Cell("the one asked about" if row.here else "", "dim")


def _disk_keys(row: Neighbour) -> tuple[str, ...]:
    return tuple(disk.key for disk in row.disks)


def _machine_keys(row: Neighbour) -> tuple[str, ...]:
    return (row.machine.key,) if row.machine is not None else ()


def _wait(row: Neighbour) -> float | None:
    return meters.wait(row.machine) if row.machine is not None else None


def _wait_cell(row: Neighbour) -> Cell:
    return Cell(brief(_wait(row)), levels.tone("processor_wait", _wait(row)))


def _own(row: Neighbour) -> int | None:
    return row.machine.vitals.cpu if row.machine is not None else None


def _cores(row: Neighbour) -> int | None:
    return (row.machine.vm.processors or None) if row.machine is not None else None


def _amount(
    id: str, title: str, get: Callable[[Neighbour], Any], words: Callable[[Any], str], width: int,
    priority: int,
) -> Column[Any]:  # fmt: skip
    return Column(id, title, get, lambda row: Cell(words(get(row))), width, right=True,
                  priority=priority)  # fmt: skip


_NAME: Final[Column[Any]] = Column(
    "name", "Who", lambda r: r.name, plain(lambda r: r.name), 18, 12, priority=0, grow=True
)
_HOST: Final[Column[Any]] = Column(
    "host", "Host", lambda r: r.host.id, plain(lambda r: r.host.id), 12, 8, priority=4
)
_NOTE: Final[Column[Any]] = Column(
    "note", "", lambda r: r.note, _note, 30, 18, priority=3, grow=True, prose=True
)


def volume_columns(span: Span) -> tuple[Column[Any], ...]:
    """Of those who share a volume."""
    measure = Measure("iops", "IOPS", IOPS.metrics, often, 8, (0, 3, 1), least=IOPS.least,
                      keys=_disk_keys)  # fmt: skip
    iops = _amount("iops", "IOPS", lambda r: r.iops, often, 6, 1)
    return (
        _NAME, _HOST, iops,
        Column("iops_share", "of IOPS", lambda r: r.iops_share, _share(lambda r: r.iops_share),
               10, 8, right=True, priority=0),
        _amount("rate", "Rate", lambda r: r.rate, text.rate, 9, 2),
        Column("rate_share", "of bytes", lambda r: r.rate_share, _share(lambda r: r.rate_share),
               10, 8, right=True, priority=0),
        Column("latency", "Latency", lambda r: r.latency, _latency, 7, right=True, priority=1),
        line_column(measure, span, iops, 2), _NOTE,
    )  # fmt: skip


def host_columns(span: Span) -> tuple[Column[Any], ...]:
    """Of those who share the processors of a host."""
    measure = Measure("cpu", "CPU", CPU.metrics, text.percent, 8, (0, 3, 1), 100.0,
                      keys=_machine_keys)  # fmt: skip
    cpu = _amount("cpu", "CPU", _own, text.percent, 5, 2)
    return (
        _NAME, cpu, _amount("vcpus", "vCPU", _cores, text.count, 4, 3),
        _amount("of_host", "of host", lambda r: r.cpu, text.percent, 7, 1),
        Column("cpu_share", "of use", lambda r: r.cpu_share, _share(lambda r: r.cpu_share),
               10, 8, right=True, priority=0),
        Column("wait", "CPU wait", _wait, _wait_cell, 8, right=True, priority=3),
        line_column(measure, span, cpu, 2), _NOTE,
    )  # fmt: skip


NEIGHBOUR: Final = Vocabulary(
    fields=table(
        text_of("name", lambda r: (r.name,)),
        text_of("host", lambda r: place(r.host)[:2]),
        value_of(Unit.NUMBER, "iops", lambda r: r.iops),
        value_of(Unit.SIZE, "rate", lambda r: r.rate),
        value_of(Unit.PERCENT, "share", lambda r: r.cpu_share or r.iops_share),
        value_of(Unit.PERCENT, "cpu", lambda r: r.cpu),
    ),
    flags={**COMMON, "problem": lambda r: bool(r.note)},
    pieces=lambda r: (r.name, r.host.id),
    place=lambda r: place(r.host),
    tags=no_tags,
    host=lambda r: r.host.id,
)

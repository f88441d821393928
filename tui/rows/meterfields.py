"""What images, adapters, uplinks and volumes can be filtered by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tui.rows import levels, meters, text
from tui.rows.vocabulary import COMMON, Unit, Vocabulary, no_tags, place, table, text_of, value_of


def _latency(row: Any) -> float | None:
    """In milliseconds, as people type it."""
    value = row.meter.latency
    return None if value is None else value * 1000


def _slow(row: Any) -> bool:
    return bool(levels.tone("disk_latency", row.meter.latency))


def _drops(row: Any) -> bool:
    return bool(levels.tone("drops", meters.drops(row)))


def _owned(row: Any) -> tuple[str, ...]:
    """The machine's notes carry its tags."""
    machine = row.machine
    return text.tags(machine.vm.notes) if machine is not None else ()


_HEAD: Final = (
    text_of("name", lambda r: (r.name,)),
    text_of("host", lambda r: place(r.host)[:2]),
    text_of("cluster", lambda r: (r.host.cluster,)),
)
_FLOW: Final = (
    value_of(Unit.NUMBER, "iops", meters.iops),
    value_of(Unit.SIZE, "rate", meters.rate),
    value_of(Unit.NUMBER, "latency lat", _latency),
    value_of(Unit.NUMBER, "queue", lambda r: r.meter.queue),
    value_of(Unit.NUMBER, "reads", lambda r: r.meter.reads),
    value_of(Unit.NUMBER, "writes", lambda r: r.meter.writes),
    value_of(Unit.SIZE, "read", lambda r: r.meter.read),
    value_of(Unit.SIZE, "write", lambda r: r.meter.write),
)
_TRAFFIC: Final = (
    value_of(Unit.SIZE, "in", lambda r: r.meter.net_in),
    value_of(Unit.SIZE, "out", lambda r: r.meter.net_out),
    value_of(Unit.NUMBER, "packets", meters.packets),
    value_of(Unit.NUMBER, "drops", meters.drops),
)
_VM: Final = text_of("vm machine", lambda r: (meters.owner(r),))


def _vocabulary(
    fields: tuple[Any, ...], flag: str, problem: Callable[[Any], bool],
    pieces: Callable[[Any], tuple[str, ...]], tags: Callable[[Any], tuple[str, ...]] = no_tags,
) -> Vocabulary:  # fmt: skip
    return Vocabulary(
        fields=table(*_HEAD, *fields),
        flags={**COMMON, "problem": problem, flag: problem},
        pieces=pieces,
        place=lambda r: place(r.host),
        tags=tags,
        host=lambda r: r.host.id,
    )


METERED: Mapping[str, Vocabulary] = {
    "disk": _vocabulary(
        (_VM, text_of("volume", lambda r: (r.meter.volume,)),
         text_of("path", lambda r: (r.meter.path,)), *_FLOW),
        "slow", _slow, lambda r: (r.name, meters.owner(r), r.host.id, r.meter.path), _owned,
    ),
    "adapter": _vocabulary(
        (_VM, text_of("switch", lambda r: (meters.switch(r),)), *_TRAFFIC),
        "dropping", _drops, lambda r: (r.name, meters.owner(r), r.host.id), _owned,
    ),
    "uplink": _vocabulary(_TRAFFIC, "dropping", _drops, lambda r: (r.name, r.host.id)),
    "volume": _vocabulary(
        (*_FLOW, value_of(Unit.PERCENT, "free", meters.free_share)),
        "slow", _slow, lambda r: (r.name, r.host.id),
    ),
}  # fmt: skip

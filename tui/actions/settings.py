"""Processor and memory of a virtual machine, hot where Hyper-V allows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tui.actions import amounts
from tui.actions.common import between, first_of, given, hot_rule, vm_of
from tui.actions.declare import Action, Field, Kind, Target
from tui.hyperv.ops import settings
from tui.hyperv.sheet import Memory, Processor

if TYPE_CHECKING:
    from tui.hyperv.outcome import Outcome, Steps
    from tui.wsman.client import CimClient

MEGABYTE = 1 << 20
_LEAST = 32 * MEGABYTE
_MOST = {1: 1 << 40, 2: 12 << 40}
"""Bytes of memory by generation."""
_PROCESSORS = {1: 64, 2: 2048}
_WHOLE = 100_000
"""All of the assigned processors, in thousandths of a percent."""
_GROUP = "Scale"

# -- processor -----------------------------------------------------------------------------


def _cpu(target: Target) -> Processor:
    if target.sheet is not None:
        return target.sheet.processor
    vm = vm_of(target)
    return Processor(count=vm.processors, nested=vm.nested)


def _count_problem(target: Target, value: Any) -> str | None:
    most = _PROCESSORS.get(vm_of(target).generation, 2048)
    if target.host.logical_processors:
        most = min(most, target.host.logical_processors)
    if not 1 <= value <= most and value != _cpu(target).count:
        return f"between 1 and {most}, as {target.host.id} and the generation allow"
    return hot_rule("count", lambda t: _cpu(t).count)(target, value)


def _wanted_cpu(target: Target, arguments: Mapping[str, Any]) -> Processor:
    now = _cpu(target)
    return Processor(
        id=now.id,
        count=given(arguments, "count", now.count),
        weight=given(arguments, "weight", now.weight),
        reservation=given(arguments, "reservation", now.reservation),
        limit=given(arguments, "limit", now.limit),
        nested=given(arguments, "nested", now.nested),
        compatible=given(arguments, "compatibility", now.compatible),
    )


def _cpu_conflict(target: Target, arguments: Mapping[str, Any]) -> str | None:
    wanted = _wanted_cpu(target, arguments)
    if wanted.reservation > wanted.limit:
        return (
            f"the reservation of {amounts.shown_percent(wanted.reservation)} is above the limit "
            f"of {amounts.shown_percent(wanted.limit)}"
        )
    return None


def _set_cpu(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Outcome:
    return settings.set_processor(client, target.name, _cpu(target), _wanted_cpu(target, arguments))


def _cpu_seen(target: Target, arguments: Mapping[str, Any]) -> bool:
    vm = vm_of(target)
    return (
        given(arguments, "count", vm.processors) == vm.processors
        and given(arguments, "nested", vm.nested) == vm.nested
    )


_CPU_FORM = (
    Field(
        "count",
        "Processors",
        "How many virtual processors it has",
        amounts.integer,
        current=lambda target: _cpu(target).count,
        problem=_count_problem,
    ),
    Field(
        "reservation",
        "Reservation",
        "Percent of its processors kept for it, 0 to 100",
        amounts.percent,
        current=lambda target: _cpu(target).reservation,
        problem=first_of(
            between(0, _WHOLE, lambda target: _cpu(target).reservation, amounts.shown_percent),
            hot_rule("reservation", lambda target: _cpu(target).reservation),
        ),
        shown=amounts.shown_percent,
    ),
    Field(
        "limit",
        "Limit",
        "Percent of its processors it may use, 0 to 100",
        amounts.percent,
        current=lambda target: _cpu(target).limit,
        problem=first_of(
            between(1, _WHOLE, lambda target: _cpu(target).limit, amounts.shown_percent),
            hot_rule("limit", lambda target: _cpu(target).limit),
        ),
        shown=amounts.shown_percent,
    ),
    Field(
        "weight",
        "Weight",
        "Its share against others when processors are short, 1 to 10000",
        amounts.integer,
        current=lambda target: _cpu(target).weight,
        problem=first_of(
            between(1, 10_000, lambda target: _cpu(target).weight),
            hot_rule("cpu_weight", lambda target: _cpu(target).weight),
        ),
    ),
    Field(
        "nested",
        "Nested virtualization",
        "Show the guest the processor's virtualization, so that it can run Hyper-V itself",
        bool,
        current=lambda target: _cpu(target).nested,
        problem=hot_rule("nested", lambda target: _cpu(target).nested),
    ),
    Field(
        "compatibility",
        "Processor compatibility",
        "Hide newer features, so that it can move to hosts with older processors",
        bool,
        current=lambda target: _cpu(target).compatible,
        problem=hot_rule("compatibility", lambda target: _cpu(target).compatible),
    ),
)

# -- memory --------------------------------------------------------------------------------


def _memory(target: Target) -> Memory:
    if target.sheet is not None:
        return target.sheet.memory
    vm = vm_of(target)
    return Memory(
        startup=vm.memory_startup,
        minimum=vm.memory_minimum,
        maximum=vm.memory_maximum,
        dynamic=vm.dynamic_memory,
    )


def _minimum(target: Target) -> int:
    """Static memory has none of its own."""
    now = _memory(target)
    return min(now.minimum, now.startup) if now.dynamic else now.startup


def _maximum(target: Target) -> int:
    now = _memory(target)
    return max(now.maximum, now.startup)


def _size_problem(target: Target, value: Any) -> str | None:
    most = _MOST.get(vm_of(target).generation, _MOST[2])
    if not _LEAST <= value <= most:
        return f"between {amounts.shown_size(_LEAST)} and {amounts.shown_size(most)}"
    if value % (2 * MEGABYTE):
        down = value // (2 * MEGABYTE) * 2 * MEGABYTE
        near = amounts.shown_size(max(down, _LEAST))
        return f"memory comes in multiples of 2 MB, such as {near}"
    return None


def _wanted_memory(target: Target, arguments: Mapping[str, Any]) -> Memory:
    now = _memory(target)
    return Memory(
        id=now.id,
        startup=given(arguments, "startup", now.startup),
        minimum=given(arguments, "minimum", _minimum(target)),
        maximum=given(arguments, "maximum", _maximum(target)),
        buffer=given(arguments, "buffer", now.buffer),
        weight=given(arguments, "weight", now.weight),
        dynamic=given(arguments, "dynamic", now.dynamic),
    )


def _memory_conflict(target: Target, arguments: Mapping[str, Any]) -> str | None:
    wanted = _wanted_memory(target, arguments)
    if not wanted.dynamic:
        return None
    if wanted.minimum > wanted.startup:
        return "the minimum memory is above the startup memory"
    if wanted.startup > wanted.maximum:
        return "the startup memory is above the maximum memory"
    return None


def _set_memory(client: CimClient, target: Target, arguments: Mapping[str, Any]) -> Steps:
    wanted = _wanted_memory(target, arguments)
    return settings.set_memory(client, target.id, target.name, _memory(target), wanted)


def _memory_seen(target: Target, arguments: Mapping[str, Any]) -> bool:
    vm = vm_of(target)
    dynamic = given(arguments, "dynamic", vm.dynamic_memory)
    sizes = not dynamic or (
        given(arguments, "minimum", vm.memory_minimum) == vm.memory_minimum
        and given(arguments, "maximum", vm.memory_maximum) == vm.memory_maximum
    )
    return (
        sizes
        and dynamic == vm.dynamic_memory
        and given(arguments, "startup", vm.memory_startup) == vm.memory_startup
    )


def _is_dynamic(values: Mapping[str, Any]) -> bool:
    return bool(values.get("dynamic"))


_MEMORY_FORM = (
    Field(
        "startup",
        "Startup memory",
        "What it starts with; with static memory, all it has. In multiples of 2 MB",
        amounts.memory,
        current=lambda target: _memory(target).startup,
        problem=first_of(
            _size_problem, hot_rule("startup", lambda target: _memory(target).startup)
        ),
        shown=amounts.shown_size,
    ),
    Field(
        "dynamic",
        "Dynamic memory",
        "Let the host give and take memory while it runs",
        bool,
        current=lambda target: _memory(target).dynamic,
        problem=hot_rule("dynamic", lambda target: _memory(target).dynamic),
    ),
    Field(
        "minimum",
        "Minimum memory",
        "It is never given less; at most the startup memory",
        amounts.memory,
        current=_minimum,
        problem=first_of(_size_problem, hot_rule("minimum", _minimum)),
        shown=amounts.shown_size,
        when=_is_dynamic,
    ),
    Field(
        "maximum",
        "Maximum memory",
        "It is never given more; at least the startup memory",
        amounts.memory,
        current=_maximum,
        problem=first_of(_size_problem, hot_rule("maximum", _maximum)),
        shown=amounts.shown_size,
        when=_is_dynamic,
    ),
    Field(
        "buffer",
        "Buffer",
        "Percent of memory kept ready above what it uses, 5 to 2000",
        amounts.integer,
        current=lambda target: _memory(target).buffer,
        problem=first_of(
            between(5, 2000, lambda target: _memory(target).buffer),
            hot_rule("buffer", lambda target: _memory(target).buffer),
        ),
        when=_is_dynamic,
    ),
    Field(
        "weight",
        "Weight",
        "Its share against others when memory is short, 0 to 10000",
        amounts.integer,
        current=lambda target: _memory(target).weight,
        problem=first_of(
            between(0, 10_000, lambda target: _memory(target).weight),
            hot_rule("memory_weight", lambda target: _memory(target).weight),
        ),
    ),
)

ACTIONS: tuple[Action, ...] = (
    Action(
        "vm.set-cpu",
        "Processors",
        "Set the number, the share and the features of the virtual processors",
        Kind.VM,
        _set_cpu,
        form=_CPU_FORM,
        conflict=_cpu_conflict,
        observed=_cpu_seen,
        effect="The processors are set; only the shares change while it runs",
        calls="Msvm_VirtualSystemManagementService.ModifyResourceSettings"
        "(Msvm_ProcessorSettingData)",
        needs_sheet=True,
        group=_GROUP,
    ),
    Action(
        "vm.set-memory",
        "Memory",
        "Set startup, minimum and maximum memory, and whether it is dynamic",
        Kind.VM,
        _set_memory,
        form=_MEMORY_FORM,
        conflict=_memory_conflict,
        observed=_memory_seen,
        effect="The memory is set; while it runs within what Hyper-V allows",
        calls="Msvm_VirtualSystemManagementService.ModifyResourceSettings(Msvm_MemorySettingData)",
        needs_sheet=True,
        group=_GROUP,
    ),
)

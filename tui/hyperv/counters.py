r"""Raw performance counters cooked by hand: two samples of an instance give a rate.

The formulas are those Windows documents for each counter type; cooked classes would make the
host sample itself, twice. Knows what instance names look like, not what they are joined with.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from tui.hyperv import paths
from tui.wsman.cim import CimInstance

_TICKS = 10_000_000
"""Sys100NS ticks in a second."""
_SUMMED = 1.5
"""A total whose base grew by more than this many times the clock sums several processors."""


def elapsed(before: CimInstance, after: CimInstance) -> float:
    """Seconds between two samples by the host's own clocks; 0 when they cannot tell."""
    frequency = after.get("Frequency_PerfTime")
    ticks = _difference(before, after, "Timestamp_PerfTime")
    if ticks and isinstance(frequency, int) and frequency > 0:
        return ticks / frequency
    return (_difference(before, after, "Timestamp_Sys100NS") or 0) / _TICKS


def per_second(before: CimInstance, after: CimInstance, column: str) -> float | None:
    """PERF_COUNTER_COUNTER and BULK_COUNT; None when the counter restarted."""
    seconds = elapsed(before, after)
    count = _difference(before, after, column)
    return count / seconds if seconds > 0 and count is not None else None


def busy(before: CimInstance, after: CimInstance, column: str, processors: int) -> float | None:
    """Percent of ``processors`` that a summed run-time column was busy.

    The base of a total may be summed like the value, or be one processor's; its growth against
    the clock tells which. Without a base the value counts 100 ns of run time.
    """
    run = _difference(before, after, column)
    clock = _difference(before, after, "Timestamp_Sys100NS")
    base = _difference(before, after, f"{column}_Base")
    if run is None:
        return None
    if base and (not clock or base > _SUMMED * clock or processors == 1):
        return _percent(run, base)
    whole = base or clock
    if not whole or processors < 1:
        return None
    return _percent(run, whole * processors)


def adapter_owner(name: str, vm_ids: Container[str]) -> str:
    """The VM whose GUID is in a network adapter's instance name; empty: the host's own."""
    return next((found for found in paths.guids(name) if found in vm_ids), "")


def image_key(path: str) -> str:
    r"""Path of an image and instance name of its counter, made comparable.

    Instance names have ``-`` for ``\`` and sometimes for ``:``, and may keep the ``\\?\`` prefix.
    """
    text = path.replace("\\", "-").replace(":", "-").replace("/", "-").lower()
    for prefix, replacement in (("--?-unc-", "--"), ("--?-", "")):
        if text.startswith(prefix):
            return replacement + text[len(prefix) :]
    return text


class Meter:
    """Successive readings of one raw class as rates by instance name."""

    def __init__(self, *columns: str) -> None:
        self._columns = columns
        self._before: dict[str, CimInstance] = {}
        self._rates: dict[str, tuple[float, ...]] = {}

    def feed(self, rows: Iterable[CimInstance]) -> dict[str, tuple[float, ...]]:
        """Rates of every instance seen twice, in the order of the columns.

        A host that answers the same sample again has not looked since: the rate stands.
        """
        rates: dict[str, tuple[float, ...]] = {}
        samples: dict[str, CimInstance] = {}
        for row in rows:
            name = str(row.get("Name") or "")
            before = self._before.get(name)
            samples[name] = row
            if before is not None and elapsed(before, row) <= 0 and name in self._rates:
                rates[name] = self._rates[name]
            elif before is not None and (values := self._values(before, row)):
                rates[name] = values
        self._before, self._rates = samples, rates
        return rates

    def _values(self, before: CimInstance, row: CimInstance) -> tuple[float, ...]:
        values = [per_second(before, row, column) for column in self._columns]
        known = tuple(value for value in values if value is not None)
        return known if len(known) == len(self._columns) else ()


def _difference(before: CimInstance, after: CimInstance, column: str) -> int | None:
    old, new = before.get(column), after.get(column)
    if not isinstance(old, int) or not isinstance(new, int) or new < old:
        return None
    return new - old


def _percent(part: int, whole: int) -> float:
    return min(100.0, 100.0 * part / whole)

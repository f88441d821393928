"""What hvdeck itself costs: processor and memory of its processes, bytes sent to the terminal."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from textual.driver import Driver

SAMPLE = 5.0
"""Seconds between measurements of ourselves."""
FIRST_SAMPLE = 1.0
"""Seconds after the start of the first one."""
MINUTE = 60


class OwnLoad:
    """The deck's process, and the fabric's. The measuring library is loaded with the first sample;
    this machine as a whole is measured only for who asks.
    """

    def __init__(self) -> None:
        self.cpu = 0.0
        self.memory = 0
        self.threads = 0
        self.fabric: tuple[float, int] | None = None
        """Percent of a core and resident bytes; None when there is none."""
        self.machine: tuple[float, float] | None = None
        """Percent of its processors and of its memory in use."""
        self._process: Any = None
        self._fabric: Any = None
        self._due = 0.0
        self._machine_due = 0.0

    def sample(self, now: float, fabric: int = 0) -> bool:
        """Measure again when it is time to, and answer whether it was; ``fabric`` is the process
        id of the embedded one."""
        if not self._due:  # loading the library can wait until there is something to see
            self._due = now + FIRST_SAMPLE
        if now < self._due:
            return False
        import psutil

        if self._process is None:
            self._process = psutil.Process()
            self._process.cpu_percent()
        else:
            self.cpu = self._process.cpu_percent()
        self.memory = self._process.memory_info().rss
        self.threads = self._process.num_threads()
        self._due = now + SAMPLE
        try:
            self._sample_fabric(fabric)
        except psutil.Error:
            self.fabric = self._fabric = None
        return True

    def _sample_fabric(self, pid: int) -> None:
        import psutil

        if not pid:
            self.fabric = self._fabric = None
            return
        if self._fabric is None or self._fabric.pid != pid:
            self._fabric = psutil.Process(pid)
        self.fabric = (self._fabric.cpu_percent(), self._fabric.memory_info().rss)

    def sample_machine(self, now: float) -> None:
        """Measure this machine as a whole, when it is time to."""
        if now < self._machine_due:
            return
        import psutil

        cpu = psutil.cpu_percent()
        # Since the last look; the very first has none to look back to.
        self.machine = None if not self._machine_due else (cpu, psutil.virtual_memory().percent)
        self._machine_due = now + (SAMPLE if self.machine else 1.0)


class Meter:
    """Bytes written to the terminal: in all, in the last second, in the last minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = 0
        self._clock = clock
        self._seconds: deque[tuple[int, int]] = deque(maxlen=MINUTE + 1)
        """Second and bytes of it, of those in which something was written."""

    def add(self, data: str) -> None:
        """Something is written."""
        size = len(data) if data.isascii() else len(data.encode("utf-8", "replace"))
        second = int(self._clock())
        self.total += size
        if self._seconds and self._seconds[-1][0] == second:
            size += self._seconds.pop()[1]
        self._seconds.append((second, size))

    @property
    def last_second(self) -> int:
        """Of the last whole second."""
        before = int(self._clock()) - 1
        return sum(size for second, size in self._seconds if second == before)

    @property
    def last_minute(self) -> int:
        """Of the last sixty whole seconds."""
        now = int(self._clock())
        return sum(size for second, size in self._seconds if now - MINUTE <= second < now)


def metered(driver: type[Driver], meter: Meter) -> type[Driver]:
    """A driver that counts what it writes."""

    class Metered(driver):  # type: ignore[valid-type, misc]
        def write(self, data: str) -> None:
            meter.add(data)
            super().write(data)

    return Metered

"""The files of all disks of a host: how large each is, and how large it may become.

The host opens a file to tell of it and answers for one at a time, so the survey reads a few
files with every step, those first of which it knows nothing or the oldest things.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tui.errors import HvError, LinkError
from tui.hyperv import clean
from tui.hyperv.meters import ImageFile
from tui.hyperv.model import Vm
from tui.hyperv.ops.images import describe
from tui.wsman.cim import CimInstance

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

FILES_PER_STEP: Final = 4
"""Files that are read with one step; a new one costs two requests, a known one a single one."""
SIZE_EVERY: Final = 60.0
"""Seconds after which the size of a file somebody writes to is read again."""
REST_EVERY: Final = 900.0
"""Seconds after which anything else is."""
LONGEST_CHAIN: Final = 32


@dataclass(slots=True)
class _Entry:
    """A file, and when it is to be read again."""

    file: ImageFile
    due: float = 0.0
    described_until: float = 0.0
    """Until when its setting is taken to be the same."""


class Survey:
    """What is known of one host's files."""

    def __init__(self, host: str, known: Iterable[ImageFile] = ()) -> None:
        """``known``: what an earlier survey of it found, which is not read again at once."""
        self._host = host
        self._entries = {
            file.path.casefold(): _Entry(file, file.read_at + SIZE_EVERY if file.read_at else 0.0)
            for file in known
        }

    def step(
        self, client: CimClient, vms: Mapping[str, Vm], running: Collection[str], now: float
    ) -> tuple[ImageFile, ...]:
        """Read some files more; answers all that belong to machines now."""
        self._follow(vms)
        for entry in self._entries.values():
            if entry.file.read_at > now:  # the clock was set back
                entry.due = entry.described_until = now
        due = sorted(
            (entry for entry in self._entries.values() if entry.due <= now),
            key=lambda entry: (entry.due, not entry.file.written),
        )
        for entry in due[:FILES_PER_STEP]:
            self._read(client, entry, running, now)
        self._follow(vms)  # a file that was read may have named its parent
        return tuple(entry.file for entry in self._entries.values())

    @property
    def unread(self) -> bool:
        """There are files of which nothing is known yet."""
        return any(not entry.file.read_at for entry in self._entries.values())

    def _follow(self, vms: Mapping[str, Vm]) -> None:
        """Files come and go with the machines that use them."""
        wanted: dict[str, ImageFile] = {}
        for path, vm, written in self._chains(vms):
            key = path.casefold()
            known = wanted.get(key)
            shared = known is not None and known.vm != vm
            made = ImageFile(f"{self._host}:{key}", self._host, path, vm, written=written)
            wanted[key] = replace(made, vm="") if shared else made
        for key in [key for key in self._entries if key not in wanted]:
            del self._entries[key]
        for key, made in wanted.items():
            entry = self._entries.get(key)
            if entry is None:
                self._entries[key] = _Entry(made)
            elif (entry.file.vm, entry.file.written) != (made.vm, made.written):
                entry.file = replace(entry.file, vm=made.vm, written=made.written)

    def _chains(self, vms: Mapping[str, Vm]) -> Iterator[tuple[str, str, bool]]:
        """Path, machine, and whether it is the file that is written to."""
        for vm in vms.values():
            for disk in vm.disks:
                if not disk.path or disk.dvd or disk.physical:
                    continue
                path, depth = disk.path, 0
                while path and depth < LONGEST_CHAIN:
                    yield path, vm.id, depth == 0
                    entry = self._entries.get(path.casefold())
                    path, depth = entry.file.parent if entry else "", depth + 1

    def _read(self, client: CimClient, entry: _Entry, running: Collection[str], now: float) -> None:
        file = entry.file
        try:
            if now >= entry.described_until:
                setting = describe(
                    client, "GetVirtualHardDiskSettingData", "SettingData", file.path
                )
                file = _with_setting(file, setting)
                entry.described_until = now + REST_EVERY
            state = describe(client, "GetVirtualHardDiskState", "State", file.path)
            used = clean.number(state.get("FileSize"))
            entry.file = replace(file, used=used, read_at=now, trouble="")
        except LinkError:
            raise
        except HvError as error:
            entry.described_until = 0.0
            entry.file = replace(file, read_at=now, trouble=error.cause or error.title)
        often = file.written and file.vm in running and not entry.file.trouble
        entry.due = now + (SIZE_EVERY if often else REST_EVERY)


def _with_setting(file: ImageFile, setting: CimInstance) -> ImageFile:
    return replace(
        file,
        kind=clean.number(setting.get("Type")),
        size=clean.number(setting.get("MaxInternalSize")),
        parent=clean.text(setting.get("ParentPath"), limit=clean.LONG),
    )

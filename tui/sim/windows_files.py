"""Files and folders of a host as root/cimv2 shows them: CIM_DataFile, Win32_Directory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.sim import files, shapes
from tui.wsman.cim import CimInstance, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

FILE, FOLDER = "CIM_DataFile", "Win32_Directory"
SERVICE = "C:\\Windows\\System32\\vmms.exe"


def _common(host: SimHost, class_name: str, path: str) -> dict[str, CimValue]:
    """What both have. Windows tells paths in lower case here."""
    lowered = path.lower()
    stem = files.name_of(lowered)
    name, dot, kind = stem.rpartition(".")
    return {
        "CreationClassName": class_name,
        "CSCreationClassName": "Win32_ComputerSystem",
        "CSName": host.name,
        "FSCreationClassName": "Win32_FileSystem",
        "FSName": "NTFS",
        "Name": lowered,
        "Caption": lowered,
        "Description": lowered,
        "Drive": lowered[:2],
        "Path": files.folder_of(lowered)[2:].rstrip("\\") + "\\",
        "FileName": name if dot else stem,
        "Extension": kind if dot else "",
        "AccessMask": 18809343,
        "Archive": class_name == FILE,
        "Compressed": False,
        "Encrypted": False,
        "Hidden": False,
        "Readable": True,
        "Writeable": True,
        "System": False,
        "Status": "OK",
    }


def data_files(host: SimHost) -> Iterator[CimInstance]:
    host.files.settle()
    for file in host.files:
        if file.path.startswith("\\\\"):
            continue
        stamp = shapes.when(file.changed)
        kind = files.extension(file.path)
        yield shapes.new(
            FILE,
            shapes.CIMV2,
            **_common(host, FILE, file.path),
            FileSize=file.used,
            FileType=f"{kind} File" if kind else "File",
            CreationDate=shapes.when(file.made),
            InstallDate=shapes.when(file.made),
            LastModified=stamp,
            LastAccessed=stamp,
            InUseCount=None,
        )
    yield shapes.new(
        FILE,
        shapes.CIMV2,
        **_common(host, FILE, SERVICE),
        FileSize=14 << 20,
        FileType="Application",
        Version=f"{host.system.version}.1",
        Manufacturer="Microsoft Corporation",
    )


def folders(host: SimHost) -> Iterator[CimInstance]:
    own = (path for path in host.files.folders() if not path.startswith("\\\\"))
    for path in (*(v.name for v in host.plan.volumes), *own):
        full = path if len(path) == 3 else path.rstrip("\\")
        yield shapes.new(
            FOLDER,
            shapes.CIMV2,
            **_common(host, FOLDER, full) | {"Archive": False},
            FileType="Local Disk" if len(full) == 3 else "File Folder",
        )

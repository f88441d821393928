"""Files of a host: whether one is there, the room beside it, and taking it away.

Windows tells of local paths only; of a share nothing is known before it is tried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.errors import Fault, MethodFailed, Refused
from tui.hyperv import clean, hosts
from tui.hyperv.outcome import Done
from tui.wsman.cim import CimInstance
from tui.wsman.schema import CIMV2

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

FILE, FOLDER = "CIM_DataFile", "Win32_Directory"
_CODES = {
    2: "access is denied",
    8: "Windows gives no reason",
    9: "the path is not valid",
    10: "there is a file of that name already",
    13: "it would have to move to another volume",
    15: "another program or machine has it open",
    17: "the account lacks a privilege",
}


def remote(path: str) -> bool:
    """It is on a share."""
    return path.startswith("\\\\")


def folder_of(path: str) -> str:
    """The folder a file is in; that of a volume keeps its backslash."""
    folder = path.rpartition("\\")[0]
    return f"{folder}\\" if folder.endswith(":") else folder


def beside(folder: str, name: str) -> str:
    """A path inside a folder."""
    return f"{folder.rstrip(chr(92))}\\{name}"


def same(one: str, other: str) -> bool:
    """Two paths mean the same file."""
    return one.casefold() == other.casefold()


# -- looking -------------------------------------------------------------------------------


def file_size(client: CimClient, path: str) -> int | None:
    """Bytes of a file; None when there is none. Raises Refused for a share."""
    row = _row(client, FILE, path)
    return None if row is None else clean.number(row.get("FileSize"))


def exists(client: CimClient, path: str) -> bool | None:
    """Whether a file is there; None when the host cannot tell."""
    return _told(client, FILE, path)


def folder_exists(client: CimClient, path: str) -> bool | None:
    """Whether a folder is there; None when the host cannot tell."""
    bare = path.rstrip("\\")
    return _told(client, FOLDER, f"{bare}\\" if bare.endswith(":") else bare)


def _told(client: CimClient, class_name: str, path: str) -> bool | None:
    if remote(path):
        return None
    try:
        return _row(client, class_name, path) is not None
    except Fault:
        return None


def _row(client: CimClient, class_name: str, path: str) -> CimInstance | None:
    rows = client.query(CIMV2, _by_name(class_name, path))
    return rows[0] if rows else None


def _by_name(class_name: str, path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace("'", "\\'")
    return f"SELECT * FROM {class_name} WHERE Name = '{escaped}'"


def room(client: CimClient, path: str) -> int | None:
    """Bytes free on the volume of a path; None when the host cannot tell."""
    if remote(path):
        return None
    try:
        rows = client.query(
            CIMV2, "SELECT Name, Label, Capacity, FreeSpace FROM Win32_Volume WHERE DriveType = 3"
        )
    except Fault:
        return None
    lowered = path.casefold()
    fitting = [v for v in hosts.join_volumes(rows) if lowered.startswith(v.name.casefold())]
    nearest = max(fitting, key=lambda volume: len(volume.name), default=None)
    return nearest.free if nearest is not None else None


# -- before anything changes ---------------------------------------------------------------


def require(client: CimClient, path: str, title: str) -> None:
    """Refused unless the file is there, as far as the host can tell."""
    if exists(client, path) is False:
        raise Refused(title, cause=f"{path} is not there", hint="check the path on the host")


def require_folder(client: CimClient, path: str, title: str) -> None:
    """Refused unless the folder is there."""
    if folder_exists(client, path) is False:
        raise Refused(
            title,
            cause=f"the folder {path} is not there",
            hint="make it on the host, or choose another",
        )


def require_vacant(client: CimClient, path: str, title: str, needed: int = 0) -> None:
    """Refused unless a file can be made at a path: no other there, a folder, and room."""
    if exists(client, path):
        raise Refused(title, cause=f"{path} is there already", hint="choose another name")
    require_folder(client, folder_of(path), title)
    require_room(client, path, title, needed)


def require_room(client: CimClient, path: str, title: str, needed: int) -> None:
    """Refused when the volume of a path has less room than is needed."""
    free = room(client, path) if needed else None
    if free is not None and free < needed:
        raise Refused(
            title,
            cause=f"it needs {_gigabytes(needed)} and its volume has {_gigabytes(free)} free",
            hint="free space, or choose another volume",
        )


def _gigabytes(size: int) -> str:
    return f"{size / (1 << 30):.1f} GB"


# -- taking away ---------------------------------------------------------------------------


def delete(client: CimClient, path: str) -> Done:
    """Remove a file; one that is gone already is fine. Raises MethodFailed."""
    return _delete(client, FILE, path)


def delete_folder(client: CimClient, path: str) -> Done:
    """Remove a folder with everything in it. Raises MethodFailed."""
    return _delete(client, FOLDER, path.rstrip("\\"))


def _delete(client: CimClient, class_name: str, path: str) -> Done:
    for ref in client.references(CIMV2, _by_name(class_name, path)):
        code = client.invoke(ref, "Delete").return_value
        if code != 0:
            raise MethodFailed(
                f"Could not delete {path}",
                method=f"{class_name}.Delete",
                code=code,
                cause=_CODES.get(code, f"Windows answered {code}"),
                hint="look who uses it, and delete it later",
            )
    return Done()

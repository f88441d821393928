"""Disk images as files: making, resizing, compacting, converting, merging, and how they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.errors import Fault, HvError, Refused
from tui.hyperv import clean
from tui.hyperv.ops import files
from tui.hyperv.ops.calling import embedded, invoke, service_ref
from tui.hyperv.outcome import Outcome
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.schema import VIRTUALIZATION

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

EXISTING, FIXED, DYNAMIC, DIFFERENCING = 0, 2, 3, 4
"""Type of an image; the first means that nothing is made."""
FORMATS = {"vhd": 2, "vhdx": 3, "vhds": 4}
AUTOMATIC = ("avhd", "avhdx")
"""Endings of images that checkpoints make."""
HEADER = 64 << 20
"""More than a new image takes beside its data."""
_SERVICE = "Msvm_ImageManagementService"
_SETTINGS = "Msvm_VirtualHardDiskSettingData"


@dataclass(frozen=True, slots=True)
class NewImage:
    """A disk to be made, or one that is there."""

    path: str
    kind: int = EXISTING
    size: int = 0
    parent: str = ""


def ending(path: str) -> str:
    """The extension of a path, in lower case."""
    return path.rpartition("\\")[2].rpartition(".")[2].lower()


def is_automatic(path: str) -> bool:
    """A checkpoint made it."""
    return ending(path) in AUTOMATIC


def check(client: CimClient, image: NewImage, title: str) -> None:
    """Refused, in words, when the image cannot be made or used. Only reads."""
    if image.kind == EXISTING:
        check_usable(client, image.path, title)
        return
    if image.kind == DIFFERENCING:
        check_usable(client, image.parent, title, locked_too=False)
    needed = HEADER + (image.size if image.kind == FIXED else 0)
    files.require_vacant(client, image.path, title, needed)


def check_usable(client: CimClient, path: str, title: str, *, locked_too: bool = True) -> None:
    """Refused unless an image is there, whole, and (by default) nobody has it open."""
    files.require(client, path, title)
    try:
        state = describe(client, "GetVirtualHardDiskState", "State", path)
        describe(client, "GetVirtualHardDiskSettingData", "SettingData", path)
    except Fault:
        raise
    except HvError as error:
        raise Refused(
            title, cause=f"{path} cannot be read: {error.cause}", hint=error.hint, code=error.code
        ) from error
    if locked_too and clean.truth(state.get("InUse")):
        raise Refused(
            title,
            cause=f"{path} is locked: a machine, a mount or a backup has it open",
            hint="find and close what uses it",
        )


def describe(client: CimClient, method: str, out: str, path: str) -> CimInstance:
    """What the image service tells of a file, by one of its two methods."""
    from tui.wsman.embedded import from_text  # the deck imports this and never calls a host

    output = client.invoke(service_ref(_SERVICE), method, Path=path)
    text = output.values.get(out)
    if output.return_value == 0 and isinstance(text, str):
        return from_text(text, VIRTUALIZATION)
    from tui.hyperv import meanings

    cause, hint = meanings.of_return(output.return_value)
    raise HvError(f"{method} of {path}", cause=cause, hint=hint, code=output.return_value)


def size_of(client: CimClient, path: str) -> int:
    """Bytes a guest sees of an image."""
    settings = describe(client, "GetVirtualHardDiskSettingData", "SettingData", path)
    return clean.number(settings.get("MaxInternalSize"))


def kind_of(client: CimClient, path: str) -> int:
    """Type of an image."""
    settings = describe(client, "GetVirtualHardDiskSettingData", "SettingData", path)
    return clean.number(settings.get("Type"))


# -- changing ------------------------------------------------------------------------------


def create(client: CimClient, image: NewImage) -> Outcome:
    """Make an image."""
    values: dict[str, CimValue] = {
        "Path": image.path,
        "Type": image.kind,
        "Format": FORMATS[ending(image.path)],
    }
    if image.kind == DIFFERENCING:
        values["ParentPath"] = image.parent
    else:
        values["MaxInternalSize"] = image.size
    settings = embedded(_SETTINGS, values)
    return _invoke(
        client, "CreateVirtualHardDisk", "create", image.path, VirtualDiskSettingData=settings
    )


def resize(client: CimClient, path: str, size: int) -> Outcome:
    """Give the disk another size; what is in it stays."""
    return _invoke(client, "ResizeVirtualHardDisk", "resize", path, Path=path, MaxInternalSize=size)


def compact(client: CimClient, path: str, mode: int) -> Outcome:
    """Give back the room of blocks that hold nothing."""
    return _invoke(client, "CompactVirtualHardDisk", "compact", path, Path=path, Mode=mode)


def convert(client: CimClient, source: str, target: NewImage) -> Outcome:
    """Write the contents into a new file of another kind."""
    values: dict[str, CimValue] = {
        "Path": target.path,
        "Type": target.kind,
        "Format": FORMATS[ending(target.path)],
    }
    settings = embedded(_SETTINGS, values)
    return _invoke(
        client,
        "ConvertVirtualHardDisk",
        "convert",
        source,
        SourcePath=source,
        VirtualDiskSettingData=settings,
    )


def merge(client: CimClient, child: str, parent: str) -> Outcome:
    """Write what a differencing image holds into its parent."""
    return _invoke(
        client, "MergeVirtualHardDisk", "merge", child, SourcePath=child, DestinationPath=parent
    )


def _invoke(
    client: CimClient, method: str, verb: str, path: str, **parameters: CimValue
) -> Outcome:
    return invoke(client, service_ref(_SERVICE), method, verb, path, **parameters)

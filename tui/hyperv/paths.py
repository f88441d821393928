r"""Identity inside CIM text: InstanceIDs (``Microsoft:GUID\…``) and WMI object paths.

Tolerant on purpose: what does not look as expected has no identity, which is never an error.
"""

from __future__ import annotations

import re

from tui.wsman.cim import CimValue

_GUID = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_GUIDS = re.compile(_GUID)
_OWNER = re.compile(rf"Microsoft:({_GUID})(?=\\|\Z)", re.IGNORECASE)
_KEYS = re.compile(r'([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"')
_CLASS = re.compile(r"(?:\A|:)(\w+)\.\w+=")
_ESCAPED = re.compile(r"\\(.)")


def guid(value: CimValue) -> str:
    """A GUID standing alone, braces allowed, in upper case; empty for anything else."""
    if not isinstance(value, str):
        return ""
    bare = value.strip("{}")
    return bare.upper() if _GUIDS.fullmatch(bare) else ""


def guids(value: CimValue) -> tuple[str, ...]:
    """Every GUID in a text, in upper case."""
    return tuple(found.upper() for found in _GUIDS.findall(value)) if isinstance(value, str) else ()


def owner(instance_id: CimValue) -> str:
    """The GUID of the configuration an InstanceID belongs to: a VM's, checkpoint's or switch's."""
    found = _OWNER.match(instance_id) if isinstance(instance_id, str) else None
    return found[1].upper() if found else ""


def key(path: CimValue, name: str) -> str:
    """One key of an object path, unescaped; empty when it is not there."""
    if not isinstance(path, str):
        return ""
    for found, value in _KEYS.findall(path):
        if found.lower() == name.lower():
            return _ESCAPED.sub(r"\1", value)
    return ""


def class_of(path: CimValue) -> str:
    """The class an object path names."""
    found = _CLASS.search(path) if isinstance(path, str) else None
    return found[1] if found else ""


def same(instance_id: CimValue) -> str:
    """An InstanceID as it is compared: without case."""
    return instance_id.lower() if isinstance(instance_id, str) else ""


def above(instance_id: str) -> str:
    """The InstanceID without its last segment; empty at the top."""
    return instance_id.rpartition("\\")[0]

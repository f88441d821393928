"""Secure boot templates: those a host supports, or else the three that every host knows."""

from __future__ import annotations

from collections.abc import Iterable

from tui.hyperv import clean
from tui.hyperv.model import BootTemplate, Host
from tui.wsman.cim import CimInstance

WINDOWS = "1734c6e8-3154-4dda-ba5f-a874cc483422"
UEFI_CA = "272e7447-90a4-4563-a4b9-8e4ab00526ce"
SHIELDED = "4292ae2b-ee2c-42b5-a969-dd8f8689f6f3"
KNOWN = (
    BootTemplate(WINDOWS, "Microsoft Windows"),
    BootTemplate(UEFI_CA, "Microsoft UEFI Certificate Authority"),
    BootTemplate(SHIELDED, "Open Source Shielded VM"),
)
_NAMES = {template.id: template.name for template in KNOWN}


def join(rows: Iterable[CimInstance]) -> tuple[BootTemplate, ...]:
    """Templates out of the settings a host's capabilities define, each once.

    Other templates stand among them. Hosts localise names, so those of Microsoft keep ours.
    """
    found: dict[str, BootTemplate] = {}
    for row in rows:
        identity = clean.text(row.get("SecureBootTemplateId")).lower()
        if identity:
            name = _NAMES.get(identity) or clean.text(row.get("Description"))
            name = name or clean.text(row.get("ElementName")) or identity
            found.setdefault(identity, BootTemplate(identity, name))
    return tuple(found.values())


def supported(host: Host) -> tuple[BootTemplate, ...]:
    """What the host tells, or what all hosts of this kind know."""
    return host.boot_templates or KNOWN


def name(host: Host, identity: str) -> str:
    """What a template is called; its identifier where nobody names it."""
    wanted = identity.lower()
    names = (each.name for each in (*supported(host), *KNOWN) if each.id == wanted)
    return next(names, identity)

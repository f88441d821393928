"""Things of a cluster as it has them this instant, read before anything is asked of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.actions import Kind, Target
from tui.errors import Fault, Refused
from tui.hyperv import clusters, meanings
from tui.hyperv.ops import clustering
from tui.wsman.cim import CimInstance, CimRef

if TYPE_CHECKING:
    from tui.wsman.client import CimClient


def of_cluster(client: CimClient, target: Target) -> Target:
    """The target with what its cluster says of it now; Refused when it is gone. Other kinds of
    things stay as they were read.
    """
    if target.kind is Kind.ROLE and target.role is not None:
        row = _read(client, clustering.role_ref(target.name), target.name)
        return replace(target, role=clusters.role_now(target.role, row))
    if target.kind is Kind.NODE:
        row = _read(client, clustering.node_ref(target.name), target.name)
        return replace(target, node=clusters.node_now(row))
    if target.kind is Kind.CSV and target.volume is not None:
        row = _read(client, clustering.volume_ref(target.name), target.name)
        return replace(target, volume=clusters.volume_now(target.volume, row))
    return target


def _read(client: CimClient, ref: CimRef, name: str) -> CimInstance:
    try:
        return client.get(ref)
    except Fault as fault:
        if not meanings.is_gone(fault):
            raise
        raise Refused(
            f"{name} is not in the cluster any more",
            hint="it was removed or renamed; look again and repeat",
            code=fault.code,
        ) from fault

"""What roles, nodes, shared volumes, networks and resources of a cluster can be filtered by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tui.hyperv.cluster import (
    DOWN,
    DRAINING,
    FAILED,
    MACHINE_ROLE,
    MAINTENANCE,
    OFFLINE,
    ONLINE,
    PAUSED,
    REDIRECTED,
    UP,
)
from tui.hyperv.quorum import vote
from tui.rows import clustering
from tui.rows.audit import Line
from tui.rows.clusterfindings import node_finding, role_finding, volume_finding
from tui.rows.vocabulary import COMMON, Unit, Vocabulary, no_tags, table, text_of, value_of
from tui.store.rows import NodeRow, RoleRow, VolumeRow

Row = RoleRow | NodeRow | VolumeRow


def _place(row: Row) -> Sequence[str]:
    """A thing of a cluster is where its owner is."""
    owner = row.thing.name if isinstance(row, NodeRow) else row.thing.owner
    return (owner, row.cluster.name)


def _host(row: Row) -> str:
    return str(row.host.id)


def _finding(row: Row) -> str:
    found = _found(row)
    return found.words if found else ""


def _found(row: Row) -> Any:
    if isinstance(row, RoleRow):
        return role_finding(row.thing, row.cluster)
    return node_finding(row.thing) if isinstance(row, NodeRow) else volume_finding(row.thing)


def _ails(row: Row) -> bool:
    return _found(row) is not None


def _stands(*states: int) -> Callable[[Any], bool]:
    return lambda row: row.thing.state in states


ROLE = Vocabulary(
    fields=table(
        text_of("name role", lambda r: (r.name,)),
        text_of("state", lambda r: (clustering.role_state(r).word,)),
        text_of("node owner", lambda r: (r.thing.owner,)),
        text_of("preferred", lambda r: r.thing.preferred),
        text_of("priority", lambda r: (clustering.priority(r),)),
        text_of("kind", lambda r: (clustering.role_kind(r),)),
        text_of("apart", lambda r: r.thing.anti_affinity),
        text_of("cluster", lambda r: (r.cluster.name,)),
        text_of("problem", lambda r: (_finding(r),)),
        text_of("guid id", lambda r: (r.thing.vm,)),
    ),
    flags={
        **COMMON,
        "online": _stands(ONLINE),
        "offline": _stands(OFFLINE),
        "failed": _stands(FAILED),
        "moving": lambda r: r.thing.busy,
        "queued": lambda r: r.thing.queued,
        "locked": lambda r: r.thing.locked,
        "core": lambda r: r.thing.core,
        "machine": lambda r: r.thing.type == MACHINE_ROLE,
        "astray": lambda r: bool(r.thing.preferred) and r.thing.owner not in r.thing.preferred,
        "problem": _ails,
    },
    pieces=lambda r: (r.name, r.thing.owner, r.cluster.name),
    place=_place,
    tags=no_tags,
    host=_host,
)

NODE = Vocabulary(
    fields=table(
        text_of("name node", lambda r: (r.name,)),
        text_of("state", lambda r: (clustering.node_state(r).word,)),
        text_of("cluster", lambda r: (r.cluster.name,)),
        text_of("host", lambda r: (r.own.host.id,) if r.own else ()),
        text_of("problem", lambda r: (_finding(r),)),
        value_of(Unit.NUMBER, "vote votes", lambda r: vote(r.thing)),
        value_of(Unit.NUMBER, "roles", clustering.roles_of),
        value_of(Unit.PERCENT, "cpu", lambda r: r.own.vitals.cpu if r.own else None),
    ),
    flags={
        **COMMON,
        "up": _stands(UP),
        "down": _stands(DOWN),
        "paused": _stands(PAUSED),
        "draining": lambda r: r.thing.drain == DRAINING,
        "voting": lambda r: r.thing.voting,
        "problem": _ails,
    },
    pieces=lambda r: (r.name, r.cluster.name),
    place=_place,
    tags=no_tags,
    host=_host,
)

CSV = Vocabulary(
    fields=table(
        text_of("name volume", lambda r: (r.label, r.name)),
        text_of("state", lambda r: (clustering.volume_state(r).word,)),
        text_of("node owner", lambda r: (r.thing.owner,)),
        text_of("cluster", lambda r: (r.cluster.name,)),
        text_of("path", lambda r: (r.thing.path,)),
        text_of("disk", lambda r: (r.thing.resource,)),
        text_of("problem", lambda r: (_finding(r),)),
        value_of(Unit.SIZE, "free", lambda r: r.thing.free or None, lambda r: _free(r)),
        value_of(Unit.SIZE, "size", lambda r: r.thing.size or None),
        value_of(Unit.PERCENT, "used", clustering.used),
    ),
    flags={
        **COMMON,
        "redirected": lambda r: bool(r.thing.fault & REDIRECTED),
        "maintenance": lambda r: bool(r.thing.fault & MAINTENANCE),
        "problem": _ails,
    },
    pieces=lambda r: (r.label, r.name, r.thing.owner, r.cluster.name),
    place=_place,
    tags=no_tags,
    host=_host,
)


def _free(row: VolumeRow) -> float | None:
    share = clustering.used(row)
    return None if share is None else 100 - share


def _line(**more: Callable[[Any], Sequence[str]]) -> Vocabulary:
    """Lines that are only looked at."""
    return Vocabulary(
        fields=table(
            text_of("name", lambda r: (r.thing.name,)),
            text_of("cluster", lambda r: r.clusters),
            *(text_of(name, get) for name, get in more.items()),
        ),
        flags={**COMMON, "problem": lambda r: r.tone == "error"},
        pieces=lambda r: (r.thing.name, *r.clusters, *(p for get in more.values() for p in get(r))),
        place=_clusters,
        tags=no_tags,
        host=lambda r: "",
    )


def _clusters(row: Line) -> Sequence[str]:
    return row.clusters


CLUSTERED: Mapping[str, Vocabulary] = {
    "role": ROLE,
    "node": NODE,
    "csv": CSV,
    "cluster-network": _line(address=lambda r: (r.thing.address,)),
    "resource": _line(
        role=lambda r: (r.role,), type=lambda r: (r.thing.type,), owner=lambda r: (r.thing.owner,)
    ),
}
"""By the value of ``Kind``, and the two kinds that only the cluster page knows."""

"""What is wrong with a failover cluster: with a role, a node, a shared volume, or all of it."""

from __future__ import annotations

from collections.abc import Iterator

from tui.hyperv import quorum
from tui.hyperv.cluster import (
    DOWN,
    DRAIN_FAILED,
    DRAINED,
    DRAINING,
    FAILED,
    ISOLATED,
    JOINING,
    MAINTENANCE,
    NO_ACCESS,
    PARTIAL,
    PAUSED,
    QUARANTINED,
    REDIRECTED,
    RESOURCE_FAILED,
    RESOURCE_OFFLINE,
    RESOURCE_ONLINE,
    UP,
    Cluster,
    ClusterNode,
    Role,
    SharedVolume,
)
from tui.hyperv.meanings import of_cluster
from tui.rows import levels, text
from tui.rows.levels import Finding
from tui.rows.remarks import LEVELS, Remark
from tui.store import Store
from tui.store.clusters import node_key, role_key, volume_key
from tui.store.groups import PREFIX

_NET_UP = 3
_NETWORKS = {0: "is unavailable", 1: "is down", 2: "is partitioned"}


# -- one thing -----------------------------------------------------------------------------


def role_finding(role: Role, cluster: Cluster) -> Finding | None:
    """What is wrong with a role; None when nothing is."""
    if role.state == FAILED:
        why = of_cluster(role.code) if role.code else None
        return Finding(f"failed: {why[0]}" if why else "failed", "error")
    if role.state == PARTIAL:
        return Finding("only partly online", "warning")
    if role.state == -1:
        return Finding("state not known", "error")
    node = cluster.node(role.owner)
    if node is not None and node.state == DOWN:
        return Finding(f"on {node.name}, which is down", "error")
    return None


def node_finding(node: ClusterNode) -> Finding | None:
    """What is wrong with a node; None when nothing is."""
    if node.information & QUARANTINED:
        return Finding("quarantined: it came and went too often", "error")
    if node.information & ISOLATED:
        return Finding("isolated: the others do not reach it", "error")
    if node.state == DOWN:
        return Finding("down", "error")
    if node.drain == DRAIN_FAILED:
        return Finding("paused, not all of its roles have left", "error")
    if node.state == PAUSED:
        words = {DRAINED: "paused and drained", DRAINING: "paused, its roles are leaving"}
        return Finding(words.get(node.drain, "paused"), "warning")
    return None if node.state in (UP, JOINING) else Finding("state not known", "error")


def volume_finding(volume: SharedVolume) -> Finding | None:
    """What is wrong with a shared volume; None when nothing is."""
    if volume.fault & NO_ACCESS:
        return Finding("nobody can reach it", "error")
    if volume.state in (RESOURCE_OFFLINE, RESOURCE_FAILED):
        word = "failed" if volume.state == RESOURCE_FAILED else "offline"
        return Finding(f"its disk is {word}", "error")
    if volume.fault & MAINTENANCE:
        return Finding("in maintenance: nobody can use it", "warning")
    if volume.fault & REDIRECTED:
        return Finding(f"redirected: all access goes through {volume.owner}", "warning")
    free = 100 * volume.free / volume.size if volume.size else None
    if tone := levels.tone("volume_free", free):
        return Finding(f"{text.size(volume.free)} free, {text.percent(free)}", tone)
    return None


def quorum_findings(cluster: Cluster) -> Iterator[tuple[str, str, str, str]]:
    """Tone, topic, sentence and what helps, of what concerns the votes."""
    now = quorum.tally(cluster)
    if not now.held:
        yield ("error", "Quorum", f"{cluster.name} has no quorum: {now}",
               "Start more nodes, or bring the witness back")  # fmt: skip
        return
    survives, which = quorum.survival(cluster)
    if not survives:
        yield ("warning", "Quorum", f"{cluster.name} does not survive every failure: {which}",
               f"It has {now}; bring nodes and witness back before you take any away")  # fmt: skip
    given = sum(1 for node in cluster.nodes if node.weight)
    if not quorum.has_witness(cluster):
        if given % 2 == 0:
            yield ("warning", "Witness", f"{cluster.name} has {given} voting nodes and no witness",
                   "Give it a file share, a cloud or a disk witness")  # fmt: skip
    elif cluster.witness and cluster.witness_state != RESOURCE_ONLINE:
        yield ("warning", "Witness", f"{cluster.witness} of {cluster.name} is not online",
               "Look whether its share, cloud or disk is reachable")  # fmt: skip
    for network in cluster.networks:
        if network.state != _NET_UP:
            word = _NETWORKS.get(network.state, "is in an unknown state")
            yield ("warning", "Network", f"{network.name} of {cluster.name} {word}",
                   "Look at the adapters and the cabling of its nodes")  # fmt: skip


# -- everything ----------------------------------------------------------------------------

_HELP = {
    "Node": "Look whether the host answers; d shows what its loss means for the votes",
    "Role": "Bring it online, or move it to another node",
    "Volume": "Look at the disk and its paths; maintenance ends with csv maintenance",
}


def cluster_remarks(store: Store) -> list[Remark]:
    """Everything that is wrong with any cluster, the worst first."""
    found: list[Remark] = []
    for told in store.clusters.known.values():
        found += remarks_of(told.cluster)
    levels = list(LEVELS)
    return sorted(found, key=lambda remark: (levels.index(remark.tone), remark.key))


def remarks_of(cluster: Cluster) -> Iterator[Remark]:
    """Everything that is wrong with one."""
    for tone, topic, says, hint in quorum_findings(cluster):
        yield _remark(cluster, topic, says, hint, tone, PREFIX + cluster.name)
    for node in cluster.nodes:
        if (found := node_finding(node)) is not None:
            says = f"{node.name} is {found.words}"
            key = node_key(cluster.name, node.name)
            yield _remark(cluster, "Node", says, _HELP["Node"], found.tone, key)
    for role in cluster.roles:
        if (found := role_finding(role, cluster)) is not None:
            says = f"{role.name} on {role.owner}: {found.words}"
            key = role_key(cluster.name, role.name)
            yield _remark(cluster, "Role", says, _HELP["Role"], found.tone, key)
    for volume in cluster.volumes:
        if (found := volume_finding(volume)) is not None:
            says = f"{volume.name}: {found.words}"
            key = volume_key(cluster.name, volume.name)
            yield _remark(cluster, "Volume", says, _HELP["Volume"], found.tone, key)


def _remark(cluster: Cluster, topic: str, says: str, hint: str, tone: str, goes: str) -> Remark:
    return Remark(
        key=f"{topic}:{goes}:{says}",
        tone=tone,
        clusters=(cluster.name,),
        goes=goes,
        topic=topic,
        says=says,
        hint=hint,
    )

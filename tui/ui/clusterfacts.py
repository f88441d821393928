"""The facts of a failover cluster, its roles, nodes and shared volumes. Knows no widget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.hyperv import quorum
from tui.hyperv.cluster import RESOURCE_ONLINE, Cluster
from tui.hyperv.meanings import of_cluster
from tui.rows import clustering, text
from tui.rows.clusterfindings import (
    node_finding,
    quorum_findings,
    role_finding,
    volume_finding,
)
from tui.rows.findings import Finding
from tui.store import NodeRow, RoleRow, Stale, Store, VolumeRow
from tui.ui.facts import Section, attend

_ACTIONS = {0: "turned off", 1: "saved", 2: "shut down", 3: "shut down, by force if need be"}
_QUORUMS = {1: "nodes alone", 2: "nodes and a file share", 3: "nodes and a disk", 4: "none"}


def facts_of(row: RoleRow | NodeRow | VolumeRow, store: Store, now: float) -> Iterator[Section]:
    """Everything about a thing of a cluster, most urgent first."""
    if isinstance(row, RoleRow):
        yield from _role(row, store, now)
    elif isinstance(row, NodeRow):
        yield from _node(row, store, now)
    else:
        yield from _volume(row, store, now)


# -- roles ---------------------------------------------------------------------------------


def _role(row: RoleRow, store: Store, now: float) -> Iterator[Section]:
    role = row.thing
    yield _attention(row, role_finding(role, row.cluster), store, now)
    state = clustering.role_state(row)
    section = Section("Role").add("State", str(state), state.tone).add("Node", role.owner)
    section.add("Kind", clustering.role_kind(row)).add("Cluster", row.cluster.name)
    if (machine := row.machine) is not None:
        shown = text.vm_shown(machine.vitals)
        lost = machine.stale is Stale.LOST
        told = f"{machine.name}: last seen {shown}" if lost else f"{machine.name}: {shown}"
        section.add("Machine", told, "dim" if lost else shown.tone)
    section.add("Locked", "a backup or a migration works on it" if role.locked else "", "warning")
    yield section
    policy = Section("Policy").add("Priority", clustering.priority(row))
    policy.add("Preferred", ", ".join(role.preferred) or "any node")
    policy.add("Comes back", "to a preferred node by itself" if role.failback else "")
    policy.add("Failovers", clustering.limits(row)).add("Apart", ", ".join(role.anti_affinity))
    if role.offline_action is not None:
        policy.add("Offline", f"it is {_ACTIONS.get(role.offline_action, 'stopped')}")
    yield policy
    resources = Section("Resources")
    for one in role.resources:
        stands = clustering.RESOURCE_STATES.get(one.state)
        word = str(stands) if stands else f"state {one.state}"
        resources.add("", f"{word}  {one.name}", stands.tone if stands else "")
        if one.code and (known := of_cluster(one.code)):
            resources.add("Last error", known[0], "error").add("Hint", known[1], "accent")
    yield resources


# -- nodes ---------------------------------------------------------------------------------


def _node(row: NodeRow, store: Store, now: float) -> Iterator[Section]:
    node = row.thing
    yield _attention(row, node_finding(node), store, now)
    state = clustering.node_state(row)
    section = Section("Node").add("State", str(state), state.tone)
    section.add("Cluster", row.cluster.name)
    section.add("Vote", f"{quorum.vote(node) if node.voting else 0} of {node.weight} counts")
    section.add("Roles", str(clustering.roles_of(row)))
    section.add("Host", row.own.host.id if row.own else "not configured here")
    if (own := row.answering) is not None:
        section.add("CPU", text.percent(own.vitals.cpu))
        section.add("Memory", text.percent(text.host_memory(own.host, own.vitals)))
    yield section
    if node.voting:
        yield _lines("If it goes down", quorum.told(row.cluster, node.name))
    name = node.name.casefold()
    yield _lines("Roles", [r.name for r in row.cluster.roles if r.owner.casefold() == name])
    volumes = [v for v in row.cluster.volumes if v.owner.casefold() == name]
    yield _lines("Volumes", [volume.name for volume in volumes])


# -- shared volumes ------------------------------------------------------------------------


def _volume(row: VolumeRow, store: Store, now: float) -> Iterator[Section]:
    volume = row.thing
    yield _attention(row, volume_finding(volume), store, now)
    state = clustering.volume_state(row)
    section = Section("Shared volume").add("State", str(state), state.tone)
    section.add("Node", volume.owner).add("Cluster", row.cluster.name)
    section.add("Used", text.percent(clustering.used(row)))
    section.add("Free", f"{text.size(volume.free)} of {text.size(volume.size)}")
    section.add("Path", volume.path).add("Disk", volume.resource)
    section.add("Backup", "under way" if volume.backup else "", "changing")
    yield section
    root = (volume.path or volume.name).casefold() + "\\"
    machines = [
        f"{vm.name} on {vm.host.id}"
        for vm in store.vms.values()
        if vm.host.cluster == row.cluster.name
        and any(disk.path.casefold().startswith(root) for disk in vm.vm.disks)
    ]
    yield _lines("Machines on it", sorted(machines))


# -- clusters ------------------------------------------------------------------------------


def cluster_facts(cluster: Cluster) -> Iterator[Section]:
    """How a cluster stands as a whole."""
    attention = Section("Attention")
    for tone, topic, says, hint in quorum_findings(cluster):
        attention.add(topic, says, tone).add("Hint", hint, "accent")
    yield attention
    now = quorum.tally(cluster)
    section = Section("Quorum").add("Votes", str(now), "" if now.held else "error")
    section.add("Made of", _QUORUMS.get(cluster.quorum, ""))
    section.add("Dynamic", "yes: weights follow who is there" if cluster.dynamic_quorum else "no")
    section.add("Witness", *_witness(cluster))
    survives, which = quorum.survival(cluster)
    section.add("May lose", which, "ok" if survives else "warning")
    yield section
    votes = Section("Nodes")
    for node in cluster.nodes:
        state = clustering.NODE_STATES.get(node.state)
        word = str(state) if state else f"state {node.state}"
        cast = quorum.vote(node) if node.voting else 0
        votes.add(node.name, f"{word}, vote {cast} of {node.weight}", state.tone if state else "")
    yield votes
    more = Section("Cluster").add("Name", cluster.fqdn or cluster.name)
    more.add("Roles", str(sum(not role.core for role in cluster.roles)))
    more.add("Level", text.count(cluster.level))
    more.add("Moves at once", text.count(cluster.parallel_migrations))
    for network in cluster.networks:
        state = clustering.NETWORK_STATES.get(network.state)
        word = str(state) if state else f"state {network.state}"
        more.add(network.name, f"{word} {network.address}", state.tone if state else "")
    yield more


def _witness(cluster: Cluster) -> tuple[str, str]:
    if not quorum.has_witness(cluster):
        return "none", ""
    name = cluster.witness or "a disk"
    if cluster.witness and cluster.witness_state != RESOURCE_ONLINE:
        return f"{name}, not online", "error"
    return (
        f"{name}, {'its vote counts' if cluster.witness_weight else 'its vote is not needed'}",
        "",
    )


# -- pieces --------------------------------------------------------------------------------


def _attention(
    row: RoleRow | NodeRow | VolumeRow, found: Finding | None, store: Store, now: float
) -> Section:
    section = Section("Attention")
    if found is not None:
        section.add("Problem", *found)
    attend(section, row, store, now)
    return section


def _lines(title: str, lines: Sequence[str]) -> Section:
    section = Section(title)
    for line in lines:
        section.add("", line)
    return section

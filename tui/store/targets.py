"""What an action needs to know of a row: the thing, its host, and what is around it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tui.actions.declare import Kind, Target
from tui.hyperv.model import Inventory, Job, Switch, Vm, VmVitals
from tui.store.changes import Row
from tui.store.clusters import node_key
from tui.store.rows import (
    HostRow,
    JobRow,
    NodeRow,
    ReplicaRow,
    RoleRow,
    SwitchRow,
    VmRow,
    VolumeRow,
)

if TYPE_CHECKING:
    from tui.store.store import Store

_KINDS: dict[type, Kind] = {
    HostRow: Kind.HOST, VmRow: Kind.VM, SwitchRow: Kind.SWITCH, JobRow: Kind.JOB,
    ReplicaRow: Kind.REPLICA, RoleRow: Kind.ROLE, NodeRow: Kind.NODE, VolumeRow: Kind.CSV,
}  # fmt: skip


def target_of(store: Store, row: Row) -> Target | None:
    """The target a row stands for; None for groups."""
    if isinstance(row, HostRow) and row.group:
        return None
    host = row.host
    vitals = row.vitals if isinstance(row, HostRow) else row.host_vitals
    key = row.vm.id if isinstance(row, VmRow) else row.key
    parts = _parts(store, row)
    parts.setdefault("cluster", store.clusters.cluster(host.cluster))
    return Target(
        _KINDS[type(row)],
        key,
        row.name,
        host,
        vitals,
        around=partial(around, store, host.id),
        fleet=partial(everywhere, store),
        guarded=_guarded(store, host.cluster),
        **parts,
    )


def _guarded(store: Store, cluster: str) -> str:
    """A node of the cluster that is configured read-only."""
    if not cluster:
        return ""
    nodes = (entry.info for entry in store.hosts.values() if entry.info.cluster == cluster)
    return next((node.id for node in nodes if node.read_only), "")


def _parts(store: Store, row: Row) -> dict[str, Any]:
    """The thing itself, by the names a target has for it."""
    if isinstance(row, VmRow):
        return _machine(store, row)
    if isinstance(row, HostRow):
        node = store.clusters.nodes.get(node_key(row.host.cluster, row.host.name))
        return {"node": node.thing if node else None}
    if isinstance(row, SwitchRow):
        return {"switch": row.switch}
    if isinstance(row, JobRow):
        return {"job": row.job}
    if isinstance(row, ReplicaRow):
        partner = row.other.replica if row.other else None
        behind = _behind(store, row.replica.vm, row.host.id)
        return {"replica": row.replica, "partner": partner, **behind}
    if isinstance(row, RoleRow):
        return {"role": row.thing, "cluster": row.cluster, **_behind(store, row.thing.vm)}
    if isinstance(row, NodeRow):
        return {"node": row.thing, "cluster": row.cluster}
    return {"volume": row.thing, "cluster": row.cluster}


def _machine(store: Store, row: VmRow) -> dict[str, Any]:
    cluster = store.clusters.cluster(row.host.cluster)
    role = cluster.role_of(row.vm.id, row.name) if cluster else None
    sheet = store.sheet(row.vm)
    return {"vm": row.vm, "vitals": row.vitals, "sheet": sheet, "role": role, "cluster": cluster}


def _behind(store: Store, vm: str, host: str = "") -> dict[str, Any]:
    """The machine behind a role or a replica, where it is listed. Of a replica there are two:
    the one on its ``host``.
    """
    row = store.vms.get(vm)
    if host and row is not None and row.host.id != host:
        row = store.vms.get(f"{vm}@{host}")
    return {} if row is None else {"vm": row.vm, "vitals": row.vitals}


# -- what is around ------------------------------------------------------------------------


def around(store: Store, host: str) -> Inventory:
    """What is known of one host, as the collector has it."""
    entry = store.hosts[host]
    vms = [row for row in store.vms.values() if row.host.id == host]
    return Inventory(
        entry.info,
        entry.vitals,
        {row.vm.id: row.vm for row in vms},
        {row.vm.id: row.vitals for row in vms},
        {key: row.switch for key, row in store.switches.items() if row.host.id == host},
        {key: row.job for key, row in store.jobs.items() if row.host.id == host},
        store.replicas.of(host),
        store.clusters.cluster(entry.info.cluster),
    )


def everywhere(store: Store) -> dict[str, Inventory]:
    """The same of every host, by id."""
    vms: dict[str, dict[str, Vm]] = {host: {} for host in store.hosts}
    vitals: dict[str, dict[str, VmVitals]] = {host: {} for host in store.hosts}
    switches: dict[str, dict[str, Switch]] = {host: {} for host in store.hosts}
    jobs: dict[str, dict[str, Job]] = {host: {} for host in store.hosts}
    for row in store.vms.values():
        vms[row.host.id][row.vm.id] = row.vm
        vitals[row.host.id][row.vm.id] = row.vitals
    for switch in store.switches.values():
        switches[switch.host.id][switch.key] = switch.switch
    for job in store.jobs.values():
        jobs[job.host.id][job.key] = job.job
    return {
        host: Inventory(
            entry.info,
            entry.vitals,
            vms[host],
            vitals[host],
            switches[host],
            jobs[host],
            store.replicas.of(host),
            store.clusters.cluster(entry.info.cluster),
        )
        for host, entry in store.hosts.items()
    }

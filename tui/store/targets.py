"""What an action needs to know of a row: the thing, its host, and what is around it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui.actions.declare import Kind, Target
from tui.hyperv.model import Inventory, Job, Switch, Vm, VmVitals
from tui.store.changes import Row
from tui.store.clusters import node_key
from tui.store.rows import HostRow, JobRow, NodeRow, ReplicaRow, RoleRow, SwitchRow, VmRow

if TYPE_CHECKING:
    from tui.store.store import Store


def target_of(store: Store, row: Row) -> Target | None:
    """The target a row stands for; None for groups."""
    if isinstance(row, HostRow) and row.group:
        return None
    target = _bare(store, row)
    return replace(
        target,
        around=partial(around, store, target.host.id),
        fleet=partial(everywhere, store),
        guarded=_guarded(store, target.host.cluster),
        cluster=target.cluster or store.clusters.cluster(target.host.cluster),
    )


def _guarded(store: Store, cluster: str) -> str:
    """A node of the cluster that is configured read-only."""
    if not cluster:
        return ""
    nodes = (entry.info for entry in store.hosts.values() if entry.info.cluster == cluster)
    return next((node.id for node in nodes if node.read_only), "")


def _bare(store: Store, row: Row) -> Target:
    """The thing itself."""
    if isinstance(row, HostRow):
        target = Target(Kind.HOST, row.key, row.name, row.host, row.vitals)
        node = store.clusters.nodes.get(node_key(row.host.cluster, row.host.name))
        return replace(target, node=node.thing if node else None)
    if isinstance(row, VmRow):
        return _machine(store, row)
    if isinstance(row, SwitchRow):
        target = Target(Kind.SWITCH, row.key, row.name, row.host, row.host_vitals)
        return replace(target, switch=row.switch)
    if isinstance(row, JobRow):
        return Target(Kind.JOB, row.key, row.name, row.host, row.host_vitals, job=row.job)
    if isinstance(row, ReplicaRow):
        target = Target(Kind.REPLICA, row.key, row.name, row.host, row.host_vitals)
        partner = row.other.replica if row.other else None
        target = replace(target, replica=row.replica, partner=partner)
        return _with_machine(store, target, row.replica.vm)
    if isinstance(row, RoleRow):
        target = Target(Kind.ROLE, row.key, row.name, row.host, row.host_vitals)
        target = replace(target, role=row.thing, cluster=row.cluster)
        return _with_machine(store, target, row.thing.vm)
    if isinstance(row, NodeRow):
        target = Target(Kind.NODE, row.key, row.name, row.host, row.host_vitals)
        return replace(target, node=row.thing, cluster=row.cluster)
    target = Target(Kind.CSV, row.key, row.name, row.host, row.host_vitals)
    return replace(target, volume=row.thing, cluster=row.cluster)


def _machine(store: Store, row: VmRow) -> Target:
    target = Target(Kind.VM, row.vm.id, row.name, row.host, row.host_vitals, row.vm)
    cluster = store.clusters.cluster(row.host.cluster)
    role = cluster.role_of(row.vm.id, row.name) if cluster else None
    return replace(target, vitals=row.vitals, sheet=store.sheet(row.vm), role=role)


def _with_machine(store: Store, target: Target, vm: str) -> Target:
    """The machine behind a role or a replica, where it is listed. Of a replica there are two."""
    row = store.vms.get(vm)
    if target.kind is Kind.REPLICA and row is not None and row.host.id != target.host.id:
        row = store.vms.get(f"{vm}@{target.host.id}")
    return target if row is None else replace(target, vm=row.vm, vitals=row.vitals)


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

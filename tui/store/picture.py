"""All that a store knows, as entries of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from tui.collector.messages import Batch, Update
from tui.collector.tape import Begun, Entry, Took
from tui.hyperv.model import Job, Switch
from tui.store.fleet import HostEntry
from tui.store.rows import Mark

if TYPE_CHECKING:
    from tui.store.store import Store


def picture(store: Store, at: float) -> list[Entry]:
    """What makes an empty store know the same; the past of its measurements is not in it."""
    begun: list[Entry] = [begun_of(store, key, mark) for key, mark in store.pending.items()]
    switches: dict[str, list[Switch]] = {host: [] for host in store.hosts}
    jobs: dict[str, list[Job]] = {host: [] for host in store.hosts}
    for row in store.switches.values():
        switches[row.host.id].append(row.switch)
    for job in store.jobs.values():
        jobs[job.host.id].append(job.job)
    whole = [
        structs.replace(
            _whole(store, entry), switches=tuple(switches[host]), jobs=tuple(jobs[host])
        )
        for host, entry in store.hosts.items()
    ]
    batch = Batch(
        updates=tuple(whole),
        calls=tuple(store.calls.values()),
        sheets=tuple(store.sheets.values()),
        answers=tuple(store.answers.values()),
        exchanges=tuple(store.exchanges),
        loads=store.loads.told,
        cpu=store.collector_cpu,
        memory=store.collector_memory,
        threads=store.collector_threads,
        idle=store.idle,
    )
    return [*begun, Took(at, batch)]


def _whole(store: Store, entry: HostEntry) -> Update:
    """A host and its machines, replicas and cluster, as it told them."""
    host, seen = entry.info.id, entry.sightings.values()
    told = store.clusters.known.get(entry.info.cluster)
    mine = told if told is not None and told.host == host else None
    return Update(
        host,
        entry.seq,
        entry.read_at,
        full=True,
        info=entry.info,
        vitals=entry.vitals,
        vms=tuple(one.vm for one in seen),
        vm_vitals=tuple(one.vitals for one in seen if one.vitals is not None),
        replicas=tuple(store.replicas.of(host).values()),
        cluster=mine.cluster if mine else None,
        cluster_at=mine.at if mine else 0.0,
        meters=store.measured.meters(host),
    )


def begun_of(store: Store, key: str, mark: Mark) -> Begun:
    """A call whose row says that it is under way."""
    call = store.calls[mark.call]
    doubted = mark.observed is not None
    return Begun(mark.since, call.id, call.action, call.host, call.target, key, mark.text, doubted)

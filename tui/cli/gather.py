"""One reading of hosts, as rows: the blocking session's inventories put into a store."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Final

from tui.collector.messages import Batch, HostLink, Update
from tui.collector.session import Session
from tui.collector.watch import Tier
from tui.hyperv.model import HostVitals, Inventory, Link, Trouble
from tui.store import Store

ROUNDS: Final = 4
BETWEEN: Final = 0.5
"""Seconds between the readings that rates are made of; sources take turns, so it takes a few."""


def read(session: Session, *, rates: bool = False, flows: bool = False) -> Store:
    """Read every host of a session; with ``rates`` again until those are known, with ``flows``
    until those of networks and disks are too.
    """
    inventories = session.load()
    answering = [host for host in inventories if host not in session.troubles]
    for _ in range(ROUNDS if rates or flows else 0):
        waiting = [host for host in answering if not _rated(inventories[host], flows=flows)]
        if not waiting:
            break
        threading.Event().wait(BETWEEN)
        inventories |= session.load(Tier.FAST, waiting)
    return store_of(session.links.values(), inventories, session.troubles)


def _rated(inventory: Inventory, *, flows: bool) -> bool:
    vitals = inventory.vitals
    known = [vitals.cpu, vitals.memory_free]
    if flows:
        known += [vitals.net_in, vitals.disk_read]
    return None not in known


def store_of(
    links: Iterable[HostLink], inventories: Mapping[str, Inventory], troubles: Mapping[str, Trouble]
) -> Store:
    """A store that holds what was read; a host that could not be read stays, with its reason."""
    store = Store()
    links = list(links)
    store.configure(links)
    updates = [_update(link.id, inventories.get(link.id), troubles.get(link.id)) for link in links]
    store.apply(Batch(updates=tuple(updates)), time.time())
    return store


def _update(host: str, found: Inventory | None, trouble: Trouble | None) -> Update:
    if found is None:
        vitals = HostVitals(host, link=Link.DOWN, trouble=trouble)
        return Update(host, 1, 0.0, full=True, vitals=vitals)
    return Update(
        host,
        1,
        found.vitals.read_at,
        full=True,
        info=found.host,
        vitals=found.vitals,
        vms=tuple(found.vms.values()),
        vm_vitals=tuple(found.vm_vitals.values()),
        switches=tuple(found.switches.values()),
        jobs=tuple(found.jobs.values()),
        replicas=tuple(found.replicas.values()),
        cluster=found.cluster,
        cluster_at=found.cluster_at,
    )

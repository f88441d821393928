"""The deck's memory: batches in, rows, history, marks and calls out.

One writer, the deck's event loop (or the command line); so there are no locks. Time arrives as an
argument. Knows no screen, no wire and no thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from tui.actions.declare import Target
from tui.collector.messages import Answer, Batch, Call, CallUpdate, Exchange, HostLink, Update
from tui.hyperv.model import Host, HostVitals, Inventory, Link, Vm, VmVitals
from tui.hyperv.sheet import Sheet
from tui.store import targets
from tui.store.calls import Calls
from tui.store.changes import Changes, LinkChange, Row
from tui.store.clock import JITTER, read_anew, staleness
from tui.store.clusters import Clusters
from tui.store.fleet import Fleet, HostEntry
from tui.store.groups import Groups
from tui.store.histories import Histories
from tui.store.loads import Loads
from tui.store.measured import Measured
from tui.store.replicas import Replicas
from tui.store.rows import HostRow, JobRow, Mark, Stale, SwitchRow, VmRow
from tui.store.series import History
from tui.store.space import Space
from tui.store.watches import Watches

EXCHANGES = 1000
SHEETS = 50
"""Machines whose sheet is remembered, the latest ones."""
FORGET_AFTER = 600.0
"""Seconds a vanished thing's marks and history wait for its return (a migration under way)."""
ANSWERS = 200
"""Answers remembered, the latest ones."""


class Store:
    """Everything the panes show."""

    def __init__(self) -> None:
        self.fleet = Fleet()
        self.host_rows: dict[str, HostRow] = {}
        self.switches: dict[str, SwitchRow] = {}
        self.jobs: dict[str, JobRow] = {}
        self.clusters = Clusters(self.fleet.rows, self.host_rows)
        self.replicas = Replicas()
        self.space = Space()
        self.histories = Histories()
        self.measured = Measured(
            self.fleet.rows,
            self.host_rows,
            self.clusters.cluster,
            self.histories.record,
            self.histories.forget,
        )
        self.groups = Groups()
        self.loads = Loads()
        self.exchanges: deque[Exchange] = deque(maxlen=EXCHANGES)
        """Newest first."""
        self.exchanged = 0
        """How many there have been: the number of the newest."""
        self.sheets: dict[str, Sheet] = {}
        """Machines in full, by GUID: those that were looked at."""
        self.marks: set[str] = set()
        """Keys of marked rows; a key outlives its row for a while."""
        self.collector_cpu = 0.0
        self.collector_memory = 0
        self.collector_threads = 0
        self.idle = False
        self.answers: dict[tuple[str, str], Answer] = {}
        """What hosts said when they were asked, by GUID and destination."""
        self.watches = Watches(self.row)
        self._calls = Calls()
        self._gone: dict[str, float] = {}

    # -- reading ---------------------------------------------------------------------------

    @property
    def hosts(self) -> dict[str, HostEntry]:
        """Every configured host, by id."""
        return self.fleet.hosts

    @property
    def vms(self) -> dict[str, VmRow]:
        """Every virtual machine, by row key."""
        return self.fleet.rows

    @property
    def calls(self) -> dict[str, CallUpdate]:
        """The newest state of every recent call, oldest first."""
        return self._calls.known

    def ended_at(self, target: str) -> float:
        """When the last call on a target came to its end; 0 when none has."""
        ends = (c.at for c in self.calls.values() if c.target == target and c.phase.final)
        return max(ends, default=0.0)

    @property
    def pending(self) -> dict[str, Mark]:
        """What is under way, by row key."""
        return self._calls.pending

    def row(self, key: str) -> Row | None:
        """Whatever row has that key."""
        return (
            self.vms.get(key)
            or self.host_rows.get(key)
            or self.switches.get(key)
            or self.jobs.get(key)
            or self.clusters.roles.get(key)
            or self.clusters.nodes.get(key)
            or self.clusters.volumes.get(key)
            or self.replicas.rows.get(key)
            or self.groups.rows.get(key)
        )

    def history(self, key: str) -> History:
        """The last day of a thing; empty when nothing is known."""
        return self.histories.get(key) or History()

    def tree(self, folded: frozenset[str] = frozenset()) -> list[HostRow]:
        """Hosts below their clusters, standalone ones last; folded groups hide their hosts."""
        return self.groups.tree(self.host_rows, folded)

    def target(self, key: str) -> Target | None:
        """What an action needs to know of a row; None for groups and what is gone."""
        row = self.row(key)
        return None if row is None else targets.target_of(self, row)

    def sheet(self, vm: Vm) -> Sheet | None:
        """The machine in full, when it has been read on the host it is on."""
        found = self.sheets.get(vm.id)
        return found if found is not None and found.host == vm.host else None

    def around(self, host: str) -> Inventory:
        """What is known of one host, as the collector has it."""
        return targets.around(self, host)

    def oldest(self, now: float) -> tuple[float, str]:
        """Age in seconds of the oldest data on screen, and its host; (0, "") without data."""
        ages = [(now - e.read_at, e.info.id) for e in self.hosts.values() if e.read_at]
        return max(ages, default=(0.0, ""))

    # -- writing ---------------------------------------------------------------------------

    def configure(self, links: Iterable[HostLink]) -> Changes:
        """The set of hosts: rows appear at once, as connecting; hosts not named go."""
        changes = Changes()
        wanted = {link.id: link for link in links}
        for host in [host for host in self.hosts if host not in wanted]:
            self._drop_host(host, changes)
        for link in wanted.values():
            if link.id in self.hosts:
                continue
            info = Host(link.id, link.url, read_only=link.read_only, demo=link.demo)
            self._add_host(info, HostVitals(link.id), changes)
        self.groups.rebuild(self.host_rows)
        return changes

    def apply(self, batch: Batch, now: float) -> Changes:
        """Take in one batch and tell what it changed."""
        changes = Changes()
        for update in batch.updates:
            self._apply_update(update, now, changes)
        if batch.updates:
            self._settle_vms(changes)
            self._count({update.host for update in batch.updates}, changes)
            self.histories.settle()
        for call in batch.calls:
            self._calls.update(call, now, changes)
        for answer in batch.answers:
            where = str(answer.arguments.get("destination") or "")
            self.answers[answer.target, where] = answer
            while len(self.answers) > ANSWERS:
                del self.answers[next(iter(self.answers))]
        for sheet in batch.sheets:
            self.sheets.pop(sheet.id, None)
            self.sheets[sheet.id] = sheet
            changes.sheets.add(sheet.id)
        while len(self.sheets) > SHEETS:
            del self.sheets[next(iter(self.sheets))]
        for exchange in reversed(batch.exchanges):
            self.exchanges.appendleft(exchange)
        self.exchanged += len(batch.exchanges)
        changes.exchanges = bool(batch.exchanges)
        if batch.loads:
            known = {host: entry.info for host, entry in self.hosts.items()}
            changes.loads |= self.loads.take(batch.loads, known)
        self.collector_cpu, self.collector_memory = batch.cpu, batch.memory
        self.collector_threads = batch.threads
        self.idle = batch.idle
        self._after(changes, now)
        return changes

    def tick(self, now: float) -> Changes:
        """The passing of time: staleness, calls nobody speaks of, things gone for good."""
        changes = Changes()
        self._calls.expire(now, changes)
        for key in [key for key, at in self._gone.items() if now - at > FORGET_AFTER]:
            del self._gone[key]
            self.histories.forget(key)
            self.marks.discard(key)
        self._after(changes, now)
        return changes

    def mark(self, keys: Iterable[str], on: bool) -> set[str]:
        """Mark or unmark rows; answers the keys that changed."""
        touched = {key for key in keys if (key in self.marks) is not on}
        self.marks ^= touched
        for key in touched:
            if (row := self.row(key)) is not None:
                row.marked = on
        return touched

    def begin(
        self,
        call: Call,
        key: str,
        *,
        text: str,
        now: float,
        observed: Callable[[Target], bool] | None = None,
    ) -> Changes:
        """A call is being sent: its row says so at once."""
        changes = Changes()
        row = self.row(key)
        name = row.name if row else call.target
        self._calls.begin(call, key, name, text, now, observed, changes)
        self._show_pending(changes)
        return changes

    def become(self, other: Store) -> None:
        """Know what another one knows, which is not used any more; marks and what is watched by
        hand stay.
        """
        marks, watches = self.marks, self.watches
        vars(self).update(vars(other))
        self.marks = marks
        self.watches.choose_as(watches)
        for key in marks:
            if (row := self.row(key)) is not None:
                row.marked = True

    def collector_lost(self, now: float, hosts: Iterable[str] | None = None) -> Changes:
        """The collector of these hosts (or of all) died: what was in flight is unknown."""
        changes = Changes()
        lost = set(self.hosts if hosts is None else hosts)
        self._calls.lost(lost, now, changes)
        for host in lost & self.hosts.keys():
            self.hosts[host].seq = 0
        self._after(changes, now)
        return changes

    # -- one host's update -----------------------------------------------------------------

    def _apply_update(self, update: Update, now: float, changes: Changes) -> None:
        entry = self.hosts.get(update.host)
        if entry is None:
            info = update.info or Host(update.host, "")
            entry = self._add_host(info, HostVitals(update.host), changes)
        if not update.full and update.seq != entry.seq + 1:
            changes.resync.add(update.host)
        entry.seq = update.seq
        if at := read_anew(entry, update, now):
            if at < entry.read_at - JITTER:
                self._set_back(entry, at)
            entry.read_at = max(entry.read_at, at)
        self._apply_host(entry, update, changes)
        if update.full:
            self.fleet.replace(entry, update.vms, update.vm_vitals)
        else:
            self.fleet.merge(entry, update)
        self._apply_switches(entry, update, changes)
        self._apply_jobs(entry, update, changes)
        self.replicas.apply(entry, update, self.marks, changes)
        self.clusters.apply(entry, update, self.marks, changes)
        self.space.apply(entry, update)
        self.measured.apply(entry, update, changes)
        self._record(entry)

    def _apply_host(self, entry: HostEntry, update: Update, changes: Changes) -> None:
        row = self.host_rows[entry.info.id]
        if update.info is not None and update.info != entry.info:
            entry.info = row.host = update.info
            changes.hosts.touch(row.key)
            self._renew_references(entry, changes)
        if update.vitals is None:
            return
        before = entry.vitals.link
        entry.vitals = row.vitals = update.vitals
        changes.hosts.touch(row.key)
        self._renew_references(entry, changes)
        if before is not update.vitals.link:
            changes.links.append(
                LinkChange(row.key, before, update.vitals.link, update.vitals.trouble)
            )

    def _renew_references(self, entry: HostEntry, changes: Changes) -> None:
        """Rows below a host point at its records; a change of link shows in them."""
        for row in self.fleet.rows_of(entry):
            if row.host_vitals.link is not entry.vitals.link or row.host is not entry.info:
                changes.vms.touch(row.key)
            row.host, row.host_vitals = entry.info, entry.vitals
        for key in entry.switches:
            switch = self.switches[key]
            switch.host, switch.host_vitals = entry.info, entry.vitals
        for key in entry.jobs:
            job = self.jobs[key]
            job.host, job.host_vitals = entry.info, entry.vitals

    def _apply_switches(self, entry: HostEntry, update: Update, changes: Changes) -> None:
        for switch in update.switches:
            row = self.switches.get(switch.id)
            if row is None:
                self.switches[switch.id] = SwitchRow(
                    switch.id, switch, entry.info, entry.vitals, marked=switch.id in self.marks
                )
                entry.switches.add(switch.id)
                changes.switches.add(switch.id)
            elif row.switch != switch:
                row.switch = switch
                changes.switches.touch(switch.id)
        named = {switch.id for switch in update.switches}
        gone = entry.switches - named if update.full else set(update.gone_switches)
        for key in gone & entry.switches:
            entry.switches.discard(key)
            del self.switches[key]
            changes.switches.remove(key)

    def _apply_jobs(self, entry: HostEntry, update: Update, changes: Changes) -> None:
        for job in update.jobs:
            row = self.jobs.get(job.id)
            if row is None:
                self.jobs[job.id] = JobRow(
                    job.id, job, entry.info, entry.vitals, seen_at=update.read_at
                )
                entry.jobs.add(job.id)
                changes.jobs.add(job.id)
            elif row.job != job:
                row.job = job
                changes.jobs.touch(job.id)
            subject = self.vms.get(job.subject)
            self.jobs[job.id].subject = subject.name if subject else ""
        gone = entry.jobs - {job.id for job in update.jobs} if update.full else update.gone_jobs
        for key in entry.jobs.intersection(gone):
            entry.jobs.discard(key)
            del self.jobs[key]
            changes.jobs.remove(key)

    def _set_back(self, entry: HostEntry, at: float) -> None:
        """The clock was set back (``store.clock``): that is when a host was read just now."""
        newest = max(one.read_at for one in self.hosts.values())
        seconds = newest + entry.vitals.interval - at
        self.histories.cut(at)
        self.fleet.set_back(seconds)
        self.measured.set_back(seconds)
        self.clusters.set_back(seconds)
        self._calls.set_back(seconds)
        self._gone = {key: moment - seconds for key, moment in self._gone.items()}

    def _record(self, entry: HostEntry) -> None:
        """One point of history for the host and for every VM on it, changed or not."""
        at = entry.read_at
        if at <= entry.recorded_at or entry.vitals.link is Link.DOWN:
            return
        entry.recorded_at = at
        self.measured.record(entry, at)
        row, vitals = self.host_rows[entry.info.id], entry.vitals
        self.histories.record(
            row.key,
            at,
            (
                vitals.cpu,
                row.memory_used,
                vitals.net_in,
                vitals.net_out,
                vitals.disk_read,
                vitals.disk_write,
            ),
            host=True,
        )
        for key, sighting in self.fleet.sighted(entry):
            v = sighting.vitals
            if v is not None and v.cpu is not None:
                self.histories.record(
                    key, at, (v.cpu, v.memory, v.net_in, v.net_out, v.disk_read, v.disk_write)
                )

    # -- after every change ----------------------------------------------------------------

    def _settle_vms(self, changes: Changes) -> None:
        for old, new in self.fleet.settle(changes.vms):
            self.mark([new], old in self.marks)
            self.marks.discard(old)
        for key in changes.vms.added:
            self.vms[key].marked = key in self.marks
        self.measured.settle(changes.vms.added, changes)
        for job in self.jobs.values():
            # A job may be heard of in the same update as the machine it works on.
            if not job.subject and (subject := self.vms.get(job.job.subject)):
                job.subject = subject.name

    def _count(self, told: set[str], changes: Changes) -> None:
        """VM counts of the hosts that told something or lost or gained a VM; sums of groups."""
        for host in told | self.fleet.shifted:
            row = self.host_rows[host]
            counts = self.fleet.counts(self.hosts[host])
            if counts != (row.running, row.total):
                row.running, row.total = counts
                changes.hosts.touch(row.key)
        if changes.hosts:
            changes.hosts.changed |= self.groups.rebuild(self.host_rows)

    def _after(self, changes: Changes, now: float) -> None:
        for delta in changes.deltas:
            for key in delta.removed:
                self._gone.setdefault(key, now)
            for key in delta.added:
                self._gone.pop(key, None)
        self._age(changes, now)
        self.watches.follow(changes)
        self._calls.settle_unknown(self.target, self.fleet.left, now, changes)
        self._show_pending(changes)

    def _show_pending(self, changes: Changes) -> None:
        for key in changes.pending:
            row = self.row(key)
            if row is not None:
                row.pending = self._calls.text(key)
                changes.touch_row(key, row)

    def _age(self, changes: Changes, now: float) -> None:
        for entry in self.hosts.values():
            level = staleness(entry.vitals, entry.read_at, now)
            row = self.host_rows[entry.info.id]
            if row.stale is not level:
                row.stale = level
                changes.hosts.touch(row.key)
            if entry.stale is level and not changes.vms.added and not changes.switches.added:
                continue
            entry.stale = level
            for vm in self.fleet.rows_of(entry):
                _set_stale(vm, level, changes)
            for key in entry.switches:
                _set_stale(self.switches[key], level, changes)
            for key in entry.jobs:
                _set_stale(self.jobs[key], level, changes)
        self.clusters.follow(self.hosts, changes, now)
        self.replicas.follow(self.hosts, changes)
        self.measured.follow(self.hosts, changes, now)

    # -- hosts come and go -----------------------------------------------------------------

    def _add_host(self, info: Host, vitals: HostVitals, changes: Changes) -> HostEntry:
        entry = self.fleet.hosts[info.id] = HostEntry(info, vitals)
        self.host_rows[info.id] = HostRow(
            info.id, info, vitals, marked=info.id in self.marks, depth=1
        )
        changes.hosts.add(info.id)
        return entry

    def _drop_host(self, host: str, changes: Changes) -> None:
        entry = self.hosts[host]
        self.fleet.replace(entry, (), ())
        self._settle_vms(changes)
        for key in entry.switches:
            del self.switches[key]
            changes.switches.remove(key)
        for key in entry.jobs:
            del self.jobs[key]
            changes.jobs.remove(key)
        self.replicas.forget(host, changes)
        self.space.forget(host)
        self.loads.forget(host)
        self.measured.forget(host, changes)
        del self.fleet.hosts[host], self.host_rows[host]
        changes.hosts.remove(host)
        self.clusters.forget(self.hosts, changes)


def _set_stale(row: VmRow | SwitchRow | JobRow, level: Stale, changes: Changes) -> None:
    if row.stale is not level:
        row.stale = level
        changes.touch_row(row.key, row)


__all__ = ["Row", "Store", "Vm", "VmVitals", "staleness"]

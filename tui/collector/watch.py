"""The watch lane: one thread per host that keeps its inventory true.

Reads in three tiers (facts on connect, fast, slow), each host at its own pace: a slow host
stretches only itself, a failing one backs off with jitter and stays listed with its reason.
"""

from __future__ import annotations

import logging
import math
import random
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Flag, auto

import msgspec

from tui.collector.connect import Connect, exchange
from tui.collector.hub import Hub
from tui.collector.messages import HostLink
from tui.errors import AuthRejected, Fault, HvError, LinkError, Refused, WireError
from tui.hyperv import sheets
from tui.hyperv.events import Chronicle
from tui.hyperv.meters import Look
from tui.hyperv.model import Host, HostVitals, Inventory, Link, Trouble
from tui.hyperv.read import Reader
from tui.hyperv.sheet import Sheet
from tui.wsman.client import CimClient, Throttle, Trip

log = logging.getLogger(__name__)

FIRST_BACKOFF = 2.0
LONGEST_BACKOFF = 60.0
LONGEST_STRETCH = 60.0
FACTS_EVERY = 600.0
SHEET_EVERY = 10.0
CLUSTER_EVERY = 5.0
"""Seconds between looks at the cluster, at least, by the one node that tells of it."""
SURVEY_EVERY = 1.0
"""Seconds between steps of a survey of files, at most, until each has been read once."""
BETWEEN_SLOW = 3.0
"""After a refresh that waited for its turn, so many times as long until the next slow tier."""
NEWCOMER_AFTER = 5.0
"""Seconds between slow tiers, at least, when machines appear of which little is known."""


class Tier(Flag):
    """What to read."""

    NONE = 0
    FAST = auto()
    SLOW = auto()
    FACTS = auto()
    """What the host is and, once machines are known, how it is set up."""
    SHEET = auto()
    """The one machine that is being looked at in full."""
    CLUSTER = auto()
    """How the failover cluster stands; with ``SLOW`` or ``WHOLE`` also how it is set up."""
    IMAGES = auto()
    """Some more files of disks, while those are being looked at."""
    WHOLE = auto()
    OPTIONS = auto()
    """The part of ``FACTS`` that waits."""
    CHANGED = FAST | SLOW | SHEET
    """What an action may have touched."""
    ALL = FAST | SLOW | FACTS | SHEET | CLUSTER


@dataclass(slots=True)
class Pacing:
    """Seconds between ticks, shared by all lanes of a collector."""

    fast: float = 2.0
    slow: float = 30.0


def trouble_of(error: HvError) -> Trouble:
    """An error as a record."""
    return Trouble(type(error).__name__, error.title, error.cause, error.hint, error.code)


def bug(error: Exception, doing: str, hint: str) -> HvError:
    """A failure of ours, said as such. The text of the exception may hold secrets: not shown."""
    return HvError(
        f"hvdeck made a mistake {doing}",
        cause=type(error).__name__,
        hint=f"{hint}; HVDECK_LOG names a file for the details",
    )


class Watch:
    """Refreshes one host. ``step`` reads once, blocking; ``run`` does it for ever."""

    def __init__(
        self,
        link: HostLink,
        hub: Hub,
        *,
        connect: Connect,
        throttle: Throttle,
        pacing: Pacing,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.link = link
        self._hub = hub
        self._connect = connect
        self._throttle = throttle
        self._pacing = pacing
        self._now = now
        self._client: CimClient | None = None
        self._reader: Reader | None = None
        self._spent = (0, 0)
        self._trips: deque[float] = deque(maxlen=9)
        self._failures = 0
        self._stretch = 0.0
        self._waited = 0.0
        """Seconds for its turn, of the refresh under way."""
        self._held = 0.0
        """How long the last refresh took, when it had to wait: no host is to blame for that."""
        self._due = dict.fromkeys((Tier.FAST, Tier.SLOW, Tier.FACTS, Tier.CLUSTER), 0.0)
        self._due[Tier.SHEET] = self._due[Tier.IMAGES] = math.inf
        self._inspected = ""
        self._looks: frozenset[Look] = frozenset()
        self._chronicle = Chronicle("")
        self._wake = threading.Condition()
        self._wanted = Tier.NONE
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._inventory = Inventory(
            Host(link.id, link.url, read_only=link.read_only, demo=link.demo),
            HostVitals(link.id, interval=pacing.fast),
        )

    # -- life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Publish the host as connecting and keep it fresh from now on."""
        if self._thread is None:
            self._hub.set_busy(self, busy=True)
            self._hub.publish(self._inventory)
            self._thread = threading.Thread(
                target=self._run, name=f"watch {self.link.id}", daemon=True
            )
            self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """End the thread; with ``timeout`` wait that many seconds for a request under way."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread is not None and timeout is not None:
            if self._thread.is_alive():  # an interrupt may have come while it was being started
                self._thread.join(timeout)
        elif self._thread is None:
            self._disconnect()

    def poke(self, tiers: Tier) -> None:
        """Read these tiers now, also in the middle of a back-off."""
        with self._wake:
            if self._stopped:
                return
            self._wanted |= tiers
            if self._thread is not None:
                self._hub.set_busy(self, busy=True)
            self._wake.notify()

    def inspect(self, vm: str) -> None:
        """Keep this machine's sheet fresh from now on, beginning now; empty: none."""
        with self._wake:
            self._inspected = vm
            self._due[Tier.SHEET] = 0.0 if vm else math.inf
        if vm:
            self.poke(Tier.SHEET)

    def attend(self, looks: frozenset[Look], *, soon: bool) -> None:
        """Measure these groups from now on. ``soon``: what is new among them begins now, unless
        the host fails: looking elsewhere must not hasten a log-on that was refused.
        """
        with self._wake:
            new, self._looks = looks - self._looks, looks
            if Look.IMAGES in new:
                self._due[Tier.IMAGES] = self._due[Tier.FAST]
            elif Look.IMAGES not in looks:
                self._due[Tier.IMAGES] = math.inf
        if soon and new and not self._failures:
            self.poke(Tier.FAST)

    def _run(self) -> None:
        try:
            while not self._stopped:
                wanted = self._take_wanted()
                self._hub.set_busy(self, busy=True)
                self.step(wanted)
                self._rest()
        finally:
            self._disconnect()
            self._hub.retire(self)

    def _take_wanted(self) -> Tier:
        with self._wake:
            wanted, self._wanted = self._wanted, Tier.NONE
            now = time.monotonic()
            for tier, at in self._due.items():
                if now >= at:
                    wanted |= tier
            return wanted

    def _rest(self) -> None:
        with self._wake:
            if self._wanted or self._stopped:
                return
            self._hub.set_busy(self, busy=False)
            pause = min(self._due.values()) - time.monotonic()
            self._wake.wait_for(lambda: self._wanted or self._stopped, max(0.0, pause))

    # -- one refresh -----------------------------------------------------------------------

    def step(self, tiers: Tier) -> HvError | None:
        """Read ``tiers``, fast first, and publish after each. Answers what went wrong, if so."""
        started, self._waited = time.monotonic(), 0.0
        failure: HvError | None = None
        if self._reader is None:
            tiers |= Tier.FAST
        if Tier.FACTS in tiers:
            tiers |= Tier.OPTIONS
        for tier in (
            Tier.FAST, Tier.SHEET, Tier.FACTS, Tier.SLOW, Tier.OPTIONS, Tier.CLUSTER, Tier.IMAGES,
        ):  # fmt: skip
            if tier in tiers and (failure := self._read(tier, tiers)) is not None:
                break
        if failure is None:
            self._failures = 0
        self._reschedule(tiers, started, failure)
        return failure

    def _read(self, tier: Tier, tiers: Tier) -> HvError | None:
        started, read_at = time.monotonic() - self._waited, self._now()
        if tier is not Tier.FAST:  # the reader knows nothing of when its fast tick was
            read_at = self._inventory.vitals.read_at
        try:
            for inventory in self._readings(tier, tiers):
                self._inventory = inventory
                if tier is Tier.FAST:
                    self._adapt(time.monotonic() - self._waited - started)
                link = Link.SLOW if self._stretch > 0 else Link.UP
                self._publish(link, None, read_at=read_at)
        except HvError as error:
            return self._failed(tier, error)
        except Exception as error:
            log.exception("reading %s of %s", tier.name, self.link.id)
            return self._failed(
                tier, bug(error, f"reading {self.link.id}", "the next tick tries again")
            )
        return None

    def _readings(self, tier: Tier, tiers: Tier) -> Iterator[Inventory]:
        """One inventory; of the slow tier two, since machines need not wait for all of it."""
        if self._reader is None:
            self._client = self._connect(self.link, self._throttle, self._exchanged)
            self._reader = Reader(
                self._client,
                self.link.id,
                self.link.url,
                read_only=self.link.read_only,
                demo=self.link.demo,
                now=self._now,
                previous=self._inventory,
            )
        match tier:
            case Tier.FACTS:
                yield self._reader.identity()
            case Tier.OPTIONS:
                yield self._reader.options()
            case Tier.SLOW:
                yield from self._reader.slow_parts(self._inspected)
            case Tier.SHEET:
                self._read_sheet()
                yield self._inventory
            case Tier.CLUSTER:
                whole = bool(tiers & (Tier.SLOW | Tier.WHOLE))
                yield self._read_cluster(self._reader, whole=whole)
            case Tier.IMAGES:
                yield self._reader.survey()
            case _:
                self._reader.attend(self._looks)
                yield self._reader.fast()

    def _read_cluster(self, reader: Reader, *, whole: bool) -> Inventory:
        """One node tells for all; the others spare the cluster their questions."""
        cluster = self._inventory.host.cluster
        if not cluster or self._hub.speaker(cluster) != self.link.id:
            return reader.silence()
        found = reader.cluster(whole=whole)
        if found.cluster_at != self._inventory.cluster_at:
            self._hub.unmute(self.link.id)
        else:
            self._hub.mute(self.link.id)
        return found

    def _read_sheet(self) -> None:
        vm = self._inspected
        if not vm or self._client is None:
            return
        try:
            sheet = sheets.read(self._client, self.link.id, vm, self._now)
        except Refused as refused:
            log.info("no sheet: %s", refused.title)
            return
        self._hub.show(self._with_events(sheet))

    def _with_events(self, sheet: Sheet) -> Sheet:
        """The sheet, and what the log says of its machine. Shown before a log is first read."""
        assert self._client is not None
        told = self._chronicle
        if told.vm_id != sheet.id:
            told = self._chronicle = Chronicle(sheet.id)
            self._hub.show(sheet)
        known = self._inventory.vms.get(sheet.id)
        told.read(self._client, known.name if known else "", self._now)
        replace = msgspec.structs.replace
        return replace(sheet, events=told.events, events_refused=told.refused)

    def _failed(self, tier: Tier, error: HvError) -> HvError | None:
        """A refused slow tier leaves the host up; anything else takes it down."""
        partial = tier is not Tier.FAST and isinstance(error, Fault | WireError)
        if isinstance(error, LinkError) or not partial:
            self._failures += 1
            self._disconnect()
            self._publish(Link.DOWN, trouble_of(error))
            return error
        self._publish(self._inventory.vitals.link, trouble_of(error))
        return None

    def _publish(self, link: Link, trouble: Trouble | None, *, read_at: float = 0.0) -> None:
        if self._stopped:
            return  # whoever stopped us may have forgotten the host, or watches it anew
        vitals = self._inventory.vitals
        requests, octets = self._traffic()
        vitals = msgspec.structs.replace(
            vitals,
            link=link,
            trouble=trouble,
            read_at=read_at or vitals.read_at,
            interval=self._interval(),
            latency=statistics.median(self._trips) if self._trips else 0.0,
            requests=requests,
            bytes=octets,
        )
        self._inventory = msgspec.structs.replace(self._inventory, vitals=vitals)
        self._hub.publish(self._inventory)

    def _exchanged(self, trip: Trip) -> None:
        self._trips.append(trip.seconds)
        self._waited += trip.waited
        self._hub.log(exchange(trip, self.link.id, "watch", self._now()))

    # -- pace ------------------------------------------------------------------------------

    def _interval(self) -> float:
        held = min(LONGEST_STRETCH, max(self._held, self._waited))
        return max(self._pacing.fast, self._stretch, held)

    def _adapt(self, seconds: float) -> None:
        """Stretch this host's interval while it takes longer than that to answer one tick."""
        if seconds > self._pacing.fast:
            self._stretch = min(LONGEST_STRETCH, seconds * 1.5)
        else:
            self._stretch = 0.0

    def _reschedule(self, tiers: Tier, started: float, failure: HvError | None) -> None:
        now = time.monotonic()
        self._held = now - started if self._waited else 0.0
        with self._wake:  # what is looked at may change meanwhile
            if failure is not None:
                pause = self._backoff(failure)
                self._due |= {tier: now + pause for tier, at in self._due.items() if at < math.inf}
                return
            self._look_again(tiers, now)
            if Tier.FAST in tiers:
                self._due[Tier.FAST] = max(now, started + self._interval())
            if Tier.SLOW in tiers:
                self._due[Tier.SLOW] = now + max(self._pacing.slow, BETWEEN_SLOW * self._held)
            elif self._reader is not None and self._reader.wants_slow:
                self._due[Tier.SLOW] = min(self._due[Tier.SLOW], now + NEWCOMER_AFTER)
            if Tier.FACTS in tiers:
                self._due[Tier.FACTS] = now + FACTS_EVERY
            if Tier.CLUSTER in tiers:
                self._due[Tier.CLUSTER] = now + max(CLUSTER_EVERY, self._interval())

    def _look_again(self, tiers: Tier, now: float) -> None:
        """When what was read because somebody looks is read again: never, if nobody does."""
        if Tier.SHEET in tiers:
            self._due[Tier.SHEET] = now + SHEET_EVERY if self._inspected else math.inf
        if Tier.IMAGES in tiers:
            hurry = self._reader is not None and self._reader.surveying
            pause = min(self._interval(), SURVEY_EVERY) if hurry else self._interval()
            self._due[Tier.IMAGES] = now + pause if Look.IMAGES in self._looks else math.inf

    def _backoff(self, failure: HvError) -> float:
        """Doubling with jitter. A refused password waits longest: accounts lock."""
        if isinstance(failure, AuthRejected):
            pause = LONGEST_BACKOFF
        else:
            pause = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(self._failures - 1, 10))
        return pause * random.uniform(0.75, 1.25)

    def _traffic(self) -> tuple[int, int]:
        requests, octets = self._spent
        if self._client is not None:
            requests, octets = requests + self._client.requests, octets + self._client.bytes
        return requests, octets

    def _disconnect(self) -> None:
        self._spent = self._traffic()
        client, self._client, self._reader = self._client, None, None
        if client is not None:
            client.close()

"""What readings of hosts and clusters tell of calls: seen to be done, under way, or in doubt.

Knows the hub; asks no host itself.
"""

from __future__ import annotations

from dataclasses import replace

from tui.actions import Kind, Target
from tui.collector.following import Following, target_of
from tui.collector.hub import Hub
from tui.hyperv.model import Link, Trouble
from tui.wsman.cim import CimRef
from tui.wsman.schema import VIRTUALIZATION


class Witness:
    """Looks at what is known for the calls of one host."""

    def __init__(self, host: str, hub: Hub) -> None:
        self._host = host
        self._hub = hub

    def target(self, kind: Kind, key: str, host: str = "") -> Target | None:
        """A thing as it was last read, on this host or another."""
        inventory = self._hub.inventory(host or self._host)
        if inventory is None:
            return None
        told = self._hub.cluster(inventory.host.cluster)
        cluster = told[0] if told else None
        found = target_of(inventory, kind, key, cluster=cluster, fleet=self._hub.inventories)
        return replace(found, guarded=self._guarded(inventory.host.cluster)) if found else None

    def _guarded(self, cluster: str) -> str:
        """A node of the cluster that is configured read-only."""
        if not cluster:
            return ""
        hosts = (one.host for one in self._hub.inventories().values())
        return next((host.id for host in hosts if host.cluster == cluster and host.read_only), "")

    def answers(self, host: str) -> bool:
        """A host answers, as far as is known."""
        inventory = self._hub.inventory(host)
        return inventory is not None and inventory.vitals.link in (Link.UP, Link.SLOW)

    def concerned(self, following: Following) -> set[str]:
        """Hosts whose readings show how a call ends: here, where it arrives, the cluster's."""
        hosts = {self._host, self.elsewhere(following)}
        cluster = following.target.cluster
        if following.in_cluster and cluster is not None:
            hosts.add(self._hub.speaker(cluster.name))
        if following.target.partner is not None:  # what is done to one end shows at both
            hosts.add(following.target.partner.host)
        return hosts - {""}

    def elsewhere(self, following: Following) -> str:
        """The other host on which it shows; empty when it is this one."""
        arrives = following.action.arrives
        host = arrives(following.target, following.call.arguments) if arrives else ""
        return "" if host == self._host else host

    # -- done ------------------------------------------------------------------------------

    def is_shown(self, following: Following) -> bool:
        """The wanted state, in an inventory read after the host accepted."""
        action, call = following.action, following.call
        observed = action.wanted(call.arguments, following.target, following.asked_at)
        if observed is None and not action.vanishes:
            return True
        elsewhere = self.elsewhere(following)
        if elsewhere:
            here = self.target(action.kind, call.target)
            if here is not None or not self._is_fresh(following, self._host):
                return False
        if not self._is_fresh(following, elsewhere or self._host):
            return False
        target = self.target(action.kind, call.target, elsewhere)
        if target is None:
            return action.vanishes
        return observed is not None and observed(target)

    def _is_fresh(self, following: Following, host: str) -> bool:
        """What is known of a host was read after it had accepted."""
        inventory = self._hub.inventory(host)
        if inventory is None:
            return False
        if following.clustered:
            return self._cluster_heard(following) > 0
        if following.action.kind is Kind.REPLICA:
            replica = inventory.replicas.get(following.call.target)
            return replica is None or replica.read_at > following.sent_at
        return inventory.vitals.read_at > following.sent_at

    def _cluster_heard(self, following: Following) -> float:
        """So long after the host had accepted its cluster was read; less than none: before."""
        inventory = self._hub.inventory(self._host)
        told = self._hub.cluster(inventory.host.cluster) if inventory is not None else None
        return told[1] - following.sent_at if told else -1.0

    # -- not done --------------------------------------------------------------------------

    def percent(self, following: Following) -> int | None:
        """How far the cluster shows it to be; None when it shows nothing under way."""
        target = self._in_cluster(following)
        under_way = following.action.under_way
        return under_way(target, following.target) if under_way and target else None

    def missed(self, following: Following) -> Trouble | None:
        """What the cluster shows of a call that will not be done any more."""
        target, missed = self._in_cluster(following), following.action.missed
        if target is None or missed is None or following.lost is not None:
            return None
        why = missed(target, following.call.arguments, self._cluster_heard(following))
        title = f"{following.action.title} of {following.name} did not come about"
        return Trouble("MethodFailed", title, cause=why) if why else None

    def _in_cluster(self, following: Following) -> Target | None:
        if not following.in_cluster or self._cluster_heard(following) <= 0:
            return None
        return self.target(following.action.kind, following.call.target)

    def trace(self, following: Following) -> CimRef | None:
        """The job of a call whose answer was lost."""
        traced = following.action.traced
        target = self.target(following.action.kind, following.call.target)
        job = traced(target, following.asked_at) if traced and target else None
        if job is None:
            return None
        key = job.id.removeprefix(f"{self._host}:")
        return CimRef(job.class_name, (("InstanceID", key),), VIRTUALIZATION)

    def doubt(self, following: Following, patience: float) -> Trouble:
        """The last word on a call that was never seen to be done."""
        elsewhere = self.elsewhere(following)
        if elsewhere:
            return self._astray(following, elsewhere, patience)
        if following.lost is not None:
            return following.lost
        return Trouble(
            "Unknown",
            f"{following.action.title} of {following.name}: accepted, not seen to happen",
            cause=f"the host took it, but did not show it within {patience:.0f} s",
            hint="look at the state, the jobs and the guest; nothing was sent twice",
        )

    def _astray(self, following: Following, there: str, patience: float) -> Trouble:
        """Where something is that was to go to another host, as both tell."""
        kind, key, name = following.action.kind, following.call.target, following.name
        here = self.target(kind, key) is not None
        title = f"{following.action.title} of {name}: "
        hint = "look at both hosts and their jobs before trying again; nothing was sent twice"
        if here and self.target(kind, key, there) is not None:
            title += f"{self._host} and {there} both have it"
            cause = "source and target disagree about where it is"
            hint = f"find out on which of the two it runs before anything is done to it; {hint}"
        elif not self._is_fresh(following, there):
            title += f"{there} does not tell whether it has come"
            cause = f"nothing was heard of {there} since"
        elif here and following.lost is not None:
            title += "whether the host took it is not known"
            cause = f"{following.lost.title}; {name} is still on {self._host}, with no job on it"
        elif here:
            title += f"still on {self._host}"
            cause = f"it was accepted, and {there} did not show it within {patience:.0f} s"
        else:
            title += "on neither of the two hosts"
            cause = f"it has left {self._host}, and {there} does not show it"
        return Trouble("Unknown", title, cause=cause, hint=hint)

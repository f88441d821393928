"""Quorum: whose votes count, how many are needed, and what the loss of a voter would mean.

Arithmetic over the weights a cluster tells. What is here says what would happen, never what the
cluster will decide: the cluster counts for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from tui.hyperv.cluster import (
    DOWN,
    PAUSED,
    RESOURCE_ONLINE,
    UP,
    Cluster,
    ClusterNode,
)
from tui.hyperv.plans.words import several

WITNESS = "the witness"
"""What a witness is called among voters; no node can have that name."""
_SHARE, _STORAGE = 2, 3
"""QuorumTypeValue of the kinds with a witness."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How a vote would end now."""

    cast: int
    """Votes of those who are there."""
    total: int
    """Votes that count."""

    @property
    def needed(self) -> int:
        """The smallest majority."""
        return self.total // 2 + 1

    @property
    def held(self) -> bool:
        """There is a majority: the cluster runs."""
        return self.cast >= self.needed

    @property
    def spare(self) -> int:
        """Votes that may be lost at once."""
        return self.cast - self.needed

    def __str__(self) -> str:
        return f"{self.cast} of {several(self.total, 'vote')}, {self.needed} needed"


def has_witness(cluster: Cluster) -> bool:
    """It has one, whether or not that can be reached: a disk witness is not told by name."""
    return bool(cluster.witness) or cluster.quorum in (_SHARE, _STORAGE)


def witness_there(cluster: Cluster) -> bool:
    """The witness can be reached; one of which no resource is known is taken to be."""
    if not has_witness(cluster):
        return False
    return not cluster.witness or cluster.witness_state == RESOURCE_ONLINE


def vote(node: ClusterNode) -> int:
    """What a node's vote counts, whether or not it is cast."""
    return node.dynamic_weight if node.weight else 0


def tally(cluster: Cluster) -> Tally:
    """Votes cast and votes that count."""
    total = sum(vote(node) for node in cluster.nodes) + cluster.witness_weight
    cast = sum(vote(node) for node in cluster.nodes if node.state in (UP, PAUSED))
    if witness_there(cluster) and cast:
        cast += cluster.witness_weight
    return Tally(cast, total)


# -- what if -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loss:
    """What the loss of some voters at one blow means."""

    names: tuple[str, ...]
    before: Tally
    after: Tally
    """By the weights of before: these decide."""
    settled: Tally | None
    """Once the cluster has counted anew; None when it stops."""
    fatal: tuple[str, ...]
    """Voters whose loss after that would stop it."""

    @property
    def survived(self) -> bool:
        return self.after.held


def without(cluster: Cluster, *names: str) -> Loss:
    """The loss of nodes, by name, or of ``WITNESS``, all at once."""
    gone = lost(cluster, names)
    before, after = tally(cluster), Tally(tally(gone).cast, tally(cluster).total)
    if not after.held:
        return Loss(names, before, after, None, ())
    anew = recounted(gone)
    return Loss(names, before, after, tally(anew), fatal(anew))


def fatal(cluster: Cluster) -> tuple[str, ...]:
    """Voters whose loss alone would stop the cluster."""
    total = tally(cluster).total

    def stops(name: str) -> bool:
        return not Tally(tally(lost(cluster, (name,))).cast, total).held

    return tuple(filter(stops, voters(cluster)))


def voters(cluster: Cluster) -> tuple[str, ...]:
    """Names of those whose vote is cast now."""
    names = [node.name for node in cluster.nodes if node.voting]
    if witness_there(cluster) and cluster.witness_weight:
        names.append(WITNESS)
    return tuple(names)


def lost(cluster: Cluster, names: Iterable[str]) -> Cluster:
    """The cluster without some voters, and nothing counted anew yet."""
    gone = {name.casefold() for name in names}
    nodes = tuple(
        replace(node, state=DOWN) if node.name.casefold() in gone else node
        for node in cluster.nodes
    )
    if WITNESS not in gone:
        return replace(cluster, nodes=nodes)
    return replace(cluster, nodes=nodes, witness=cluster.witness or WITNESS, witness_state=0)


def recounted(cluster: Cluster) -> Cluster:
    """Weights as dynamic quorum sets them: who is away has no vote, and the sum is made odd by
    the witness or, without one, by taking one node's vote. Which node that is the cluster
    chooses; here it is the last by name.
    """
    if not cluster.dynamic_quorum:
        return cluster
    there = [node.name for node in cluster.nodes if node.weight and node.state in (UP, PAUSED)]
    even = len(there) % 2 == 0
    witness = int(even and bool(there) and witness_there(cluster))
    spared = there[-1] if even and there and not witness else ""
    nodes = tuple(
        replace(node, dynamic_weight=int(node.name in there and node.name != spared))
        for node in cluster.nodes
    )
    return replace(cluster, nodes=nodes, witness_weight=witness)


def sides(cluster: Cluster, one: Sequence[str]) -> tuple[Tally, Tally]:
    """The nodes fall apart into ``one`` side and the rest; each with the votes it could cast,
    the witness's among them, since whichever side reaches it first has that.
    """
    there = {name.casefold() for name in one}
    names = [node.name for node in cluster.nodes]
    first = [name for name in names if name.casefold() in there]
    rest = [name for name in names if name.casefold() not in there]
    total = tally(cluster).total
    return (
        Tally(tally(lost(cluster, rest)).cast, total),
        Tally(tally(lost(cluster, first)).cast, total),
    )


# -- in words ------------------------------------------------------------------------------


def survival(cluster: Cluster) -> tuple[bool, str]:
    """Whether any one voter more may be lost, and in words which must not."""
    if not tally(cluster).held:
        return False, "no quorum"
    deadly = fatal(cluster)
    if not deadly:
        return True, "any one"
    return False, f"all but {listed(deadly, 'and')}"


def told(cluster: Cluster, *names: str) -> tuple[str, ...]:
    """The arithmetic of a loss, line by line: before, after, and what must not follow."""
    loss = without(cluster, *names)
    who = listed(loss.names, "and")
    lines = [f"Votes now: {loss.before}"]
    if not loss.survived:
        short = several(loss.after.needed - loss.after.cast, "vote")
        lines.append(
            f"Without {who}: {loss.after}, {short} short: the cluster stops, and every role with it"
        )
        return tuple(lines)
    lines.append(f"Without {who}: {loss.after}; the cluster goes on")
    if loss.settled is not None and loss.settled != loss.after:
        lines.append(f"Counted anew after that: {loss.settled}")
    if loss.fatal:
        lines.append(f"It would then stop with the loss of {listed(loss.fatal, 'or')}")
    else:
        lines.append("It would then survive the loss of any one more")
    return tuple(lines)


def listed(names: Sequence[str], last: str) -> str:
    """``A, B or C``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"

"""Quorum: whose votes count, and whether those who are there have the majority.

Pure arithmetic over the weights of nodes and of a witness; who is there is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vote:
    """One node as quorum sees it."""

    number: int
    """The node's Id."""
    weight: int = 1
    """NodeWeight: what an administrator gave it."""
    dynamic: int = 1
    """DynamicWeight: what it counts at present."""
    up: bool = True


@dataclass(frozen=True, slots=True)
class Witness:
    """The witness of a cluster, if it has one."""

    there: bool = False
    """The cluster has one."""
    up: bool = False
    """It can be reached."""
    dynamic: int = 0
    """WitnessDynamicWeight."""


def majority(votes: Sequence[Vote], witness: Witness) -> bool:
    """Whether the nodes that are up, with the witness, hold more than half of what counts."""
    every = sum(vote.dynamic for vote in votes) + witness.dynamic
    here = sum(vote.dynamic for vote in votes if vote.up)
    if witness.up and any(vote.up for vote in votes):
        here += witness.dynamic
    return 2 * here > every


def adjusted(
    votes: Sequence[Vote], witness: Witness, *, dynamic: bool = True, lowest: int = 0
) -> tuple[Mapping[int, int], int]:
    """New dynamic weights by node, and that of the witness, among nodes that have quorum.

    Nodes that are down lose their vote, and the witness votes only to make the sum odd; without
    a witness one node gives its vote up for that: ``lowest``, else the last one.
    """
    if not dynamic:
        return {vote.number: vote.weight for vote in votes}, int(witness.there)
    weights = {vote.number: vote.weight if vote.up else 0 for vote in votes}
    voting = [number for number, weight in weights.items() if weight]
    if len(voting) % 2 or not voting:
        return weights, 0
    if witness.there and witness.up:
        return weights, 1
    weights[lowest if lowest in voting else max(voting)] = 0
    return weights, 0

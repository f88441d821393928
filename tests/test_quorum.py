"""Votes of nodes and witness: who counts, who is needed, what a loss leaves."""

from __future__ import annotations

import itertools
import struct

import pytest

from tui.hyperv import quorum
from tui.hyperv.cluster import (
    DOWN,
    ISOLATED,
    JOINING,
    PAUSED,
    RESOURCE_FAILED,
    RESOURCE_ONLINE,
    UP,
    Cluster,
    ClusterNode,
)
from tui.hyperv.ops.proplist import property_list
from tui.hyperv.quorum import WITNESS, Tally

SHARE = "File Share Witness"


def cluster(
    states: str, *, votes: str = "", witness: str = "", dynamic: bool = True, given: str = ""
) -> Cluster:
    """Nodes A, B, C … by a letter each (u up, p paused, d down, j joining); ``votes`` and
    ``given`` their dynamic and assigned weights, ``witness`` its weight, ``x`` when it is lost.
    """
    letters = {"u": UP, "p": PAUSED, "d": DOWN, "j": JOINING}
    weights = given or "1" * len(states)
    nodes = tuple(
        ClusterNode("ABCDEFGH"[at], letters[state], weight=int(weights[at]), dynamic_weight=int(
            votes[at] if votes else state in "up"))
        for at, state in enumerate(states)
    )  # fmt: skip
    there = bool(witness)
    return Cluster(
        "CL",
        dynamic_quorum=dynamic,
        quorum=2 if there else 1,
        witness=SHARE if there else "",
        witness_state=RESOURCE_FAILED if "x" in witness else RESOURCE_ONLINE,
        witness_weight=int(witness.strip("x") or 0),
        nodes=nodes,
    )


@pytest.mark.parametrize(
    ("made", "cast", "total", "needed", "held"),
    [
        (cluster("uuuu", witness="1"), 5, 5, 3, True),
        (cluster("uuu"), 3, 3, 2, True),
        (cluster("uuu", witness="0"), 3, 3, 2, True),
        (cluster("uupd", witness="0"), 3, 3, 2, True),
        (cluster("uu", votes="10"), 1, 1, 1, True),
        (cluster("du", votes="10"), 0, 1, 1, False),
        (cluster("uu", votes="11", witness="1x"), 2, 3, 2, True),
        (cluster("du", votes="11", witness="1x"), 1, 3, 2, False),
        (cluster("uddd", votes="1111", dynamic=False), 1, 4, 3, False),
        (cluster("uudd", votes="1111", dynamic=False), 2, 4, 3, False),
        (cluster("uuuu", given="0111", votes="0111"), 3, 3, 2, True),
        (cluster("uuuu", given="0111", votes="1111"), 3, 3, 2, True),
        (cluster("jjuu", votes="0011", witness="1"), 3, 3, 2, True),
        (cluster("dd", votes="11", witness="1"), 0, 3, 2, False),
    ],
)
def test_votes_are_counted(made: Cluster, cast: int, total: int, needed: int, held: bool) -> None:
    now = quorum.tally(made)
    assert (now.cast, now.total, now.needed, now.held) == (cast, total, needed, held)


@pytest.mark.parametrize(
    ("made", "lost", "survived", "after", "settled", "fatal"),
    [
        # Four nodes and a witness: any node may go, and after it another.
        (cluster("uuuu", witness="1"), "A", True, (4, 5), (3, 3), ()),
        (cluster("uuuu", witness="1"), "AB", True, (3, 5), (3, 3), ()),
        (cluster("uuuu", witness="1"), "ABC", False, (2, 5), None, ()),
        # Three nodes, no witness: then one of two is left without a vote.
        (cluster("uuu"), "C", True, (2, 3), (1, 1), ("A",)),
        (cluster("uuu"), "BC", False, (1, 3), None, ()),
        # Two nodes, no witness: one vote decides.
        (cluster("uu", votes="10"), "A", False, (0, 1), None, ()),
        (cluster("uu", votes="10"), "B", True, (1, 1), (1, 1), ("A",)),
        # Two nodes and a witness: it makes up for one.
        (cluster("uu", witness="1"), "A", True, (2, 3), (1, 1), ("B",)),
        # Without dynamic quorum nothing is counted anew.
        (cluster("uuuu", dynamic=False), "D", True, (3, 4), (3, 4), ("A", "B", "C")),
        (cluster("uuud", votes="1111", dynamic=False), "C", False, (2, 4), None, ()),
        # A paused node votes like any other.
        (cluster("upp"), "A", True, (2, 3), (1, 1), ("B",)),
    ],
)
def test_what_a_loss_means(
    made: Cluster,
    lost: str,
    survived: bool,
    after: tuple[int, int],
    settled: tuple[int, int] | None,
    fatal: tuple[str, ...],
) -> None:
    loss = quorum.without(made, *lost)
    assert loss.survived is survived
    assert loss.after == Tally(*after)
    assert loss.settled == (Tally(*settled) if settled else None)
    assert loss.fatal == fatal


def test_the_witness_may_be_lost_like_a_node() -> None:
    loss = quorum.without(cluster("uuuu", witness="1"), WITNESS)
    assert (loss.survived, loss.after, loss.settled) == (True, Tally(4, 5), Tally(3, 3))
    assert quorum.fatal(cluster("uu", votes="11", witness="1x")) == ("A", "B")


def test_a_disk_witness_is_known_by_the_kind_of_quorum() -> None:
    made = Cluster("CL", quorum=3, witness_weight=1, dynamic_quorum=True,
                   nodes=(ClusterNode("A"), ClusterNode("B")))  # fmt: skip
    assert quorum.tally(made) == Tally(3, 3)
    assert quorum.voters(made) == ("A", "B", WITNESS)
    assert not quorum.without(made, WITNESS, "A").survived


def test_an_isolated_node_casts_no_vote() -> None:
    nodes = (ClusterNode("A"), ClusterNode("B"), ClusterNode("C", DOWN, ISOLATED, dynamic_weight=0))
    assert quorum.voters(Cluster("CL", nodes=nodes)) == ("A", "B")


@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("witness", ["", "1"])
def test_whoever_is_lost_one_at_a_time_leaves_a_cluster_that_counts_odd(
    count: int, witness: str
) -> None:
    """Dynamic quorum goes down to the last node, and an odd sum is never a tie."""
    made = quorum.recounted(cluster("u" * count, witness=witness))
    while quorum.tally(made).held:
        assert quorum.tally(made).total % 2
        left = [name for name in quorum.voters(made) if name not in quorum.fatal(made)]
        if not left:
            break
        made = quorum.recounted(quorum.lost(made, left[:1]))
    assert sum(node.voting for node in made.nodes) == 1


@pytest.mark.parametrize(("count", "witness"), [*itertools.product(range(2, 7), ("", "1"))])
def test_two_sides_never_both_go_on_without_the_witness_on_both(count: int, witness: str) -> None:
    made = quorum.recounted(cluster("u" * count, witness=witness))
    names = [node.name for node in made.nodes]
    for size in range(1, count):
        one, other = quorum.sides(made, names[:size])
        both = one.held and other.held
        assert not both or made.witness_weight, "only the witness can belong to either"
        assert one.cast + other.cast == quorum.tally(made).total + made.witness_weight
        assert one.held or other.held


def test_it_is_told_in_words_and_numbers() -> None:
    made = cluster("uuuu", witness="1")
    assert quorum.told(made, "B") == (
        "Votes now: 5 of 5 votes, 3 needed",
        "Without B: 4 of 5 votes, 3 needed; the cluster goes on",
        "Counted anew after that: 3 of 3 votes, 2 needed",
        "It would then survive the loss of any one more",
    )
    assert quorum.told(cluster("uu", votes="10"), "A")[-1] == (
        "Without A: 0 of 1 vote, 1 needed, 1 vote short: the cluster stops, and every role with it"
    )
    assert quorum.told(cluster("uuu"), "C")[-1] == "It would then stop with the loss of A"
    assert quorum.survival(made) == (True, "any one")
    assert quorum.survival(cluster("uu", votes="11", witness="1x")) == (False, "all but A and B")
    assert quorum.survival(cluster("dd", votes="11")) == (False, "no quorum")


def test_a_property_list_is_laid_out_as_the_cluster_api_wants_it() -> None:
    octets = bytes(property_list(("Virtual Machine", 4), ("Virtual Machine Configuration", 4)))
    name = "Virtual Machine\0".encode("utf-16-le")
    assert octets[:4] == struct.pack("<I", 2)
    assert octets[4:12] == struct.pack("<II", 262147, 32)
    assert octets[12:44] == name
    assert octets[44:60] == struct.pack("<IIII", 65538, 4, 4, 0)
    assert octets[60:68] == struct.pack("<II", 262147, 60)
    assert len(octets) == 68 + 60 + 16


def test_a_name_of_odd_length_is_padded() -> None:
    octets = bytes(property_list(("ab", 1)))
    assert octets[4:12] == struct.pack("<II", 262147, 6)
    assert octets[12:20] == "ab\0".encode("utf-16-le") + b"\0\0"
    assert len(octets) == 20 + 16

"""Quorum arithmetic: who votes, and who has the majority."""

from __future__ import annotations

import pytest

from tests.cluster_kit import property_list
from tui.sim import move_list
from tui.sim.votes import Vote, Witness, adjusted, majority
from tui.wsman.fault import Refusal


def settled(nodes: int, *, witness: bool, dynamic: bool = True) -> tuple[list[Vote], Witness]:
    """A cluster with all its nodes there."""
    votes = [Vote(number + 1) for number in range(nodes)]
    weights, weight = adjusted(votes, Witness(witness, witness), dynamic=dynamic)
    found = [Vote(vote.number, 1, weights[vote.number]) for vote in votes]
    return found, Witness(witness, witness, weight)


def without(votes: list[Vote], *gone: int) -> list[Vote]:
    return [Vote(v.number, v.weight, v.dynamic, v.number not in gone) for v in votes]


@pytest.mark.parametrize(
    ("nodes", "witness", "dynamic", "weights", "witness_weight"),
    [
        (1, False, True, [1], 0),
        (2, False, True, [1, 0], 0),
        (2, True, True, [1, 1], 1),
        (3, False, True, [1, 1, 1], 0),
        (3, True, True, [1, 1, 1], 0),
        (4, False, True, [1, 1, 1, 0], 0),
        (4, True, True, [1, 1, 1, 1], 1),
        (5, True, True, [1, 1, 1, 1, 1], 0),
        (4, True, False, [1, 1, 1, 1], 1),
        (3, True, False, [1, 1, 1], 1),
        (4, False, False, [1, 1, 1, 1], 0),
    ],
)
def test_the_votes_of_a_whole_cluster(
    nodes: int, witness: bool, dynamic: bool, weights: list[int], witness_weight: int
) -> None:
    votes, seen = settled(nodes, witness=witness, dynamic=dynamic)
    assert [vote.dynamic for vote in votes] == weights
    assert seen.dynamic == witness_weight


@pytest.mark.parametrize(
    ("nodes", "witness", "gone", "lost_witness", "holds"),
    [
        (2, True, (1,), False, True),
        (2, True, (1,), True, False),
        (2, False, (2,), False, True),
        (2, False, (1,), False, False),
        (3, False, (1,), False, True),
        (3, False, (1, 2), False, False),
        (4, True, (1, 2), False, True),
        (4, True, (1, 2), True, False),
        (4, True, (1, 2, 3), False, False),
        (4, True, (), True, True),
        (5, False, (1, 2), False, True),
        (5, False, (1, 2, 3), False, False),
    ],
)
def test_who_is_left_at_one_stroke(
    nodes: int, witness: bool, gone: tuple[int, ...], lost_witness: bool, holds: bool
) -> None:
    votes, seen = settled(nodes, witness=witness)
    seen = Witness(seen.there, seen.up and not lost_witness, seen.dynamic)
    assert majority(without(votes, *gone), seen) is holds


def test_one_after_another_a_cluster_goes_down_to_its_last_node() -> None:
    votes, witness = settled(4, witness=True)
    for gone in (1, 2, 3):
        votes = [Vote(v.number, 1, v.dynamic, v.up and v.number != gone) for v in votes]
        assert majority(votes, witness)
        weights, weight = adjusted(votes, witness)
        votes = [Vote(v.number, 1, weights[v.number], v.up) for v in votes]
        witness = Witness(True, True, weight)
        assert (sum(v.dynamic for v in votes) + weight) % 2 == 1
    assert [v.dynamic for v in votes] == [0, 0, 0, 1]


def test_a_witness_alone_is_no_cluster() -> None:
    assert not majority([Vote(1, up=False), Vote(2, up=False)], Witness(True, True, 1))


def test_a_node_without_weight_has_no_vote() -> None:
    votes = [Vote(1), Vote(2), Vote(3, weight=0)]
    assert adjusted(votes, Witness()) == ({1: 1, 2: 0, 3: 0}, 0)
    assert adjusted(votes, Witness(), lowest=1) == ({1: 0, 2: 1, 3: 0}, 0)


# -- the property list of a move -----------------------------------------------------------


def test_the_list_os_win_sends() -> None:
    octets = property_list(("Virtual Machine", 4), ("Virtual Machine Configuration", 4))
    assert octets[8:12] == (32).to_bytes(4, "little")
    values = move_list.decode(octets)
    assert values == {"Virtual Machine": 4, "Virtual Machine Configuration": 4}
    assert move_list.way(values) == move_list.LIVE


@pytest.mark.parametrize("value", range(5))
def test_every_way_to_go(value: int) -> None:
    assert move_list.way(move_list.decode(property_list(("Virtual Machine", value)))) == value


def test_an_odd_name_is_padded() -> None:
    octets = property_list(("Even", 1), ("Odd", 2), ("Virtual Machine", 3))
    assert move_list.decode(octets) == {"Even": 1, "Odd": 2, "Virtual Machine": 3}


def test_a_list_about_something_else_says_nothing() -> None:
    assert move_list.way(move_list.decode(property_list(("Disk", 4)))) is None


GOOD = property_list(("Virtual Machine", 4))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\1",
        GOOD[:-1],
        GOOD[:30],
        b"\2" + GOOD[1:],
        GOOD.replace(b"\3\0\4\0", b"\4\0\4\0", 1),
        GOOD.replace(b"\2\0\1\0", b"\3\0\1\0", 1),
        GOOD[:-4] + b"\1\0\0\0",
        GOOD.replace(b"V\0", b"\0\xd8", 1),
    ],
)
def test_no_list_at_all(octets: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        move_list.decode(octets)
    assert caught.value.reply.code == 0x80070057


def test_a_way_there_is_none() -> None:
    with pytest.raises(Refusal):
        move_list.way({"Virtual Machine": 5})

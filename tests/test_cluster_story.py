"""A day of the simulated failover cluster over the socket, as an encrypted client lives it."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cluster_kit import LIVE, going, ref
from tests.link_kit import linked, serving
from tui.errors import LinkError, Unreachable
from tui.sim import command, scenes
from tui.sim.http import Endpoint
from tui.sim.world import Fabric, StillClock
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.client import CimClient


@dataclass(frozen=True)
class Day:
    """The nodes' endpoints and the clock by which they live."""

    clock: StillClock
    endpoints: dict[str, Endpoint]

    @contextlib.contextmanager
    def at(self, node: str) -> Iterator[CimClient]:
        to = self.endpoints[node]
        with linked(to) as transport:
            yield CimClient(transport, url=to.url)


def value(client: CimClient, kind: str, name: str, column: str) -> CimValue:
    return client.get(ref(kind, name))[column]


@pytest.fixture
def day() -> Iterator[Day]:
    clock = StillClock()
    with serve_all(scenes.build("cluster", clock=clock)) as made:
        yield Day(clock, made)


def test_a_role_moves_a_node_is_drained_dies_and_comes_back(day: Day) -> None:
    with day.at("NODE2") as client, day.at("NODE1") as first:
        parameters = going(LIVE)
        client.invoke(
            ref("ResourceGroup", "git"),
            "MoveToNewNodeParams",
            NodeName="NODE4",
            Parameters=parameters,
            Flags=14,
        )
        day.clock.advance(2)
        private = client.get(ref("Resource", "Virtual Machine git"))["PrivateProperties"]
        assert isinstance(private, CimInstance)
        assert int(str(private.values["MigrationProgress"])) > 0
        day.clock.advance(30)
        assert value(first, "ResourceGroup", "git", "OwnerNode") == "NODE4"

        client.invoke(ref("Node", "NODE1"), "Pause", DrainType=1, TargetNode="")
        for _ in range(60):
            day.clock.advance(5)
            if value(first, "Node", "NODE1", "NodeDrainStatus") != 1:
                break
        assert value(client, "Node", "NODE1", "NodeDrainStatus") == 2

        told = client.put(ref("ResourceGroup", "git"), {"Priority": 3000})
        assert told["Priority"] == 3000


def test_a_dead_host_is_silent_until_it_is_back() -> None:
    clock = StillClock()
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = ["--scene", "cluster", "--fault", "NODE3:dies_after=30"]
    words += ["--fault", "NODE3:returns_after=90"]
    fabric = command.furnish(parser.parse_args(words), clock=clock)
    with serve_all(fabric) as made:
        day = Day(clock, made)
        with day.at("NODE3") as third, day.at("NODE2") as client:
            assert value(third, "Node", "NODE3", "State") == 0
            day.clock.advance(31)
            with pytest.raises(LinkError):
                value(third, "Node", "NODE3", "State")
            with pytest.raises(Unreachable):
                value(third, "Node", "NODE3", "State")
            day.clock.advance(30)
            assert value(client, "Node", "NODE3", "State") == 1
            assert value(client, "ResourceGroup", "shop", "OwnerNode") != "NODE3"
            day.clock.advance(60)
            assert value(client, "Node", "NODE3", "State") == 0
            assert until_heard(third) == 0


def until_heard(client: CimClient, seconds: float = 20.0) -> CimValue:
    """NODE3's state in its own words; its listener needs a moment to be back."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return value(client, "Node", "NODE3", "State")
        except LinkError:
            if time.monotonic() > deadline:
                raise


@contextlib.contextmanager
def serve_all(fabric: Fabric) -> Iterator[dict[str, Endpoint]]:
    made = {n: command.endpoint(h, "127.0.0.1", 0) for n, h in fabric.hosts.items()}
    with serving(*made.values()):
        yield made


@pytest.mark.parametrize(
    ("knobs", "state", "information"),
    [
        (("isolated_after=5",), 1, 1),
        (("isolated_after=5", "rejoins_after=40"), 0, 0),
        (("dies_after=5",), 1, 0),
    ],
)
def test_the_knobs_of_the_command_line(
    knobs: tuple[str, ...], state: int, information: int
) -> None:
    clock = StillClock()
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = ["--scene", "cluster"]
    for knob in knobs:
        words += ["--fault", f"NODE4:{knob}"]
    fabric = command.furnish(parser.parse_args(words), clock=clock)
    cluster = fabric.cluster_of(fabric.hosts["NODE1"])
    assert cluster is not None
    clock.advance(60)
    fabric.advance()
    node = cluster.node("NODE4")
    assert (node.state, node.information) == (state, information)

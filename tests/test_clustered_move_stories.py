"""A clustered machine migrated as a machine, over sockets; truth by WQL on both nodes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.cluster_cases import owner, stands
from tests.deck_kit import story
from tests.test_move_stories import deck_on, go, hosts_of
from tests.verb_story_kit import SYSTEM, NamedShell, Served, serving_scene
from tui.collector.messages import Phase
from tui.ui.migrate import MigrateScreen

NODES = ("NODE1", "NODE2", "NODE3", "NODE4")
RUNNING = 2


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("cluster") as found:
        yield found


def uptime(served: Served, node: str, name: str) -> int:
    """Milliseconds a machine has run, as its node tells."""
    wql = f"SELECT OnTimeInMilliseconds FROM Msvm_ComputerSystem WHERE ElementName = '{name}'"
    (row,) = served.truth(node)(wql)
    return int(str(row["OnTimeInMilliseconds"]))


def check(served: Served, name: str, vm: str, source: str, target: str, ran: int) -> None:
    """Both nodes say: it is a running role of the target, and has not stopped on its way."""
    assert hosts_of(served, vm) == [target]
    assert served.truth(source)(f"SELECT * FROM {SYSTEM} WHERE ElementName = '{name}'") == []
    assert served.truth(target).state(name) == RUNNING
    assert uptime(served, target, name) >= ran
    for node in (source, target):
        assert owner(served.truth(node), name) == target
        assert stands(served.truth(node), name) == 0


def test_a_clustered_machine_moves_from_the_sheet_as_a_role(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, *NODES) as d:
            vm, ran = served.truth("NODE1").vm("git"), uptime(served, "NODE1", "git")
            await d.until(lambda: d.app.store.clusters.known, "the cluster is known")
            await d.go("git")
            await d.press("m")
            await d.until(lambda: isinstance(d.app.screen, MigrateScreen), "the sheet")
            screen = d.app.screen
            assert isinstance(screen, MigrateScreen)
            await d.until(lambda: "NODE4" in screen._lines, "NODE4 is offered")
            screen._hosts.move_to("NODE4")
            await d.shows("the cluster FCL1 moves git to NODE4")
            line = screen._lines["NODE4"]
            assert line.ways == "as role"
            assert not any(one.askable for one in line.going), "clusters give no verdict"
            history = d.app.store.histories[vm]
            update = await go(d)
            assert update.phase is Phase.OBSERVED, update
            await d.until(lambda: d.app.store.vms[vm].host.id == "NODE4", "the row has moved")
            assert d.app.store.histories[vm] is history
            check(served, "git", vm, "NODE1", "NODE4", ran)

    told()


def test_a_clustered_machine_moves_from_the_command_line(served: Served, named: NamedShell) -> None:
    vm, ran = served.truth("NODE3").vm("bi"), uptime(served, "NODE3", "bi")
    words = ("vm", "migrate", "bi", "--destination", "NODE2")
    told = named(*words, "--dry-run")
    assert told.code == 0, told.err
    assert "bi: as a role, by MSCluster_ResourceGroup.MoveToNewNodeParams, to NODE2" in told.out
    assert "NODE3 gave no verdict" in told.out
    assert hosts_of(served, vm) == ["NODE3"], "a rehearsal moves nothing"
    done = named(*words, "--wait", "--yes", "--timeout", "90", "-o", "json")
    assert done.code == 0, done.out + done.err
    assert json.loads(done.out)[0]["phase"] == "observed"
    check(served, "bi", vm, "NODE3", "NODE2", ran)


def test_a_locked_role_is_refused_by_its_name(served: Served, named: NamedShell) -> None:
    ran = named("vm", "migrate", "licences", "--destination", "NODE1", "--wait", "--yes")
    assert ran.code == 2
    assert "the role licences is locked from moving" in ran.err
    assert hosts_of(served, served.truth("NODE2").vm("licences")) == ["NODE2"]

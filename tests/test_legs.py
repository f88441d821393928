"""Steps as calls, checked when they are sent: what others did meanwhile, what is closed now."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from tests.plans_kit import fleet, host, machine
from tui.actions import Action, Target
from tui.cli.gather import store_of
from tui.collector.messages import CallUpdate, HostLink, Phase
from tui.hyperv.model import Inventory, Link
from tui.hyperv.plans import draining
from tui.hyperv.plans import fleet as fleets
from tui.hyperv.plans.step import Step
from tui.hyperv.preflight import Move
from tui.store import Store
from tui.store.legs import Campaign, legs_of, pause_of, resume_of
from tui.store.queue import Leg, Queue

NOW = 1.0
"""When the hosts of the kit were read."""


def clustered() -> dict[str, Inventory]:
    machines = [machine("a", 8), machine("b", 6), machine("c", 4)]
    return fleet(host("HV1", machines, cluster="CL"), host("HV2", cluster="CL"),
                 host("HV3", cluster="CL"))  # fmt: skip


def standing(estate: dict[str, Inventory]) -> Store:
    """One node tells of the cluster."""
    told = {
        name: one if name == "HV1" else structs.replace(one, cluster=None)
        for name, one in estate.items()
    }
    return store_of([HostLink(name, "") for name in estate], told, {})


class Admin:
    """Runs the drain of HV1 and sees what is sent."""

    def __init__(self, estate: dict[str, Inventory], cap: int = 1) -> None:
        self.estate = estate
        self.store = standing(estate)
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        legs = legs_of(estate, draining.drain(estate, "HV1").steps)
        self.queue = Queue(legs, cap)
        self.read_only = False
        self.campaign = Campaign(self.queue, self.store, self.launch, lambda: self.read_only)
        self.now = NOW

    def launch(self, leg: Leg, action: Action, target: Target, arguments: dict[str, Any]) -> str:
        self.sent.append((action.id, target.name, arguments))
        return f"call {len(self.sent)}"

    def become(self, estate: dict[str, Inventory]) -> None:
        """The fleet is read again."""
        self.estate = estate
        self.campaign.store = self.store = standing(estate)

    def step(self) -> None:
        self.now += 1
        self.campaign.step(self.now)

    def end(self, leg: Leg, phase: Phase = Phase.OBSERVED) -> None:
        self.now += 1
        self.campaign.heard(
            CallUpdate(leg.call, leg.action, "HV1", leg.thing, leg.name, phase, self.now)
        )


def test_a_role_goes_by_its_cluster_and_says_where_it_is_believed_to_be() -> None:
    admin = Admin(clustered())
    admin.step()
    (sent,) = admin.sent
    assert sent[:2] == ("role.move", "a")
    assert sent[2]["node"] == admin.queue.legs[0].target
    assert sent[2]["source"] == "HV1"
    assert sent[2]["how"] == "live"


def test_a_machine_without_a_cluster_is_migrated() -> None:
    shared = machine("a", path="\\\\nas\\vms\\")
    admin = Admin(fleet(host("HV1", [shared]), host("HV2")))
    admin.step()
    (sent,) = admin.sent
    assert sent[:2] == ("vm.migrate", "a")
    assert sent[2]["destination"] == "HV2"


def test_a_node_is_paused_and_resumed_and_a_host_alone_is_neither() -> None:
    estate = clustered()
    first = pause_of(estate, "HV1")
    assert first is not None
    assert (first.action, first.thing, first.gate) == ("node.pause", "node:CL/HV1", True)
    assert resume_of(estate, "HV1") is None
    told = estate["HV1"].cluster
    assert told is not None
    paused = tuple(structs.replace(n, state=2) if n.name == "HV1" else n for n in told.nodes)
    shut = {
        name: structs.replace(one, cluster=structs.replace(told, nodes=paused))
        for name, one in estate.items()
    }
    back = resume_of(shut, "HV1")
    assert back is not None
    assert (back.action, back.arguments) == ("node.resume", {"failback": "stay"})
    assert pause_of(shut, "HV1") is None
    assert pause_of(fleet(host("HV1")), "HV1") is None


def twice(cap: int = 2) -> Admin:
    """A machine that goes on from where it went first, and another one after it."""
    shared = [machine(name, path="\\\\nas\\vms\\") for name in "ab"]
    admin = Admin(fleet(host("HV1", shared), host("HV2"), host("HV3")))
    steps = [Step("A-0000", "a", "HV1", "HV2", Move.LIVE), Step("A-0000", "a", "HV2", "HV3",
             Move.LIVE), Step("B-0000", "b", "HV1", "HV2", Move.LIVE)]  # fmt: skip
    admin.queue = admin.campaign.queue = Queue(legs_of(admin.estate, steps), cap)
    return admin


def test_the_second_step_of_a_machine_waits_until_the_first_is_done() -> None:
    admin = twice()
    first, second, _ = admin.queue.legs
    admin.step()
    assert [leg.word for leg in admin.queue.legs] == ["under way", "waiting", "waiting"]
    admin.become(fleets.moved(admin.estate, "A-0000", "HV2"))
    admin.end(first)
    admin.step()
    assert [leg.word for leg in admin.queue.legs] == ["done", "under way", "under way"]
    assert second.target == admin.sent[1][2]["destination"] == "HV3"


def test_a_machine_whose_first_step_failed_does_not_take_the_second() -> None:
    admin = twice()
    first, second, _ = admin.queue.legs
    admin.step()
    admin.end(first, Phase.FAILED)
    admin.step()
    assert (admin.queue.paused, second.word) == (True, "waiting")
    admin.queue.go_on()
    admin.step()
    assert second.dropped == "it is on HV1, not on HV2"
    assert [name for _, name, _ in admin.sent] == ["a"]


def test_a_move_that_takes_its_files_along_is_known_to() -> None:
    admin = twice()
    steps = [Step("A-0000", "a", "HV1", "HV2", move) for move in (Move.LIVE, Move.BOTH)]
    assert [leg.copies for leg in legs_of(admin.estate, steps)] == [False, True]


def test_what_a_second_administrator_has_moved_is_noticed_and_not_sent() -> None:
    admin = Admin(clustered())
    admin.step()
    second = admin.queue.legs[1]
    elsewhere = "HV3" if second.target == "HV2" else "HV2"
    moved = fleets.moved(fleets.moved(admin.estate, second.vm, elsewhere), "A-0000",
                         admin.queue.legs[0].target)  # fmt: skip
    admin.become(moved)
    admin.end(admin.queue.legs[0])
    admin.step()
    assert second.word == "elsewhere"
    assert second.astray == f"it is on {elsewhere} already, by no call from here"
    assert [name for _, name, _ in admin.sent] == ["a", "c"]
    assert admin.queue.legs[0].word == "done"


def test_what_the_cluster_of_a_dead_source_restarts_is_not_called_moved() -> None:
    admin = Admin(aged(clustered(), 9000.0), cap=2)
    admin.step()
    first, second, third = admin.queue.legs
    dead = node_down(aged(clustered(), 9000.0), "HV1")
    for leg, to, age in ((first, first.target, 9001.0), (second, second.target, 5.0),
                         (third, "HV3", 5.0)):  # fmt: skip
        dead = aged(fleets.moved(dead, leg.vm, to), age, leg.vm)
    admin.become(dead)
    admin.end(first)
    admin.end(second)
    admin.step()
    assert [leg.word for leg in admin.queue.legs] == ["done", "elsewhere", "elsewhere"]
    words = f"it did not move: it was restarted on {second.target}, HV1 is down"
    assert second.astray == words
    assert "restarted on HV3" in third.astray
    assert not second.fine
    assert not admin.queue.retry(second)
    assert len(admin.sent) == 2


def aged(estate: dict[str, Inventory], seconds: float, vm: str = "") -> dict[str, Inventory]:
    """Machines that have run so long: one, or all."""
    return {
        name: structs.replace(one, vm_vitals={
            key: structs.replace(vitals, started_at=NOW - seconds)
            if not vm or key == vm else vitals for key, vitals in one.vm_vitals.items()
        })
        for name, one in estate.items()
    }  # fmt: skip


def node_down(estate: dict[str, Inventory], gone: str) -> dict[str, Inventory]:
    """The cluster has given a node up."""
    told = estate[gone].cluster
    assert told is not None
    nodes = tuple(structs.replace(n, state=1) if n.name == gone else n for n in told.nodes)
    after = structs.replace(told, nodes=nodes)
    return {name: structs.replace(one, cluster=after) for name, one in estate.items()}


def test_a_target_that_died_takes_nothing_and_another_try_goes_elsewhere() -> None:
    admin = Admin(clustered(), cap=1)
    admin.step()
    first, second = admin.queue.legs[:2]
    dead = second.target
    lost = {
        name: structs.replace(one, vitals=structs.replace(one.vitals, link=Link.DOWN))
        if name == dead else one
        for name, one in fleets.moved(admin.estate, first.vm, first.target).items()
    }  # fmt: skip
    admin.become(lost)
    admin.end(first)
    admin.step()
    assert second.word == "not sent"
    assert second.dropped == f"{dead} does not answer"
    assert admin.queue.paused
    assert admin.campaign.retry(second)
    admin.step()
    assert second.target not in ("HV1", dead)
    assert admin.sent[-1][1] == "b"


def test_a_source_that_does_not_answer_pauses_the_run() -> None:
    shared = [machine(name, path="\\\\nas\\vms\\") for name in "ab"]
    admin = Admin(fleet(host("HV1", shared), host("HV2")))
    admin.step()
    admin.become({
        name: structs.replace(one, vitals=structs.replace(one.vitals, link=Link.DOWN))
        if name == "HV1" else one
        for name, one in admin.estate.items()
    })  # fmt: skip
    admin.end(admin.queue.legs[0], Phase.UNKNOWN)
    admin.step()
    assert admin.queue.paused
    assert admin.queue.legs[0].word == "unknown"
    assert admin.queue.legs[1].word == "waiting"
    assert len(admin.sent) == 1
    assert not admin.campaign.retry(admin.queue.legs[0]), "it may be on its way"


def test_nothing_is_sent_once_the_deck_is_read_only() -> None:
    admin = Admin(clustered())
    admin.read_only = True
    admin.step()
    assert admin.sent == []
    assert admin.queue.legs[0].dropped == "hvdeck is read-only now"


def test_a_machine_that_is_gone_is_told_to_be() -> None:
    admin = Admin(clustered())
    told = admin.estate["HV1"].cluster
    assert told is not None
    left = structs.replace(told, roles=told.roles[1:])
    admin.become({
        name: structs.replace(
            one, cluster=left, vms={k: vm for k, vm in one.vms.items() if k != "A-0000"},
            vm_vitals={k: vm for k, vm in one.vm_vitals.items() if k != "A-0000"},
        )
        for name, one in admin.estate.items()
    })  # fmt: skip
    admin.step()
    assert admin.queue.legs[0].dropped == "it is not listed any more"

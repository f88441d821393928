"""Nodes as choices of a form."""

from __future__ import annotations

from collections.abc import Mapping

from tests.plans_kit import fleet, host, machine
from tui.actions import Kind, Target, members
from tui.hyperv.model import Inventory


def test_all_nodes_are_looked_up_in_one_look_at_the_fleet() -> None:
    machines = [machine("a", 4)]
    estate = fleet(host("HV1", machines, cluster="CL"), *(
        host(f"HV{at}", cluster="CL", gigabytes=16 * at) for at in (2, 3, 4)
    ))  # fmt: skip
    looks = list[int]()

    def look() -> Mapping[str, Inventory]:
        looks.append(1)
        return estate

    one = estate["HV1"]
    target = Target(Kind.HOST, "HV1", "HV1", one.host, one.vitals, fleet=look, cluster=one.cluster)
    found = members.choices(target, "HV1", best=False)
    assert [(choice.value, choice.note) for choice in found] == [
        ("HV2", "0 roles, 30 GB of memory free"),
        ("HV3", "0 roles, 46 GB of memory free"),
        ("HV4", "0 roles, 62 GB of memory free"),
    ]
    assert len(looks) == 1

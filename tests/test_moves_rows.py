"""Rows of the migrate sheet: our findings, the host's word that wins, and what is left."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.preflight_kit import GB, LOCAL, OFF, SHARED, VM, cluster, inventory, state, switch, vm
from tui.actions import Kind, Target
from tui.collector.messages import Answer
from tui.hyperv.model import Inventory, Trouble
from tui.hyperv.preflight import Verdict
from tui.hyperv.verdict import HostVerdict
from tui.rows import moves, text
from tui.rows.moves import HostLine


def hosts(**changes: Any) -> dict[str, Inventory]:
    """HV01 with the machine, HV02 alike, HV03 without its switch."""
    found = {"HV01": inventory("HV01", vm(SHARED)), "HV02": inventory("HV02", **changes)}
    found["HV03"] = inventory("HV03", switches={"x": switch("HV03", "LAN")})
    return found


def target(fleet: dict[str, Inventory], key: str = VM, **changes: Any) -> Target:
    here = fleet["HV01"]
    machine, now = replace(vm(SHARED), id=key, name=key[:5]), replace(state(), id=key)
    made = Target(
        Kind.VM, key, key[:5], here.host, here.vitals, vm=machine, vitals=now,
        around=lambda: here, fleet=lambda: fleet,
    )  # fmt: skip
    return replace_target(made, **changes)


def replace_target(made: Target, **changes: Any) -> Target:
    from dataclasses import replace as changed

    return changed(made, **changes)


def said(allowed: bool | None, *reasons: str) -> Answer:
    verdict = None if allowed is None else HostVerdict(allowed, reasons)
    trouble = Trouble("TimedOut", "no answer in time") if allowed is None else None
    return Answer("1", "HV01", VM, {}, 0.0, verdict, trouble)


def line(host: str, answer: Answer | None = None, **changes: Any) -> HostLine:
    answers = {(VM, host): answer} if answer is not None else {}
    found = moves.host_lines([target(hosts(**changes))], {}, answers)
    return next(one for one in found if one.key == host)


def cell(row: HostLine, column: str) -> str:
    return next(c for c in moves.HOST_COLUMNS if c.id == column).cell(row).text


def test_the_best_host_comes_first_and_the_own_not_at_all() -> None:
    found = moves.host_lines([target(hosts())], {}, {})
    assert [one.key for one in found] == ["HV02", "HV03"]
    assert found[0].verdict is Verdict.PASS
    assert "no switch called Production" in found[1].reason


@pytest.mark.parametrize(
    ("host", "answer", "verdict", "overruled"),
    [
        ("HV02", None, Verdict.PASS, False),
        ("HV02", said(True), Verdict.PASS, False),
        ("HV02", said(False, "no room"), Verdict.FAIL, False),
        ("HV02", said(None), Verdict.PASS, False),
        ("HV03", said(True), Verdict.WARN, True),
        ("HV03", said(False, "no switch"), Verdict.FAIL, False),
    ],
)
def test_the_hosts_word_wins(
    host: str, answer: Answer | None, verdict: Verdict, overruled: bool
) -> None:
    row = line(host, answer)
    assert row.verdict is verdict
    assert row.going[0].overruled is overruled


def test_a_refusal_of_the_host_is_the_reason_shown() -> None:
    row = line("HV02", said(False, "it sums up", "the very reason"))
    assert row.reason == "the very reason"
    causes = moves.cause_lines(row)
    assert [one.cause.text for one in causes[:2]] == ["the very reason", "it sums up"]
    assert "gave no verdict: no answer in time" in moves.cause_lines(line("HV02", said(None)))[
        0
    ].cause.text  # fmt: skip


def test_memory_left_counts_the_whole_set() -> None:
    fleet = hosts()
    others = [VM.replace("1111", digit * 4) for digit in "abc"]
    found = moves.host_lines([target(fleet, key) for key in others], {}, {})
    row = next(one for one in found if one.key == "HV02")
    assert row.left == (128 - 3 * 8) * GB
    assert cell(row, "left") == text.size(104 * GB)


def test_a_set_counts_its_verdicts() -> None:
    fleet = hosts()
    off = replace_target(
        target(fleet, VM.replace("1111", "2222")), vitals=state(OFF), vm=vm(LOCAL, nics=())
    )
    found = moves.host_lines([target(fleet), off], {}, {})
    row = next(one for one in found if one.key == "HV03")
    assert cell(row, "verdict").endswith("1 fail, 1 warn")
    assert {one.name for one in moves.cause_lines(row)} == {"11111", "22222"}
    assert all(one.verdict for one in moves.cause_lines(row)), "what passes is not listed for a set"


def test_asked_and_not_yet_answered() -> None:
    found = moves.host_lines([target(hosts())], {}, {}, {(VM, "HV02")})
    words = {one.key: cell(one, "says") for one in found}
    assert words["HV02"].endswith("asking")
    assert words["HV03"].endswith("not asked")


def test_a_cluster_moves_its_roles_and_says_nothing_beforehand() -> None:
    fleet = hosts()
    whole = cluster()
    fleet = {
        key: replace(one, host=replace(one.host, cluster=whole.name)) for key, one in fleet.items()
    }
    clustered = target(fleet, cluster=whole, role=whole.roles[0])
    row = next(one for one in moves.host_lines([clustered], {}, {}) if one.key == "HV02")
    assert not row.going[0].askable
    assert cell(row, "says").endswith("cluster")

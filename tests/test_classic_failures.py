"""The five classic failures of a move, each named before anything starts: machine and host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from tests.deck_kit import story
from tests.story_kit import LiveDeck
from tests.test_move_stories import deck_on, hosts_of
from tests.verb_story_kit import NamedShell, Served, serving_scene
from tui.hyperv.preflight import Verdict
from tui.ui.migrate import MigrateScreen

JOBS: Final = "SELECT JobType FROM Msvm_MigrationJob"
CHECK: Final = 302
"""JobType of a host that is only asked whether a machine could move."""
HOSTS: Final = ("MIG01", "MIG02", "MIG03", "MIG04")


@dataclass(frozen=True)
class Failure:
    """What stands in the way of a machine, and in what words."""

    what: str
    vm: str
    source: str
    to: str
    says: tuple[str, ...]
    given: tuple[str, ...] = ()
    """More on the command line: what else would stand in the way."""


FAILURES: Final = (
    Failure("delegation", "old01", "MIG04", "MIG02", ("0x8009030E",), ("--switch", "Production")),
    Failure("switch name", "lab01", "MIG01", "MIG02", ("MIG02 has no switch called Lab",)),
    Failure("processor", "cpu01", "MIG01", "MIG04", ("processor-specific features",)),
    Failure("version", "live01", "MIG01", "MIG04", ("version 10.0",), ("--switch", "LAN")),
    Failure("space", "huge01", "MIG01", "MIG02", ("the files of huge01 take",)),
)  # fmt: skip


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("migration") as found:
        yield found


def stays(served: Served, case: Failure) -> None:
    """Truth: it is where it was, and no host was asked to move anything."""
    vm = served.truth(case.source).vm(case.vm)
    assert hosts_of(served, vm) == [case.source]
    jobs = [row["JobType"] for host in HOSTS for row in served.truth(host)(JOBS)]
    assert set(jobs) <= {CHECK}


async def named(d: LiveDeck, case: Failure) -> None:
    """The sheet says no to the host, and among the causes names machine, host and reason."""
    await d.go(case.vm)
    await d.press("m")
    await d.until(lambda: isinstance(d.app.screen, MigrateScreen), "the sheet")
    screen = d.app.screen
    assert isinstance(screen, MigrateScreen)
    await d.until(lambda: case.to in screen._lines, f"{case.to} is offered")
    screen._hosts.move_to(case.to)

    def against() -> str:
        lines = screen._causes.values()
        return " / ".join(one.cause.text for one in lines if one.verdict is Verdict.FAIL)

    wanted = (*case.says, case.vm, case.to)
    await d.until(lambda: all(words in against() for words in wanted), f"{case.what} is named")
    line = screen._lines[case.to]
    assert line.verdict is Verdict.FAIL
    assert line.reason
    await d.press("escape")


def test_the_sheet_names_each(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, *HOSTS, size=(160, 45)) as d:
            for case in FAILURES:
                await named(d, case)
                stays(served, case)
            assert not d.app.store.calls

    told()


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: case.what)
def test_a_rehearsal_names_each(served: Served, named: NamedShell, case: Failure) -> None:
    ran = named("vm", "migrate", case.vm, "--destination", case.to, *case.given, "--dry-run")
    assert ran.code in (2, 3)
    for words in (*case.says, case.vm, case.to):
        assert words in ran.out + ran.err
    stays(served, case)

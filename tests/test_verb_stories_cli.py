"""Every verb from the command line against a fabric on sockets, judged by plain WQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.verb_cases import CASES
from tests.verb_story_kit import Case, Served, Shell, proven, serving_scene


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene() as found:
        yield found


@pytest.mark.parametrize(
    "case", [case for cases in CASES.values() for case in cases], ids=lambda case: case.id
)
def test_every_verb_does_what_it_says(served: Served, shell: Shell, case: Case) -> None:
    truth = served.truth(case.host)
    ran = shell.act(case.host, case.action, case.on, case.prepare(truth))
    assert ran.code == 0, ran.out + ran.err
    assert proven(case, truth)

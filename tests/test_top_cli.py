"""``top``: who uses most, measured over sockets and told once."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.meters_kit import measured, roomy
from tests.scripted import datacenter
from tests.verb_story_kit import Served, Shell, serving_scene
from tui.cli import exits
from tui.cli.top import READINGS, Watch
from tui.collector.messages import Batch
from tui.hyperv.meters import Look
from tui.store import Store


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("homelab") as found:
        yield found


def test_disks_of_a_host_with_their_machines(served: Served, shell: Shell) -> None:
    ran = shell("NUC01", "top", "disks", "--filter", "!host:other", "-o", "json")
    assert ran.code == exits.DONE, ran.err
    rows = json.loads(ran.out)
    machines = served.truth("NUC01").names() - {"NUC01"}
    assert {row["vm"] for row in rows} <= machines
    assert len({row["vm"] for row in rows if row["vm"]}) > 1
    counts = [row["iops"] for row in rows if row["iops"] is not None]
    assert counts
    assert counts == sorted(counts, reverse=True)
    assert all(row["iops_peak"] >= row["iops"] - 1e-3 for row in rows if row["iops"] is not None)
    assert all(row["volume"] for row in rows if row["vm"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["disks", "--for", "nan"], "nan is no duration (90, 30s, 10m"),
        (["disks", "--for", "61m"], "--for takes an hour at most"),
        (["disks", "--filter", "iopss>1"], "iops"),
        (["disks", "--sort", "iops_peek"], "did you mean iops_peak?"),
        (["disks", "--columns", "reeds"], "did you mean reads?"),
        (["switches"], "invalid choice"),
    ],
)
def test_what_cannot_be_used_says_so(shell: Shell, words: list[str], says: str) -> None:
    ran = shell("NUC01", "top", *words)
    assert (ran.code, ran.out) == (exits.USAGE, "")
    assert says in ran.err


def test_it_waits_for_readings_of_every_host_that_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = roomy(datacenter())
    monkeypatch.setattr("tui.cli.top.time.time", lambda: estate.now)
    store = Store()
    store.configure(estate.links)
    watch = Watch(store, (Look.DISKS,), 0.0)
    watch.hear(estate.everything())
    estate.lose("HV02")
    watch.hear(Batch((estate.lose("HV02"),)))
    enough = [watch.hear(_answering(measured(estate))) for _ in range(READINGS + 1)]
    assert enough == [False] * READINGS + [True]
    assert watch.missing() == {"HV02"}


def _answering(batch: Batch) -> Batch:
    return Batch(tuple(update for update in batch.updates if update.host != "HV02"))

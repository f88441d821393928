"""The order of the suite, and the command of stories over a fabric that a file serves."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.fabric_kit import PASSWORD
from tests.scripted import Estate
from tests.verb_story_kit import NamedShell, Served, Shell, configured
from tui.config.thresholds import Thresholds
from tui.rows import levels, text
from tui.store import Store

LONGEST = (
    "test_storm.py",
    "test_verb_stories.py",
    "test_stories.py",
    "test_verbs_drain.py",
    "test_cluster_stories.py",
    "test_ui_stories.py",
    "test_verbs_moving.py",
    "test_verb_stories_cli.py",
    "test_terminal.py",
    "test_verb_bad_forms.py",
    "test_replica_stories.py",
    "test_cluster_verbs_stories.py",
    "test_replica_stories_cli.py",
    "test_move_stories.py",
    "test_clustered_move_stories.py",
    "test_classic_failures.py",
    "test_forecast_cli.py",
    "test_collector.py",
    "test_half_done.py",
    "test_verb_life_cli.py",
)
"""These begin first, so that none ends alone."""


os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
"""Set, every process of a story would compile the deck, the collector and the fabric anew."""


@pytest.fixture(autouse=True)
def standing() -> None:
    """What a deck sets for its process is as it is before one: signs, clock, levels."""
    text.use_ascii(False)
    text.use_clock(time.time)
    levels.use(Thresholds())


@pytest.fixture
def store(estate: Estate) -> Store:
    """What is known of a file's estate when all of it has been told."""
    store = Store()
    store.configure(estate.links)
    store.apply(estate.everything(), estate.now)
    return store


@pytest.fixture
def shell(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """The command, told of one host at a time by its address."""
    monkeypatch.setenv("FABRIC_PW", PASSWORD)
    return Shell(served.fabric, capsys)


@pytest.fixture
def named(
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> NamedShell:
    """The command, told of every host by its name."""
    monkeypatch.setenv("FABRIC_PW", PASSWORD)
    return NamedShell(configured(served, tmp_path / "config.toml"), capsys)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))

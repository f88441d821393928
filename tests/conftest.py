"""The order of the suite: files that take longest begin first, so that none ends alone."""

from __future__ import annotations

import pytest

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))

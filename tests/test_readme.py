"""The page says what the program does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.make_readme import commands, rendered
from tui.actions import ACTIONS
from tui.cli import language

README = Path(__file__).parent.parent / "README.md"
PAGE = README.read_text(encoding="utf-8")


def test_the_key_table_is_the_action_table() -> None:
    assert rendered(PAGE) == PAGE, "run: python tests/make_readme.py"


def test_every_action_of_the_table_is_on_the_page() -> None:
    assert [action.title for action in ACTIONS if f"| {action.title}" not in PAGE] == []


@pytest.mark.parametrize("line", list(commands(PAGE)))
def test_every_command_shown_is_understood(line: str) -> None:
    command = re.split(r"\s{3,}", line)[0]
    words = language.normal(shlex.split(command)[1:])
    language.build_parser(words).parse_args(words)


def test_every_picture_shown_exists() -> None:
    pictures = re.findall(r"\((screenshots/[^)]+)\)", PAGE)
    assert pictures
    assert [name for name in pictures if not (README.parent / name).exists()] == []

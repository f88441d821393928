"""Options of verbs: words of the command line become values a target can take."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from tests.test_cli import STORE
from tui.actions import Action, Field, Kind, Target, amounts
from tui.actions.declare import Choice
from tui.cli import batch, given, language
from tui.errors import Refused, UsageError
from tui.hyperv.outcome import Done
from tui.hyperv.sheet import Processor, Sheet
from tui.rows.filter import parse

WIRES = (Choice("W1", "Lab"), Choice("W2", "Lab 2"), Choice("W3", "Prod"))


def choosing(*, free: bool = False, optional: bool = False) -> Action:
    """An action with every sort of field, as a table would declare it."""
    return Action(
        "vm.wire", "Wire", "Wire it", Kind.VM, lambda client, target, arguments: Done(),
        form=(
            Field("wire", "Wire", "Which wire", choices=lambda target: WIRES, free=free,
                  optional=optional, type=str.upper),
            Field("tagged", "Tagged", "With a tag", bool, current=lambda target: False),
            Field("tag", "Tag", "1 to 9", amounts.integer, when=lambda values: values["tagged"],
                  problem=lambda target, value: "too large" if value > 9 else None),
        ),
        conflict=lambda target, values: "not both" if values["tag"] == 3 else None,
    )  # fmt: skip


def taken(action: Action, **options: Any) -> dict[str, Any]:
    (target,) = batch.resolve(STORE, Kind.VM, ["sql01"], parse("", "vm"))
    return given.arguments(action, target, options)


@pytest.mark.parametrize(
    ("words", "value"), [("w2", "W2"), ("lab", "W1"), ("LAB 2", "W2"), ("pro", "W3")]
)
def test_a_choice_is_meant_by_value_text_or_the_part_only_one_has(words: str, value: str) -> None:
    assert taken(choosing(), wire=words) == {"wire": value, "tagged": False, "tag": None}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "--wire is needed: Which wire"),
        ({"wire": "la"}, "--wire for sql01: la is not one but 2"),
        ({"wire": "attic"}, "--wire for sql01: attic is not there"),
        ({"wire": "prod", "tagged": True}, "--tag is needed"),
        ({"wire": "prod", "tag": 2}, "--tag does not go with the other options"),
        ({"wire": "prod", "tagged": True, "tag": 10}, "--tag for sql01: too large"),
        ({"wire": "prod", "tagged": True, "tag": 3}, "Wire of sql01: not both"),
    ],
)
def test_options_that_cannot_be_taken(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        taken(choosing(), **options)
    assert says in str(caught.value)


def test_a_free_choice_takes_other_words_and_an_optional_one_none() -> None:
    assert taken(choosing(free=True), wire="pro")["wire"] == "PRO"
    assert taken(choosing(free=True), wire="prod")["wire"] == "W3"
    assert taken(choosing(optional=True))["wire"] is None
    assert taken(choosing(optional=True), wire="")["wire"] is None


def test_what_a_type_says_of_a_word_is_what_the_person_reads() -> None:
    parser = argparse.ArgumentParser(prog="hvdeck")
    field = Field("size", "Size", "100% of it", amounts.size)
    language._field_option(parser, field, alone=True)
    assert parser.parse_args(["--size", "4G"]).field_size == 4 << 30
    assert "100% of it" in parser.format_help()
    parser.exit_on_error = False
    with pytest.raises(argparse.ArgumentError) as caught:
        parser.parse_args(["--size", "much"])
    assert "'much' is not a size: write 512M, 4G or 1.5T" in str(caught.value)


def test_a_machine_is_read_in_full_only_when_the_action_starts_from_that() -> None:
    asked: list[str] = []

    def sheet(target: Target) -> Sheet:
        asked.append(target.id)
        if target.id == "G2":
            raise Refused("sql02 is not there")
        return Sheet(target.id, target.host.id, 0.0, processor=Processor(count=4))

    action = Action(
        "vm.look", "Look", "Look", Kind.VM, lambda client, target, arguments: Done(),
        needs_sheet=True,
        form=(Field("count", "Count", "How many", amounts.integer,
                    current=lambda target: target.sheet and target.sheet.processor.count),),
    )  # fmt: skip
    targets = batch.resolve(STORE, Kind.VM, ["sql*"], parse("", "vm"))
    made = batch.plan(action, targets, {}, read_only=False, sheet=sheet)
    assert [(call.target, call.arguments) for call in made.calls] == [("G1", {"count": 4})]
    assert [update.trouble and update.trouble.title for update in made.refused] == [
        "sql02 is not there"
    ]
    assert sorted(asked) == ["G1", "G2"]
    assert batch.plan(action, targets, {}, read_only=True, sheet=sheet).calls == []
    assert len(asked) == 2

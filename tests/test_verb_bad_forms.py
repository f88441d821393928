"""What cannot be is said beside its field, or under the form, and nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.widgets import Static

from tests.deck_kit import story
from tests.story_kit import LiveDeck
from tests.test_verb_stories import deck_on
from tests.verb_cases import DISKS
from tests.verb_story_kit import Given, Served, begin, entry, fill, perform, serving_scene
from tui.collector.messages import Phase
from tui.ui.form import Form

HOST = "HV02"
LOCKED = f"{DISKS}build01.vhdx"
NEW: Given = {"name": "never", "disk": "none"}

BAD: list[tuple[str, str, Given, str, str]] = [
    ("vm.create", "", {"name": "x" * 200}, "name", "at most 100 characters"),
    ("vm.create", "", {"name": " "}, "name", "empty"),
    ("vm.create", "", {**NEW, "memory": "1025M"}, "memory", "2 MB"),
    ("vm.create", "", {**NEW, "memory": "lots"}, "memory", "is not a size"),
    ("vm.create", "", {**NEW, "memory": "1G", "dynamic": True, "minimum": "2G"}, "", "minimum"),
    ("vm.create", "", {**NEW, "switch": "Production", "vlan": "4095"}, "vlan", "1 to 4094"),
    ("vm.create", "", {"name": "never", "disk": "existing", "path": LOCKED}, "", "build01"),
    ("vm.set-memory", "test-sql", {"startup": "1025M"}, "startup", "2 MB"),
    ("disk.add", "test-sql", {"path": LOCKED, "size": "1G"}, "", "build01"),
    ("disk.add", "test-sql", {"path": "D:\\a?b.vhdx"}, "path", "cannot hold"),
    ("disk.remove", "winxp-plc", {"delete_file": False}, "", "IDE"),
    ("nic.set-mac", "test-sql", {"static": True, "mac": "12"}, "mac", "is not a MAC address"),
    ("nic.set-mac", "test-sql", {"static": True, "mac": "00155DF0CA7E"}, "mac", "test-app"),
    ("nic.set-vlan", "test-sql", {"mode": "access", "vlan": "4095"}, "vlan", "1 to 4094"),
    ("switch.delete", "Production", {"in_use": False}, "", "in use by"),
]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene() as found:
        yield found


def complaint(form: Form, name: str) -> str:
    """What stands beside a field, or under the form; empty when it is hidden."""
    problem = entry(form, name)._problem if name else form._conflict
    assert isinstance(problem, Static)
    return str(problem.content) if problem.display else ""


async def refused(d: LiveDeck, case: tuple[str, str, Given, str, str]) -> str:
    """What is wrong with how a form takes bad input; empty when nothing is."""
    action, on, given, name, says = case
    await begin(d, action, HOST, on)
    form = await fill(d, given)
    form.action_send_form()
    await d.rest()
    if d.app.screen is not form:
        return f"{case}: sent"
    told = complaint(form, name)
    await d.press("escape")
    await d.until(lambda: not isinstance(d.app.screen, Form), "it is left")
    return "" if says in told else f"{case}: {told!r}"


def test_bad_input_is_refused_beside_its_field(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, HOST) as d:
            wrong = [await refused(d, case) for case in BAD]
            assert not any(wrong), "\n".join(filter(None, wrong))
            assert not d.app.store.calls

    told()


def test_an_address_taken_on_another_host_is_said_beside_its_field(served: Served) -> None:
    @story
    async def told() -> None:
        (card, *_) = served.truth("HV01").of("dc01", "Msvm_SyntheticEthernetPortSettingData")
        given: Given = {"static": True, "mac": str(card["Address"])}
        async with deck_on(served, HOST, "HV01") as d:
            case = ("nic.set-mac", "test-sql", given, "mac", "of dc01 on HV01 has this address")
            assert await refused(d, case) == ""
            assert not d.app.store.calls

    told()


def test_what_only_the_host_can_know_comes_back_in_words(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, HOST) as d:
            before = served.truth(HOST).names()
            for given in (
                {"name": "never", "disk": "existing", "path": "D:\\no.vhdx"},
                {**NEW, "iso": "D:\\none.iso"},
            ):
                update = await perform(d, "vm.create", HOST, "", given)
                assert update.phase is Phase.REFUSED, update
                await d.says("not there")
            assert served.truth(HOST).names() == before

    told()


def test_a_machine_that_vanished_while_the_form_was_open(served: Served) -> None:
    @story
    async def told() -> None:
        truth = served.truth(HOST)
        async with deck_on(served, HOST) as d:
            await perform(d, "vm.create", HOST, "", {"name": "brief", "disk": "none"})
            await begin(d, "vm.set-cpu", HOST, "brief")
            form = await fill(d, {"count": "3"})
            truth.destroy("brief")
            form.action_send_form()
            await d.until(lambda: d.app.screen is not form, "the form is left")
            await d.says("brief on HV02: not sent")
            assert "it was deleted" in d.notices

    told()


def test_a_file_that_something_has_open_is_not_attached(served: Served) -> None:
    @story
    async def told() -> None:
        path, truth = f"{DISKS}held.vhdx", served.truth(HOST)
        async with deck_on(served, HOST) as d:
            new: Given = {"source": "dynamic", "path": path, "size": "1G"}
            assert (await perform(d, "disk.add", HOST, "test-sql", new)).phase is Phase.OBSERVED
            gone: Given = {"disk": "held.vhdx", "delete_file": False}
            assert (await perform(d, "disk.remove", HOST, "test-sql", gone)).phase is Phase.OBSERVED
            truth.mount(path)
            before = truth.images("test-sql")
            held: Given = {"source": "existing", "path": path}
            update = await perform(d, "disk.add", HOST, "test-sql", held)
            assert update.phase is Phase.REFUSED, update
            await d.says("is locked")
            assert truth.images("test-sql") == before

    told()

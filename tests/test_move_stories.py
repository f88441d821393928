"""Moves over sockets, from the deck and from the command line; truth by WQL on both hosts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.deck_kit import story
from tests.fabric_kit import PASSWORD, USER
from tests.story_kit import LiveDeck
from tests.verb_story_kit import SYSTEM, Ran, Served, confirm, serving_scene
from tui import cli
from tui.collector.messages import CallUpdate, Phase
from tui.collector.pipe import CollectorProcess
from tui.ui.app import DeckApp
from tui.ui.dialogs import Confirm
from tui.ui.migrate import FixCard, MigrateScreen
from tui.ui.options import DeckOptions


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("migration") as found:
        yield found


def hosts_of(served: Served, vm: str) -> list[str]:
    """Hosts that list the machine, each asked itself."""
    wql = f"SELECT Name FROM Msvm_ComputerSystem WHERE Name = '{vm}'"
    return [host for host in served.fabric.urls if served.truth(host)(wql)]


# -- the deck ------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def deck_on(
    served: Served, *hosts: str, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[LiveDeck]:
    collector = CollectorProcess()
    options = DeckOptions(links=served.links(*hosts), fast=0.5, slow=5.0)
    app = DeckApp(options, collector=collector)
    async with app.run_test(size=size) as pilot:
        d = LiveDeck(app, pilot, collector)
        try:
            await d.until(lambda: app.store.vms and all(
                row.vm.complete for row in app.store.vms.values()), "the machines")  # fmt: skip
            await d.until(lambda: all(
                row.host.migration_enabled is not None for row in app.store.host_rows.values()
            ), "the facts of the hosts")  # fmt: skip
            yield d
        finally:
            await app.engine.stop()


async def sheet(d: LiveDeck, name: str, to: str) -> MigrateScreen:
    """The migrate sheet of a machine, the cursor on a host whose word has come."""
    await d.go(name)
    await d.press("m")
    await d.until(lambda: isinstance(d.app.screen, MigrateScreen), "the sheet")
    screen = d.app.screen
    assert isinstance(screen, MigrateScreen)
    await d.until(lambda: to in screen._lines, f"{to} is offered")
    screen._hosts.move_to(to)
    await d.until(lambda: said(screen, to), f"the host says something of {to}")
    return screen


def said(screen: MigrateScreen, to: str) -> bool:
    line = screen._lines.get(to)
    return line is not None and all(one.answer is not None for one in line.going)


async def go(d: LiveDeck, key: str = "enter") -> CallUpdate:
    """Start it, confirm it, and wait for its end."""
    before = set(d.app.store.calls)
    await d.press(key)
    await d.until(lambda: isinstance(d.app.screen, Confirm), "it is asked")
    await confirm(d)
    await d.until(lambda: set(d.app.store.calls) - before, "it is sent")
    (made,) = set(d.app.store.calls) - before
    await d.until(lambda: d.app.store.calls[made].phase.final, "it ends")
    return d.app.store.calls[made]


def test_a_machine_moves_from_the_sheet_and_keeps_its_row(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "MIG01", "MIG02") as d:
            vm = served.truth("MIG01").vm("live01")
            await d.go("live01")
            await d.press("space")
            await d.go("live01")
            await d.press("U")
            await sheet(d, "live01", "MIG02")
            await d.shows("says that live01 can move now")
            history = d.app.store.histories[vm]
            update = await go(d)
            assert update.phase is Phase.OBSERVED, update
            await d.until(lambda: d.app.store.vms[vm].host.id == "MIG02", "the row has moved")
            assert d.app.store.histories[vm] is history
            assert hosts_of(served, vm) == ["MIG02"]
            assert d.under_cursor == "live01"

    told()


def test_reasons_are_named_explained_and_copied_before_anything_starts(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "MIG01", "MIG02", "MIG03", "MIG04", "MIG05", size=(80, 24)) as d:
            screen = await sheet(d, "tree01", "MIG03")
            await d.shows("another vendor")
            await d.shows("✗ no")
            await d.press("tab", "down")
            key = next(k for k, one in screen._causes.items() if one.cause.id == "processor")
            screen._grid.move_to(key)
            await d.press("enter")
            await d.until(lambda: isinstance(d.app.screen, FixCard), "the card")
            await d.shows("hvdeck vm shutdown tree01@MIG01 --wait")
            await d.press("y", "escape")
            assert "OSC 52" in d.notices
            await d.press("tab", "enter")
            await d.says("F asks the host in spite of it")
            words = {host: screen._lines[host].going[0].causes for host in screen._lines}
            failing = {host: {one.id for one in causes if one.verdict == 2}
                       for host, causes in words.items()}  # fmt: skip
            assert "processor" in failing["MIG03"]
            assert {"version", "switch"} <= failing["MIG04"]
            assert failing["MIG05"] == {"authentication"}
            assert failing["MIG02"] == set()
            await d.press("escape")
            assert not d.app.store.calls

    told()


def test_a_move_against_all_advice_fails_by_the_hosts_word(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "MIG01", "MIG03") as d:
            vm = served.truth("MIG01").vm("iso01")
            await sheet(d, "iso01", "MIG03")
            update = await go(d, "F")
            assert update.phase is Phase.FAILED, update
            assert hosts_of(served, vm) == ["MIG01"]

    told()


def test_a_marked_set_counts_its_verdicts_and_moves_one_by_one(served: Served) -> None:
    @story
    async def told() -> None:
        async with deck_on(served, "MIG01", "MIG02") as d:
            names = ("off01", "smb01", "lab01")
            ids = {name: served.truth("MIG01").vm(name) for name in names}
            for name in names:
                await d.go(name)
                await d.press("space")
            await sheet(d, "off01", "MIG02")
            await d.shows("1 fail")
            await d.shows("2 of 3 yes")
            await d.press("F")
            await d.until(lambda: isinstance(d.app.screen, Confirm), "it is asked")
            await confirm(d)
            await d.until(lambda: len(d.app.store.calls) == 3 and all(
                call.phase.final for call in d.app.store.calls.values()), "all end")  # fmt: skip
            ends = {call.name: call.phase for call in d.app.store.calls.values()}
            assert ends == {"off01": Phase.OBSERVED, "smb01": Phase.OBSERVED,
                            "lab01": Phase.FAILED}  # fmt: skip
            for name, at in (("off01", "MIG02"), ("smb01", "MIG02"), ("lab01", "MIG01")):
                assert hosts_of(served, ids[name]) == [at]

    told()


# -- the command line ----------------------------------------------------------------------


class Shell:
    """The command over the whole scene by a configuration file."""

    def __init__(self, config: str, capture: pytest.CaptureFixture[str]) -> None:
        self._config = config
        self._capture = capture

    def __call__(self, *words: str) -> Ran:
        self._capture.readouterr()
        try:
            code = cli.main([*words, "--config", self._config])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Ran(code, *self._capture.readouterr())


@pytest.fixture
def shell(
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    monkeypatch.setenv("FABRIC_PW", PASSWORD)
    lines = ["[defaults]", f'user = "{USER}"', 'password = "env:FABRIC_PW"']
    for host, url in served.fabric.urls.items():
        lines += [f"[hosts.{host}]", f'url = "{url}"']
    path = tmp_path / "config.toml"
    path.write_text("\n".join(lines))
    return Shell(str(path), capsys)


def test_a_rehearsal_names_what_stands_in_the_way(served: Served, shell: Shell) -> None:
    ran = shell("vm", "migrate", "cpu01", "--destination", "MIG02", "--dry-run")
    assert ran.code == 0, ran.err
    assert "MigrateVirtualSystemToHost on cpu01" in ran.out
    ran = shell("vm", "migrate", "huge01", "--destination", "MIG02", "--dry-run")
    assert ran.code != 0
    assert "the files of huge01 take" in ran.err


def test_moves_of_every_kind_from_the_command_line(served: Served, shell: Shell) -> None:
    one, two = served.truth("MIG01"), served.truth("MIG02")
    share = two.vm("smb02")
    go = ("--wait", "--yes", "--timeout", "90")
    ran = shell("vm", "migrate", "smb02", "--destination", "MIG01", "--how", "live", *go)
    assert ran.code == 0, ran.out + ran.err
    assert hosts_of(served, share) == ["MIG01"]
    assert all(path.startswith("\\\\FS01\\") for path in one.images("smb02"))

    disk = one.vm("cpu01")
    ran = shell("vm", "move-storage", "cpu01", "--folder", "E:\\cpu01", *go)
    assert ran.code == 0, ran.out + ran.err
    assert one.images("cpu01") == ["E:\\cpu01\\Virtual Hard Disks\\cpu01.vhdx"]
    ran = shell("vm", "migrate", "cpu01", "--destination", "MIG02", "--how", "with its storage",
                "--folder", "D:\\New", "-o", "json", *go)  # fmt: skip
    assert ran.code == 0, ran.out + ran.err
    assert json.loads(ran.out)[0]["phase"] == "observed"
    assert hosts_of(served, disk) == ["MIG02"]
    assert two.images("cpu01") == ["D:\\New\\Virtual Hard Disks\\cpu01.vhdx"]
    (root,) = two.the("cpu01", SYSTEM, "ConfigurationDataRoot")
    assert str(root).startswith("D:\\New")
    assert not one.file("E:\\cpu01\\Virtual Hard Disks\\cpu01.vhdx")


def test_a_batch_says_of_each_what_speaks_against_it(served: Served, shell: Shell) -> None:
    ran = shell("vm", "migrate", "saved01", "raw01", "--destination", "MIG02", "--wait", "--yes",
                "--timeout", "90")  # fmt: skip
    assert ran.code != 0
    assert "physical disk" in ran.out + ran.err
    vm = served.truth("MIG02").vm("saved01")
    assert hosts_of(served, vm) == ["MIG02"]

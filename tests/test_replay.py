"""A replay shows what was on the screen: the same deck, the same moments, the same text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.deck_kit import Deck, deck
from tests.scripted import START, ScriptedCollector, datacenter
from tui.actions import ACTIONS, Kind
from tui.collector.messages import Batch, Phase
from tui.collector.pipe import CollectorDied
from tui.collector.tape import Entry, open_tape
from tui.rows.text import clock
from tui.store import Metric, Store
from tui.store.picture import picture
from tui.store.recorder import MINUTE, CannotRecord, Recorder
from tui.store.reel import REACH
from tui.ui.app import DeckApp
from tui.ui.operate import RECORDED
from tui.ui.options import DeckOptions
from tui.ui.player import Player
from tui.ui.style import PlainScrollBar

Lines = dict[str, list[float | None]]
Known = dict[float, tuple[list[Entry], Lines]]
"""Rows and graphs by moment."""
WIDE, HIGH = 170, 44
BADGES = re.compile(r"\s+(REC|REPLAY)\s+|(\s+self \d+% [\d.]+ [KMG]?B)?\s{2,}")
"""What may differ in the first line: the badge, and what this process costs."""


@dataclass
class Hand:
    """The time that passes while a replay is looked at."""

    seconds: float = 0.0


class Replay(Deck):
    """A running deck over a recording."""

    def __init__(self, app: DeckApp, pilot: object, player: Player, hand: Hand) -> None:
        super().__init__(app, pilot, ScriptedCollector(datacenter()))  # type: ignore[arg-type]
        self.player = player
        self.hand = hand

    async def seek(self, moment: float) -> None:
        self.player.seek(moment)
        await self.settle()


@asynccontextmanager
async def replaying(
    path: Path, *, size: tuple[int, int] = (WIDE, HIGH + 1), **options: float
) -> AsyncIterator[Replay]:
    """The deck over a recording; time passes only when the hand moves."""
    hand, shown = Hand(), DeckOptions(read_only=True)
    player = Player(open_tape(path), shown, watch=lambda: hand.seconds, **options)
    app = DeckApp(shown, engine=player)
    try:
        async with app.run_test(size=size) as pilot:
            found = Replay(app, pilot, player, hand)
            await found.settle()
            yield found
    finally:
        await player.stop()


async def seen(shown: Deck) -> list[str]:
    """The screen without messages, as it is at this moment."""
    shown.app.clear_notifications()
    shown.app.header._count_at = 0.0  # machines are counted anew only once in a while
    shown.app.panes.graphs.jumped()  # the scale of a graph remembers what it has shown
    shown.app.tick()
    await shown.settle()
    first, *rest = shown.text().splitlines()
    return [BADGES.sub(" ", first), *(line.rstrip() for line in rest)]


@dataclass
class Moment:
    """What was on the screen, and how to come there."""

    at: float
    keys: tuple[str, ...]
    cursor: str
    """The machine that is selected."""
    lines: list[str]


class Witness:
    """Looks at a deck and remembers."""

    def __init__(self, live: Deck) -> None:
        self.live = live
        self.moments: list[Moment] = []

    async def play(self, *batches: Batch | CollectorDied) -> None:
        self.live.collector.play(*batches)
        await self.live.settle()

    async def look(self, *keys: str) -> None:
        """Remember the screen after some keys; no two moments are at the same time."""
        self.live.estate.now += 0.5
        await self.live.press(*keys)
        cursor = self.live.app.panes.vms.cursor or ""
        self.moments.append(Moment(self.live.estate.now, keys, cursor, await seen(self.live)))
        self.live.estate.now += 0.5


async def live_through(witness: Witness) -> None:
    """Loads move, a machine starts and moves, a host is lost and comes back, a worker dies."""
    live, estate = witness.live, witness.live.estate
    collector = live.collector
    await witness.look("1")
    for _ in range(6):
        await witness.play(estate.tick())
    await witness.look("1")
    collector.instant = False
    await live.go("web02")
    await live.press("s")
    await witness.look("1")
    collector.report(collector.calls[-1], Phase.ACCEPTED, percent=40)
    await live.settle()
    await witness.look("1")
    await witness.play(estate.tick(), Batch((estate.vary("web02", state=2, cpu=3),)))
    collector.report(collector.calls[-1], Phase.OBSERVED)
    await live.settle()
    await witness.look("8")
    estate.now += MINUTE
    await witness.play(estate.tick(), Batch(estate.move("web01", "CL1-N2")))
    await witness.play(Batch((estate.lose("HV02"), estate.remove("wiki"))))
    await witness.look("o")
    estate.now += 30
    await witness.look("1")
    await live.go("vdi-014")
    await live.press("s")
    await witness.play(CollectorDied(tuple(estate.hosts), cause="out of memory"))
    await witness.look("1")
    await witness.play(estate.tick())
    await witness.look("2", "6")


async def compare(replay: Replay, moments: list[Moment]) -> None:
    for moment in moments:
        await replay.seek(moment.at)
        assert replay.app.panes.vms.grid.move_to(moment.cursor)
        await replay.press(*moment.keys)
        *above, tape, foot = await seen(replay)
        at = f"at {moment.at - START:.1f} s, {moment.keys}"
        assert [*above, foot] == moment.lines, at
        assert "paused" in tape or "at its end" in tape


async def recorded_from(live: Deck) -> Path:
    """Begin to record in the deck, as a person does."""
    await live.press("colon")
    await live.type("app.record")
    await live.press("enter")
    recorder = live.app.engine.recorder
    assert recorder is not None
    assert " REC " in live.text()
    return recorder.path


async def told(folder: Path) -> None:
    async with deck(datacenter(), size=(WIDE, HIGH)) as live:
        path = await recorded_from(live)
        assert path.parent == folder
        witness = Witness(live)
        await live_through(witness)
        live.app.operator.act("app.record")
        await live.settle()
        assert live.app.engine.recorder is None
        assert str(path) in live.notices
        assert " REC " not in live.text()
    forward, backward = witness.moments[::2], witness.moments[::-1][1::2]
    async with replaying(path) as replay:
        await replay.press("full_stop")
        await compare(replay, forward)
    async with replaying(path, at=backward[0].at) as replay:
        await replay.press("full_stop")
        await compare(replay, backward)


def test_a_replay_shows_what_was_on_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every moment that was looked at: forward from the start, backward from the end."""
    monkeypatch.chdir(tmp_path)
    # The ends of a scroll bar tell how the pane came to its size.
    monkeypatch.setattr("tui.ui.app.ScrollBarRender", PlainScrollBar)
    asyncio.run(told(tmp_path))


# -- the past ------------------------------------------------------------------------------


def lines_of(store: Store, until: float) -> dict[str, list[float | None]]:
    """What the graphs of every thing show of an hour."""
    return {
        f"{key} {metric.name}": history.points(metric, until - 3600, until, 120)
        for key, history in store.histories.items()
        for metric in Metric
    }


def recorded(path: Path, *, seconds: float, step: float) -> Known:
    """A long recording; what its store knew at some moments, and what the graphs showed."""
    estate, store = datacenter(), Store()
    store.configure(estate.links)
    recorder = Recorder(path, store, estate.links, estate.now)
    known = {}
    batch, tick = estate.everything(), 0
    while estate.now < START + seconds:
        recorder.took(estate.now, batch, store.apply(batch, estate.now))
        store.tick(estate.now)
        if tick % 40 == 39:
            known[estate.now] = (picture(store, estate.now), lines_of(store, estate.now))
        batch, tick = estate.tick(step), tick + 1
        if tick % 60 == 0:
            batch = Batch((*batch.updates, *estate.move("web01", f"CL1-N{1 + tick % 120 // 60}")))
    done = recorder.close()
    assert recorder.trouble is None
    assert done.batches == tick
    return known


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Known]:
    """A recording of more than an hour."""
    path = tmp_path_factory.mktemp("long") / "a.tape"
    return path, recorded(path, seconds=REACH + 1500, step=30.0)


def test_a_jump_brings_rows_at_once_and_the_past_bit_by_bit(
    long: tuple[Path, Known],
) -> None:
    path, known = long
    tape, hand = open_tape(path), Hand()

    async def jump() -> None:
        player = Player(tape, DeckOptions(), watch=lambda: hand.seconds)
        player.paused = True
        for at, (rows, lines) in reversed(known.items()):
            player.seek(at)
            while player.late:
                player._advance()
            assert picture(player.store, at) == rows
            await player._remember()
            assert picture(player.store, at) == rows
            assert lines_of(player.store, at) == lines
            assert player.idle
        hand.seconds += 5
        assert player.position() == at, "a pause is a pause"
        await player.stop()

    asyncio.run(jump())
    assert len(known) >= 4


def test_what_comes_while_the_past_is_read_is_not_lost(long: tuple[Path, Known]) -> None:
    path, known = long
    tape, hand = open_tape(path), Hand()
    first, last = next(iter(known)), list(known)[-1]

    async def play() -> None:
        player = Player(tape, DeckOptions(), at=last - 100, watch=lambda: hand.seconds)
        past = player._past
        assert past is not None
        assert not player._catch_up(past, 0.0), "a slice is not all of it"
        hand.seconds += 100
        while not player.idle:
            player._advance()
            await player._remember()
        assert player.position() == last
        assert picture(player.store, last) == known[last][0]
        assert lines_of(player.store, last) == known[last][1]
        await player.stop()

    assert first < last
    asyncio.run(play())


def test_a_slow_machine_plays_slower_and_leaves_nothing_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no time for more than one thing at once, the clock waits."""
    for name in ("STEP", "AT_ONCE"):
        monkeypatch.setattr(f"tui.ui.player.{name}", 0.0)
    path = tmp_path / "a.tape"
    known = recorded(path, seconds=200.0, step=4.0)
    tape, hand, at = open_tape(path), Hand(), max(known)

    async def play() -> None:
        player = Player(tape, DeckOptions(), speed=64.0, watch=lambda: hand.seconds)
        steps = 0
        while player.position() < at - 64 or player.late:
            steps += 1
            player._advance()
            assert not player.late or player.position() >= player._reel.at
            hand.seconds += 0 if player.late else 1
        assert steps > 10
        player.seek(START)
        player.pause(True)
        player.seek(at)
        assert player.late
        assert player.position() == at
        while player.late:
            player._advance()
        assert picture(player.store, at) == known[at][0]
        await player.stop()

    asyncio.run(play())


def test_a_clock_that_goes_on_is_not_late(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    known = recorded(path, seconds=200.0, step=4.0)
    tape, clock = open_tape(path), count(step=0.25)

    async def play() -> None:
        player = Player(tape, DeckOptions(), watch=lambda: next(clock))
        steps = 0
        while not player.ended:
            player._advance()
            steps += not player.late
        assert steps > 200
        player._advance()
        at = max(known)
        player.seek(START)
        player.paused = True
        player.seek(at)
        while player.late:
            player._advance()
        assert picture(player.store, at) == known[at][0]
        await player.stop()

    asyncio.run(play())


# -- the deck of a replay ------------------------------------------------------------------


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Three minutes of four hosts."""
    path = tmp_path / "a.tape"
    recorded(path, seconds=181.0, step=4.0)
    return path


def test_keys_move_about_in_a_replay(tape: Path) -> None:
    async def keys() -> None:
        async with replaying(tape, size=(100, 24)) as replay:
            player = replay.player
            assert " REPLAY " in replay.text()
            assert "DEMO" not in replay.text()
            assert "plays 1x" in replay.text()
            for key, moment in (
                ("l", 10), ("L", 70), ("h", 60), ("H", 0), ("h", 0), ("e", 180), ("l", 180),
                ("b", 0),
            ):  # fmt: skip
                await replay.press(key)
                assert player.position() - START == moment, key
                assert f"0:0{moment // 60}:{moment % 60:02} of 0:03:00" in replay.text()
            await replay.press("greater_than_sign", "greater_than_sign")
            assert "plays 4x" in replay.text()
            replay.hand.seconds += 10
            assert player.position() - START == 40
            await replay.press("less_than_sign")
            replay.hand.seconds += 10
            assert player.position() - START == 60
            await replay.press("full_stop")
            replay.hand.seconds += 10
            assert player.position() - START == 60
            assert "paused" in replay.text()
            await replay.press("e")
            assert "at its end" in replay.text()
            assert replay.text().splitlines()[0].rstrip().endswith(clock(player.tape.end))

    asyncio.run(keys())


def test_a_replay_reaches_no_host(tape: Path) -> None:
    async def act() -> None:
        async with replaying(tape, size=(100, 24)) as replay:
            for key in ("s", "W", "r"):
                replay.app.clear_notifications()
                await replay.press(key)
                assert RECORDED in replay.notices, key
            assert len(replay.app.screen_stack) == 1
            assert replay.app.read_only
            assert not replay.app.store.calls
            for action in ACTIONS:
                if action.changes and action.kind is Kind.VM:
                    target = replay.app.store.target(replay.app.panes.vms.cursor or "")
                    assert replay.app.operator.why_not(action, target) == RECORDED
            replay.app.clear_notifications()
            replay.app.operator.act("app.record")
            await replay.settle()
            assert "recording already" in replay.notices

    asyncio.run(act())


def test_a_tape_that_was_cut_or_damaged_says_so_and_plays(tape: Path) -> None:
    octets = bytearray(tape.read_bytes())
    found = open_tape(tape)
    broken = found.blocks[found.before(START + 30) + 1]
    found.close()
    octets[broken.offset + 2] ^= 0xFF
    tape.write_bytes(octets[:-3])

    async def look() -> None:
        async with replaying(tape, size=(100, 24)) as replay:
            assert "cut off" in replay.notices
            assert str(tape) in replay.notices
            replay.hand.seconds += 30
            assert replay.player.position() == START, "it stands before the damage"
            assert "damaged" in replay.text().splitlines()[-2]
            await replay.press("L")
            assert "damaged" not in replay.text().splitlines()[-2]
            replay.hand.seconds += 10
            assert replay.player.position() == START + 70

    asyncio.run(look())


def test_a_deck_says_how_to_get_a_tape_and_when_one_ends(tmp_path: Path) -> None:
    async def press() -> None:
        async with deck(size=(80, 24)) as live:
            await live.press("full_stop", "h")
            assert live.notices.count("hvdeck replay FILE") == 2
            live.app.engine.record(tmp_path / "a.tape")
            recorder = live.app.engine.recorder
            assert recorder is not None
            recorder.trouble = CannotRecord("a.tape", cause="No space left", hint="all stays")
            live.app.tick()
            await live.settle()
            assert live.app.engine.recorder is None, "a recording that ended is told"
            assert "No space left; all stays" in live.notices
            assert " REC " not in live.text()

    asyncio.run(press())

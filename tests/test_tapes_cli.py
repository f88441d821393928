"""``record`` and ``replay`` on the command line."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.fabric_kit import PASSWORD, USER
from tests.scripted import START, datacenter
from tests.verb_story_kit import Served, Shell, serving_scene
from tui import cli
from tui.cli import exits
from tui.cli.tapes import duration, moment_of
from tui.collector.messages import Batch, HostLoad
from tui.collector.tape import Tape, Took, open_tape
from tui.config.thresholds import Thresholds
from tui.errors import UsageError
from tui.rows import levels
from tui.store import Store
from tui.store.recorder import Recorder
from tui.store.reel import Reel
from tui.ui.options import DeckOptions


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("homelab") as found:
        yield found


@pytest.fixture
def tape(tmp_path: Path) -> Iterator[Tape]:
    """Two hours and a bit."""
    estate, store = datacenter(), Store()
    store.configure(estate.links)
    recorder = Recorder(tmp_path / "old.tape", store, estate.links, estate.now)
    for batch in (estate.everything(), estate.tick(7300.0)):
        recorder.took(estate.now, batch, store.apply(batch, estate.now))
    recorder.close()
    found = open_tape(tmp_path / "old.tape")
    yield found
    found.close()


def plain(tape: Tape) -> bytes:
    """All that stands on a tape."""
    return b"".join(filter(None, map(tape._body, tape.blocks))) + tape.path.read_bytes()


# -- record --------------------------------------------------------------------------------


def test_what_hosts_tell_is_recorded_for_a_while(
    served: Served, shell: Shell, tmp_path: Path
) -> None:
    path = tmp_path / "lab.tape"
    ran = shell("NUC01", "record", str(path), "--every", "1", "--for", "2s")
    assert ran.code == exits.DONE, ran.err
    assert ran.out == ""
    assert re.search(r"recording 1 host every 1 s into .*lab\.tape, for 2s", ran.err)
    assert re.search(r"recorded \d+s in \d+ batches, [\d.]+ KB: hvdeck replay .*lab\.tape", ran.err)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    tape = open_tape(path)
    reel = Reel(tape, tape.begun)
    changes = list(reel.play(tape.end))
    assert len(changes) >= 3
    assert {row.name for row in reel.store.vms.values()} == served.truth("NUC01").names() - {
        "NUC01"
    }
    assert any(
        entry.batch.updates[0].vitals is not None
        for entry in tape.steps(0)
        if isinstance(entry, Took) and entry.batch.updates
    )
    told = plain(tape)
    tape.close()
    assert PASSWORD.encode() not in told
    assert USER.encode() not in told


def test_ctrl_c_is_the_way_to_end_it(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "lab.tape"
    command = [
        sys.executable, "-m", "tui", "record", str(path), "--every", "1",
        "--host", served.fabric.url("NUC01"), "--user", USER, "--password-env", "FABRIC_PW",
    ]  # fmt: skip
    environment = {**os.environ, "FABRIC_PW": PASSWORD}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stderr is not None
        assert b"until Ctrl-C" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, narration = process.communicate(timeout=60)
    assert process.returncode == exits.DONE, narration.decode()
    assert b"recorded " in narration
    assert b"Traceback" not in narration
    tape = open_tape(path)
    assert not tape.cut
    assert [spot.id for spot in tape.header.hosts]
    tape.close()


def test_without_a_host_there_is_no_recording(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FABRIC_PW", PASSWORD)
    path = tmp_path / "none.tape"
    where = ("--host", "http://127.0.0.1:1/wsman", "--user", USER, "--password-env", "FABRIC_PW")
    assert cli.main(["record", str(path), "--for", "2", *where]) == exits.NO_HOST
    assert "127.0.0.1" in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("{old}",), "exists already"),
        (("{folder}",), "is a folder"),
        (("{folder}/none/a.tape",), "folder does not exist"),
        (("{folder}/a.tape", "--every", "0.5"), "--every takes seconds"),
    ],
)
def test_what_cannot_be_recorded_is_said_before_a_host_is_asked(
    tape: Tape, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    given = [word.format(old=tape.path, folder=tape.path.parent) for word in words]
    assert cli.main(["record", *given, "--host", "http://127.0.0.1:1/wsman"]) == exits.USAGE
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("word", ["", "soon", "-5", "1h30", "0", "5 m", "10x"])
def test_a_duration_is_a_number_with_units(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    if word == "1h30":  # thirty seconds more
        assert duration(word) == 3630
        return
    with pytest.raises(SystemExit):
        cli.main(["record", "a.tape", f"--for={word}"])
    assert "--for" in capsys.readouterr().err


def test_durations() -> None:
    words = {"90": 90, "30s": 30, "10m": 600, "1h30m": 5400, "2d": 172_800, "1d2h3m4s": 93_784}
    assert {word: duration(word) for word in words} == words


# -- replay --------------------------------------------------------------------------------


def test_a_moment_is_a_time_of_day_a_date_or_a_distance(tape: Tape) -> None:
    first = datetime.fromtimestamp(START).astimezone()
    for word, seconds in (
        ("+90", 90),
        ("+1h30m", 5400),
        (f"{datetime.fromtimestamp(START + 3700).astimezone():%H:%M:%S}", 3700),
        (f"{datetime.fromtimestamp(START + 3700).astimezone():%Y-%m-%dT%H:%M:%S}", 3700),
        (f"{first:%H:%M:%S}", 0),
    ):
        assert moment_of(word, tape) == START + seconds, word
    for word in ("+3h", "2001-01-01T00:00", "+soon", "noon", "25:00", "14:30:05:06"):
        with pytest.raises(UsageError) as raised:
            moment_of(word, tape)
        assert raised.value.hint


def test_what_reading_costs_is_recorded_though_nothing_else_came(tmp_path: Path) -> None:
    estate, store = datacenter(), Store()
    store.configure(estate.links)
    recorder = Recorder(tmp_path / "quiet.tape", store, estate.links, estate.now)
    batch = Batch(loads=(HostLoad("HV01", 7, 700),))
    recorder.took(estate.now, batch, store.apply(batch, estate.now))
    recorder.took(estate.now, Batch(), store.apply(Batch(), estate.now))
    assert recorder.close().batches == 1
    with contextlib.closing(open_tape(tmp_path / "quiet.tape")) as tape:
        reel = Reel(tape, tape.begun)
        list(reel.play(tape.end))
        assert reel.store.loads.hosts["HV01"].requests == 7


def test_a_recording_may_run_past_midnight(tmp_path: Path) -> None:
    evening = datetime(2026, 9, 23, 23, 50).astimezone().timestamp()
    store = Store()
    recorder = Recorder(tmp_path / "night.tape", store, (), evening)
    recorder.lost(evening + 3600, [])
    recorder.took(evening + 3600, Batch(), store.apply(Batch(), evening + 3600))
    recorder.close()
    tape = open_tape(tmp_path / "night.tape")
    assert moment_of("23:55", tape) == evening + 300
    assert moment_of("00:10", tape) == evening + 1200
    tape.close()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("{folder}/none.tape",), "cannot be opened"),
        (("{page}",), "no recording of hvdeck"),
        (("{old}", "--speed", "0"), "--speed takes"),
        (("{old}", "--at", "+9h"), "it runs from"),
        (("{old}",), "needs a terminal"),
    ],
)
def test_what_cannot_be_replayed_is_said(
    tape: Tape, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    page = Path(__file__)
    given = [w.format(old=tape.path, folder=tape.path.parent, page=page) for w in words]
    assert cli.main(["replay", *given]) == exits.USAGE
    assert told in capsys.readouterr().err


def test_a_replay_has_the_keys_and_levels_of_the_configuration(
    tape: Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        'ascii = true\n[keys]\n"graphs.now" = "g"\n[thresholds]\nvolume_free.warning = 33\n'
    )
    shown: list[DeckOptions] = []

    def show(options: DeckOptions, tape: Tape, *, speed: float, at: float) -> int:
        shown.append(options)
        return exits.DONE

    monkeypatch.setattr("tui.ui.start.replay", show)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    try:
        assert cli.main(["replay", str(tape.path), "--config", str(config)]) == exits.DONE
    finally:
        levels.use(Thresholds())
    (options,) = shown
    assert (options.ascii, options.read_only) == (True, True)
    assert options.keys == {"graphs.now": "g"}
    assert options.thresholds.volume_free.warning == 33

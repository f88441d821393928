"""Every changing action from the command line, against the fabric of one small host."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.link_kit import PASSWORD, USER
from tests.live_kit import Estate, estate
from tui import cli
from tui.cli import catalogue
from tui.sim.jobs import Work

Rows = Callable[..., list[dict[str, Any]]]

CASES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "vm.start": ("is:off", (), "is:running"),
    "vm.shutdown": ("is:running hb:ok", (), "is:off"),
    "vm.reboot": ("is:running hb:ok", (), "is:running"),
    "vm.pause": ("is:running", (), "is:paused"),
    "vm.resume": ("is:paused", (), "is:running"),
    "vm.save": ("is:running", (), "is:saved"),
    "vm.turn-off": ("is:running", (), "is:off"),
    "vm.reset": ("is:running", (), "is:running uptime<10m"),
    "vm.rename": ("is:off", ("--name", "called-anew"), "called-anew"),
    "vm.set-notes": ("is:off", ("--notes", "kept for audit #proof"), "#proof"),
}
"""Which machine, further words, and how it is found afterwards. Each case leaves what the next
one needs: one machine off, one paused, several running.
"""


@dataclass
class Ran:
    code: int
    out: str
    err: str


@dataclass
class Line:
    """The command with a configuration that leads to the estate."""

    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Ran:
        self.capture.readouterr()
        code = cli.main(words)
        return Ran(code, *self.capture.readouterr())

    def rows(self, noun: str, where: str, columns: str = "name,id") -> list[dict[str, Any]]:
        ran = self(noun, "--filter", where, "--columns", columns, "-o", "json")
        assert ran.code == 0, ran.err
        return list(json.loads(ran.out))


@pytest.fixture(scope="module")
def served() -> Iterator[Estate]:
    with estate("homelab", speed=60) as found:
        yield found


@pytest.fixture
def line(
    served: Estate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Line:
    file = tmp_path / "config.toml"
    hosts = "".join(f'[hosts."{link.id}"]\nurl = "{link.url}"\n' for link in served.links())
    file.write_text(f'[defaults]\nuser = "{USER}"\npassword = "env:FABRIC"\n{hosts}')
    monkeypatch.setenv("HVDECK_CONFIG", str(file))
    monkeypatch.setenv("FABRIC", PASSWORD)
    return Line(capsys)


def test_every_verb_has_its_case() -> None:
    """Here, beside this file, or run by the session that the command line runs."""
    known = {action.id for group in catalogue.verbs().values() for action in group}
    here = Path(__file__).parent
    told = [
        file.read_text() for kind in ("cli", "verbs") for file in here.glob(f"test_{kind}_*.py")
    ]
    assert sorted(id_ for id_ in known if not any(f'"{id_}"' in text for text in told)) == []


@pytest.mark.parametrize("action", CASES)
def test_a_verb_does_what_it_says_and_is_seen_done(action: str, line: Line) -> None:
    where, more, after = CASES[action]
    target = line.rows("vms", where)[0]
    noun, verb = action.split(".")
    dry = line(noun, verb, target["id"], *more, "--dry-run", "-o", "json")
    assert dry.code == 0, dry.err
    assert "." in json.loads(dry.out)[0]["call"]
    ran = line(noun, verb, target["id"], *more, "--yes", "--wait", "-o", "json")
    assert ran.code == 0, ran.err
    assert [call["phase"] for call in json.loads(ran.out)] == ["observed"]
    assert target["id"] in {row["id"] for row in line.rows("vms", after)}


def test_a_job_is_cancelled(line: Line, served: Estate) -> None:
    assert "job.cancel" not in CASES
    host = served.fabric.hosts[served.first]
    machine = next(iter(host.machines.values()))
    work = Work(62, "Exporting", 36_000.0, cancellable=True, class_name="Msvm_StorageJob")
    host.jobs.start(work, machine)
    job = line.rows("jobs", "is:running name:Exporting")[0]
    ran = line("job", "cancel", job["id"], "--yes", "--wait", "-o", "json")
    assert ran.code == 0, ran.err
    assert not line.rows("jobs", "is:running name:Exporting")

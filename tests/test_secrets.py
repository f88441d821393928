"""No password reaches a command line, an environment, a log, a repr, a crash or what is shown."""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import psutil
import pytest

import tui
from tui import cli
from tui.collector.fabric import Endpoint, Ready
from tui.collector.framing import frame, read_frame
from tui.collector.hub import Hub
from tui.collector.logfile import open_log
from tui.collector.messages import Configure, HostLink, Next
from tui.collector.watch import Pacing, Tier, Watch
from tui.config.settings import HostEntry, HostSettings
from tui.ui.options import DeckOptions
from tui.wsman.client import Throttle
from tui.wsman.settings import WinRMSettings
from tui.wsman.transport import WinRMTransport

SECRET = "s3cr3t'Zw\\ölf"
ROOT = Path(__file__).parent.parent
URL = "http://127.0.0.1:9/wsman"
LINK = HostLink("hv01", URL, "admin", SECRET, proxy=f"http://p:{SECRET}@127.0.0.1:9")


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """Where a log may be written; the loggers are afterwards as they were."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield tmp_path / "hvdeck.log"
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def shown(text: str) -> bool:
    return any(form in text for form in (SECRET, repr(SECRET)[1:-1], "s3cr3t"))


# -- records -------------------------------------------------------------------------------


def test_no_record_shows_its_password() -> None:
    settings = WinRMSettings(URL, "admin", SECRET, proxy=LINK.proxy)
    records: list[Any] = [
        LINK,
        Configure((LINK,)),
        DeckOptions(links=(LINK,)),
        settings,
        WinRMTransport(settings),
        Ready(True, "admin", SECRET, (Endpoint("hv01", URL),)),
    ]
    for record in records:
        assert not shown(repr(record) + str(record)), type(record).__name__


def test_every_record_that_has_a_password_is_known_here() -> None:
    """A new one must hide it, and be tried above; those of ``config`` hold references."""
    found = set()
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        if module.name.endswith("__main__"):
            continue
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and "password" in getattr(thing, "__annotations__", {}):
                found.add(thing)
    assert found == {HostLink, WinRMSettings, Ready, HostEntry, HostSettings}


# -- processes and log ---------------------------------------------------------------------


def test_the_collector_gets_passwords_by_the_pipe_alone(tmp_path: Path) -> None:
    log = tmp_path / "hvdeck.log"
    log.touch(0o644)
    log.chmod(0o644)
    link = HostLink("hv01", URL, "admin", SECRET)
    with subprocess.Popen(
        [sys.executable, "-m", "tui.collector"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "HVDECK_LOG": str(log)},
        cwd=ROOT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(frame(Configure((link,))))
        told = b""
        while b"Unreachable" not in told:
            process.stdin.write(frame(Next()))
            process.stdin.flush()
            told += read_frame(cast(BinaryIO, process.stdout)) or b""
        child = psutil.Process(process.pid)
        seen = "\n".join([*child.cmdline(), *child.environ().values()])
        process.stdin.close()
        narrated = process.stderr.read().decode()
    assert not shown(seen)
    assert not shown(narrated)
    assert SECRET.encode() not in told
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert not shown(log.read_text(encoding="utf-8"))


def test_without_a_log_file_nothing_is_said_on_standard_error() -> None:
    talk = "import logging; no_log(); logging.getLogger('tui').error('what a library says')"
    program = f"from tui.collector.logfile import no_log; {talk}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stderr == b""


def test_what_a_library_says_in_a_lane_is_logged_without_the_password(log_file: Path) -> None:
    open_log(str(log_file)).hide([LINK])

    def connect(link: HostLink, *_: object) -> Any:
        raise RuntimeError(f"login as {link.user} with {link.password} or {link.password!r} failed")

    watch = Watch(LINK, hub := Hub(), connect=connect, throttle=Throttle(), pacing=Pacing())
    failure = watch.step(Tier.ALL)
    assert failure is not None
    said = log_file.read_text(encoding="utf-8")
    assert "RuntimeError: login as admin with *** or" in said
    assert not shown(said)
    assert not shown(f"{failure} {failure.hint} {hub.batch(0)!r}")


def test_a_log_is_its_owners_alone(log_file: Path) -> None:
    open_log(str(log_file))
    logging.getLogger("tui.test").warning("a line")
    assert stat.S_IMODE(log_file.stat().st_mode) == 0o600
    assert "a line" in log_file.read_text()


# -- what is shown -------------------------------------------------------------------------

CRASH = """
import os
from tests.scripted import ScriptedCollector, datacenter
from tui.collector.messages import HostLink
from tui.ui.app import DeckApp
from tui.ui.options import DeckOptions

class Broken(DeckApp):
    def _begin(self):
        password = self.options.links[0].password
        command = ["--password", password]
        raise RuntimeError("it broke")

link = HostLink("hv01", "http://127.0.0.1:9/wsman", "admin", os.environ["SECRET_OF_TEST"])
app = Broken(DeckOptions(links=(link,)), collector=ScriptedCollector(datacenter()))
app.run(headless=True)
"""


def test_a_deck_that_breaks_tells_where_and_no_values() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CRASH],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "SECRET_OF_TEST": SECRET, "COLUMNS": "200"},
        timeout=120,
        check=False,
    )
    said = ran.stdout + ran.stderr
    assert "RuntimeError: it broke" in said
    assert "_begin" in said
    assert not shown(said)


@pytest.mark.parametrize(
    "words",
    [
        "config show", "config check", "hosts -o json --columns all", "vms -o csv --columns all",
        "vm start x --yes", "wql root/cimv2 SELECT",
    ],
)  # fmt: skip
def test_the_command_line_shows_no_password(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    url = URL
    file.write_text(
        f'[defaults]\nuser = "admin"\n'
        f'[hosts.hv01]\nurl = "{url}"\npassword = "env:SECRET_OF_TEST"\n'
        f'[hosts.hv02]\nurl = "{url}"\npassword = "command:echo s3cr3t"\n'
    )
    monkeypatch.setenv("HVDECK_CONFIG", str(file))
    monkeypatch.setenv("SECRET_OF_TEST", SECRET)
    cli.main(words.split())
    out, err = capsys.readouterr()
    assert out + err
    assert not shown(out + err)


@pytest.mark.parametrize("key", ["url", "proxy"])
def test_a_password_in_an_address_is_refused_and_not_repeated(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    values = {"url": URL, key: "http://admin:s3cr3t@127.0.0.1:9/wsman"}
    lines = [f'{name} = "{value}"\n' for name, value in values.items()]
    file.write_text("[hosts.hv01]\n" + "".join(lines))
    monkeypatch.setenv("HVDECK_CONFIG", str(file))
    assert cli.main(["config", "check"]) != 0
    out, err = capsys.readouterr()
    assert f"hosts.hv01.{key}" in err
    assert not shown(out + err)

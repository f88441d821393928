"""What every benchmark shares: a quiet environment to run in, and lines to print.

A figure is printed beside its budget and never judged: the reader knows what else the machine
was doing.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TITLE = f"{'what':<52} {'figure':<38} budget"


def line(what: str, figures: str, budget: str = "-") -> None:
    """One figure."""
    print(f"{what:<52} {figures:<38} {budget}", flush=True)


@contextlib.contextmanager
def quiet() -> Iterator[dict[str, str]]:
    """The environment of every program measured.

    An empty configuration of its own, and compiled modules kept in one place for the whole run:
    whatever the caller's environment says, the second start is a warm one.
    """
    with tempfile.TemporaryDirectory(prefix="hvdeck-bench-") as folder:
        config = Path(folder) / "config.toml"
        config.touch(mode=0o600)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.update(
            HVDECK_CONFIG=str(config),
            PYTHONPYCACHEPREFIX=os.environ.get("PYTHONPYCACHEPREFIX", f"{folder}/compiled"),
            PYTHONPATH=str(ROOT),
        )
        yield {"folder": folder, "config": str(config)}


def sim(*arguments: str) -> list[str]:
    """The command line of the simulator, ended by the end of its standard input."""
    return [sys.executable, "-m", "tui.sim", "--stop-with-stdin", *arguments]


def write_config(path: str, ready: bytes) -> None:
    """Hosts of a simulator as a configuration; the password is in ``HVDECK_BENCH_PASSWORD``."""
    told = json.loads(ready)
    os.environ["HVDECK_BENCH_PASSWORD"] = told["password"]
    parts = [f'[defaults]\nuser = "{told["user"]}"\npassword = "env:HVDECK_BENCH_PASSWORD"\n']
    parts += [f'[hosts.{e["name"]}]\nurl = "{e["url"]}"\n' for e in told["endpoints"]]
    Path(path).write_text("\n".join(parts), encoding="utf-8")

"""What the command line says to the person: standard error, never standard output."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.cli import exits
from tui.cli.reach import given
from tui.errors import ConfigError, HvError, LinkError, Refused, UsageError

if TYPE_CHECKING:
    from tui.hyperv.model import Trouble
    from tui.store import Store


def narrate(line: str) -> None:
    """One line for the person, never for the program that reads our output."""
    safe = "".join(c if c.isprintable() else " " for c in line)
    sys.stderr.write(f"hvdeck: {safe}\n")


def complain(error: HvError) -> None:
    """An error in at most three lines: what, why, and the way out."""
    narrate(str(error))
    if error.hint:
        narrate(f"  {error.hint}")


def trouble_line(trouble: Trouble) -> str:
    from tui.rows.text import trouble as line

    return f"{line(trouble)} ({trouble.hint})" if trouble.hint else line(trouble)


def tell_troubles(troubles: Mapping[str, Trouble]) -> None:
    for host, trouble in troubles.items():
        tell_of(host, trouble_line(trouble))


def tell_of(host: str, line: str) -> None:
    """A line that names its host, once."""
    narrate(line if line.startswith(host) else f"{host}: {line}")


def silent(store: Store) -> dict[str, str]:
    """Hosts that do not answer, by name, and why."""
    from tui.store import Stale

    rows = sorted(store.host_rows.items())
    troubles = {key: row.vitals.trouble for key, row in rows if row.stale >= Stale.OLD}
    return {
        host: trouble_line(trouble) if trouble else "no answer for a while"
        for host, trouble in troubles.items()
    }


def code_of(error: HvError) -> int:
    """The exit code an error ends the command with."""
    if isinstance(error, (ConfigError, UsageError)):
        return exits.USAGE
    if isinstance(error, Refused):
        return exits.REFUSED
    return exits.NO_HOST if isinstance(error, LinkError) else exits.FAILED


def prepare_glyphs(arguments: argparse.Namespace) -> None:
    from tui.rows.text import use_ascii

    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    use_ascii(bool(given(arguments, "ascii", not encoding.startswith("utf"))))


def tolerant_output() -> None:
    # A name in a script the terminal's encoding lacks must not end the command.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

"""The exit codes of the command line, as scripts may rely on them."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3
NO_HOST: Final = 4
UNKNOWN: Final = 5
INTERRUPTED: Final = 130

MEANINGS: Final = {
    DONE: "done",
    FAILED: "some target failed, or some host could not be read",
    USAGE: "the command or the configuration cannot be used",
    REFUSED: "refused before asking the host: wrong state, read-only, changed meanwhile",
    NO_HOST: "no host could be reached",
    UNKNOWN: "sent, but what became of it is not known",
    INTERRUPTED: "interrupted",
}

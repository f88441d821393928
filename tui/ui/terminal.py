"""What a terminal is told besides the screen: ring, or ask the desktop for a notification.

A sequence holds text from hosts: stripped of everything that could end it or start another.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from tui.config.settings import Desktop
from tui.ui.rowline import clean

BELL: Final = "\a"
TITLE: Final = "hvdeck"
LONGEST: Final = 200
"""Letters of a notification."""
_ESC: Final = "\x1b"
_END: Final = "\x1b\\"


def notification(way: Desktop, words: str, environ: Mapping[str, str]) -> str:
    """The sequence that asks for a notification; empty when none is wanted.

    OSC 9 as iTerm2 has it: the title in front keeps the text from being read as a number, which
    ConEmu and Windows Terminal take for a progress bar. OSC 777 as rxvt-unicode: title and body
    are parted by a semicolon. OSC 99 as kitty: the text in Base64.
    """
    line = clean(" ".join(words.split()))[:LONGEST]
    match way:
        case "osc9":
            found = f"{_ESC}]9;{TITLE}: {line}{_END}"
        case "osc777":
            found = f"{_ESC}]777;notify;{TITLE};{line.replace(';', ',')}{_END}"
        case "osc99":
            body = base64.b64encode(f"{TITLE}: {line}".encode(errors="replace")).decode()
            found = f"{_ESC}]99;e=1;{body}{_END}"
        case _:
            return ""
    return _through_tmux(found) if environ.get("TMUX") else found


def _through_tmux(sequence: str) -> str:
    """tmux hands it on to the terminal it runs in, where ``allow-passthrough`` is on."""
    return f"{_ESC}Ptmux;{sequence.replace(_ESC, _ESC * 2)}{_END}"


def is_terminal(driver: Any) -> bool:
    """What the driver writes is seen by a terminal: no file, no pipe, no test without a screen."""
    if driver is None or driver.is_headless or driver.is_web:
        return False
    written_to = getattr(driver, "_file", None)
    return written_to is None or bool(written_to.isatty())

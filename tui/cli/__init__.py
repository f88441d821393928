"""The command line: the same rows, columns, filters and actions as the deck, for scripts."""

from tui.cli.main import HANDLERS, main

__all__ = ["HANDLERS", "main"]

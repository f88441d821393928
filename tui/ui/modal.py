"""What everything that opens over the deck has in common: it is answered once."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Modal(ModalScreen[Answer]):
    """A screen that may be told to leave several times by keys already on their way."""

    _over = False

    def leave(self, answer: Answer | None = None) -> None:
        """Close with an answer, unless it is closing already or lies below another screen."""
        if self._over or self.app.screen is not self:
            return
        self._over = True
        self.dismiss(answer)

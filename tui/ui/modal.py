"""What everything that opens over the deck has in common: it is answered once."""

from __future__ import annotations

from typing import ClassVar

from textual.screen import ModalScreen

from tui.ui.exact import Answer, Exact


class Modal(ModalScreen[Answer], Exact[Answer]):
    """A screen that may be told to leave several times by keys already on their way."""

    keeps_keys: ClassVar[bool] = False
    """Of the deck's actions only leaving is done while it is in front."""
    _over = False

    def renew(self) -> None:
        """The store is different now."""

    def collector_died(self) -> None:
        """What was asked of hosts is not answered any more."""

    def leave(self, answer: Answer | None = None) -> None:
        """Close with an answer, unless it is closing already or lies below another screen."""
        if self._over or self.app.screen is not self:
            return
        self._over = True
        self.dismiss(answer)

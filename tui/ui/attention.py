"""TABLE: what each pane needs to have measured; told to the collector when that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from tui.collector.messages import Attend
from tui.hyperv.meters import Look
from tui.store import HostRow, NodeRow, RoleRow, SwitchRow, VmRow

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.ui.app import DeckApp
    from tui.ui.layout import Panes

CALM: Final = 0.4
"""Seconds what is looked at stays the same before it is told."""
OF_MACHINE: Final = frozenset({Look.DISKS, Look.ADAPTERS, Look.PROCESSORS, Look.MEMORY})
OF_HOST: Final = frozenset({Look.UPLINKS, Look.VOLUMES, Look.MEMORY})
OF_WATCHED: Final = frozenset({Look.DISKS, Look.PROCESSORS, Look.MEMORY})
OF_SWITCH: Final = frozenset({Look.SWITCHES})

Looks = Mapping[str, frozenset[Look]]
"""By host; of all hosts under an empty name."""


def _selected(panes: Panes) -> Looks:
    """Of what is selected, where it is: a role by its machine, a node as a host. Only while its
    detail or its graphs are in front: beside a table they show what every refresh tells.
    """
    if panes.current not in ("detail", "graphs"):
        return {}
    key = panes.source.cursor
    row: object = panes.store.row(key) if key else None
    if isinstance(row, RoleRow | NodeRow):
        row = row.machine if isinstance(row, RoleRow) else row.own
    if isinstance(row, VmRow):
        return {row.host.id: OF_MACHINE}
    if isinstance(row, HostRow) and not row.group:
        return {row.host.id: OF_HOST}
    return {row.host.id: OF_SWITCH} if isinstance(row, SwitchRow) else {}


def _drawn(panes: Panes) -> Looks:
    """Of what graphs are about, as long as they are in front, should it be measured apart."""
    if panes.current not in ("detail", "graphs"):
        return {}
    return panes.graphs.looks() or _selected(panes)


def _ranked(panes: Panes) -> Looks:
    return {"": panes.top.looks()}


def _stored(panes: Panes) -> Looks:
    return {"": panes.storage.looks()}


def _near(panes: Panes) -> Looks:
    return panes.neighbours.looks()


PANES: Final[Mapping[str, Callable[[Panes], Looks]]] = {
    "top": _ranked,
    "neighbours": _near,
    "storage": _stored,
    "detail": _selected,
    "graphs": _drawn,
}
"""By the name of a pane; panes that are not here show what every refresh tells."""


def wanted(panes: Panes) -> Attend:
    """What has to be measured for what is on the screen, and of what is watched."""
    found: dict[str, set[Look]] = {}
    for row in map(panes.store.row, panes.store.watches.keys):
        if isinstance(row, VmRow):
            found.setdefault(row.host.id, set()).update(OF_WATCHED)
    for name in sorted(panes.showing() & PANES.keys()):
        for host, looks in PANES[name](panes).items():
            found.setdefault(host, set()).update(looks)
    everywhere = found.pop("", set())
    hosts = {host: _listed(looks - everywhere) for host, looks in sorted(found.items())}
    return Attend(_listed(everywhere), {host: looks for host, looks in hosts.items() if looks})


def _listed(looks: Iterable[Look]) -> tuple[Look, ...]:
    return tuple(sorted(looks))


class Attention:
    """Follows what is on the screen."""

    def __init__(self, app: DeckApp) -> None:
        self._app = app
        self._told = Attend()
        self._later: Timer | None = None

    def renew(self) -> None:
        """Something on the screen may be another thing now."""
        if self._later is None and wanted(self._app.panes) != self._told:
            self._later = self._app.set_timer(CALM, self._tell)

    def _tell(self) -> None:
        """Say it, if it still is so."""
        self._later = None
        now = wanted(self._app.panes)
        if now != self._told:
            self._told = now
            self._app.engine.post(now)

"""The sheet of one machine: everything about it in tabs, live, with what can be done to it.

Knows the store and the action table; the machine in full comes through the pipe while it is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from tui.actions import ACTIONS, Action, Kind
from tui.actions.declare import Part
from tui.collector.messages import Inspect
from tui.hyperv.sheet import Sheet
from tui.rows import parts, text
from tui.rows.activity import CALL_COLUMNS, CALL_DEFAULT
from tui.rows.column import Cell, Column, select
from tui.rows.happenings import HAPPENING_COLUMNS, Happening, happenings, log_note
from tui.store import VmRow
from tui.ui import gridevents
from tui.ui.cards import event_card
from tui.ui.detail import layout
from tui.ui.facts import Section, facts
from tui.ui.grid import Grid, Look
from tui.ui.modal import Modal
from tui.ui.rowline import clean
from tui.ui.sheetfacts import hardware, overview
from tui.ui.style import Glyphs, tones

if TYPE_CHECKING:
    from tui.ui.app import DeckApp

READING = "Reading the machine in full"
UNREAD = "It was not looked at in full while this was recorded"
WIDE = 110
"""Cells from which every tab shows its whole title."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of the sheet: a table of parts, or facts where it has no columns."""

    id: str
    title: str
    short: str
    """The title where there is little room."""
    columns: Sequence[Column[Any]] = ()
    parts: tuple[Part, ...] = ()
    """Actions on these parts are offered here, on the part under the cursor."""
    nouns: tuple[str, ...] = ()
    """Actions of these nouns are offered here as well."""
    empty: str = ""
    tree: bool = False


TABS: tuple[Tab, ...] = (
    Tab("overview", "Overview", "Over", nouns=("vm",)),
    Tab("hardware", "CPU, memory", "CPU", nouns=("vm",)),
    Tab("disks", "Disks", "Disk", parts.DISK_COLUMNS, (Part.DISK, Part.DVD), ("disk", "dvd"),
        "No drives"),
    Tab("network", "Network", "Net", parts.ADAPTER_COLUMNS, (Part.NIC,), ("nic",), "No adapters"),
    Tab("points", "Checkpoints", "Ckpt", parts.POINT_COLUMNS, (Part.CHECKPOINT,), ("checkpoint",),
        "No checkpoints", tree=True),
    Tab("services", "Services", "Svc", parts.SERVICE_COLUMNS, (Part.INTEGRATION,), ("integration",),
        "The host tells of no integration services"),
    Tab("events", "Events, jobs", "Events", HAPPENING_COLUMNS, nouns=("job",),
        empty="No jobs of this machine, and no record names it"),
    Tab("calls", "Calls", "Calls", select(CALL_COLUMNS, "", CALL_DEFAULT),
        empty="Nothing was done to it"),
    Tab("raw", "Raw", "Raw", parts.VALUE_COLUMNS, empty="Nothing matches"),
)  # fmt: skip


def bindings() -> list[BindingType]:
    """Keys of the sheet, and every action on a machine under its usual key."""
    found: list[BindingType] = [
        Binding("escape,q", "close", show=False),
        Binding("right,right_square_bracket,tab", "turn(1)", show=False),
        Binding("left,left_square_bracket,shift+tab", "turn(-1)", show=False),
        Binding("x", "menu", show=False),
        Binding("slash", "search", show=False),
        Binding("y", "copy", show=False),
    ]
    found += [Binding(str(n), f"go({n - 1})", show=False) for n in range(1, len(TABS) + 1)]
    found += [
        Binding(action.key, f"act('{action.id}')", show=False)
        for action in ACTIONS
        if action.kind is Kind.VM and action.key and action.key not in ("x", "y")
    ]
    return found


class TabLine(Static):
    """The tabs, the open one marked by more than colour."""

    def tell(self, open_: int) -> None:
        """Show which tab is open."""
        line, inks = Text(no_wrap=True), tones(self.app)
        for index, tab in enumerate(TABS):
            here = index == open_
            title = tab.title if here or self.size.width >= WIDE else tab.short
            word = f"[{index + 1} {title}]" if here else f" {index + 1} {title} "
            line.append(word, style=inks.style("accent" if here else "dim"))
        self.update(line)


class SheetScreen(Modal[None]):
    """One machine in full."""

    BINDINGS: ClassVar[list[BindingType]] = bindings()
    app: DeckApp

    def __init__(self, key: str, glyphs: Glyphs, tab: int = 0) -> None:
        super().__init__()
        self._key = key
        self._glyphs = glyphs
        self._tab = tab
        self._rows: dict[str, Any] = {}
        self._head = Static("", classes="sheet-head")
        self._tabs = TabLine("", classes="sheet-tabs")
        self._facts = Static("", classes="sheet-facts")
        self._scroll = VerticalScroll(self._facts, classes="sheet-page")
        self._grid: Grid[Any] = self._new_grid(TABS[tab])
        self._page = Vertical(self._grid, classes="sheet-page")
        self._search = Input(placeholder="search class, property or value", compact=True,
                             classes="sheet-search")  # fmt: skip
        self._note = Static("", classes="sheet-note")
        self._foot = Static("", classes="sheet-foot")

    def _new_grid(self, tab: Tab) -> Grid[Any]:
        return Grid(
            tab.columns,
            lambda key: self._rows[key],
            look=lambda row: Look(),
            glyphs=self._glyphs,
            empty=tab.empty,
        )

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet"):
            yield self._head
            yield self._tabs
            yield self._search
            yield self._note
            yield self._scroll
            yield self._page
            yield self._foot

    def on_mount(self) -> None:
        self._search.display = False
        row = self.row
        if row is not None:
            self.app.engine.post(Inspect(row.host.id, row.vm.id))
        self._open(self._tab)

    def on_unmount(self) -> None:
        row = self.row
        if row is not None:
            self.app.engine.post(Inspect(row.host.id))

    # -- what is shown ---------------------------------------------------------------------

    @property
    def row(self) -> VmRow | None:
        """The machine's row; None once it is gone."""
        return self.app.store.vms.get(self._key)

    @property
    def sheet(self) -> Sheet | None:
        """The machine in full, once it has come."""
        row = self.row
        return self.app.store.sheet(row.vm) if row is not None else None

    @property
    def _reading(self) -> str:
        """What stands where the sheet has not come."""
        return UNREAD if self.app.replay is not None else READING

    def renew(self) -> None:
        """Show what is known now."""
        row = self.row
        if row is None:
            self.app.told("The machine is gone from its host", warning=True)
            self.leave()
            return
        state = text.vm_shown(row.vitals, row.pending)
        dash = self._glyphs.plain("·")
        words = [row.name, row.host.id, str(state)]
        if row.vitals.cpu is not None:
            words.append(f"CPU {text.percent(row.vitals.cpu)}")
        if row.vitals.memory is not None:
            words.append(text.size(row.vitals.memory))
        self._head.update(Content(clean(f"  {dash}  ".join(words))))
        self._tabs.tell(self._tab)
        tab = TABS[self._tab]
        self._tell(self._remark(tab, row))
        if tab.columns:
            self._fill(tab, row)
        else:
            self._describe(tab, row)
        self._foot.update(Content(self._hints(tab)))

    def _remark(self, tab: Tab, row: VmRow) -> Cell:
        """What is to be said of a page as a whole."""
        if tab.id == "points":
            return parts.merge_note(row.vm, row.vitals.activity, self.sheet)
        return log_note(self.sheet) if tab.id == "events" else Cell("")

    def _tell(self, remark: Cell) -> None:
        self._note.display = bool(remark.text)
        self._note.update(
            Text(clean(remark.text), tones(self.app).style(remark.tone), no_wrap=True)
        )

    def _describe(self, tab: Tab, row: VmRow) -> None:
        sections = [section for section in self._sections(tab, row) if section.facts]
        width = max(20, self._scroll.scrollable_content_region.width - 1)
        self._facts.update(layout(sections, width, tones(self.app), self._glyphs))

    def _sections(self, tab: Tab, row: VmRow) -> Iterator[Section]:
        sheet = self.sheet
        if tab.id == "overview":
            yield from facts(row, self.app.store, self.app.clock())
            if sheet is not None:
                yield from overview(row, sheet)
        elif sheet is not None:
            yield from hardware(row, sheet)
        else:
            yield Section("Reading").add("", self._reading)

    def _fill(self, tab: Tab, row: VmRow) -> None:
        lines = dict(self._lines(tab, row))
        changed = [key for key, line in lines.items() if self._rows.get(key) != line]
        self._rows = lines
        self._grid.set_empty(tab.empty if self.sheet or tab.id in _LIVE else self._reading)
        self._grid.set_keys(list(lines))
        self._grid.touch(changed)

    def _lines(self, tab: Tab, row: VmRow) -> Iterator[tuple[str, Any]]:
        sheet, store = self.sheet, self.app.store
        match tab.id:
            case "points":
                for line in parts.point_lines(row.vm.checkpoints, self.app.clock()):
                    yield line.key, line
            case "services":
                for service in parts.services_of(row.vm):
                    yield service.name, service
            case "events":
                mine = (job.job for job in store.jobs.values() if job.job.subject == row.vm.id)
                yield from ((line.key, line) for line in happenings(mine, sheet))
            case "calls":
                calls = [c for c in store.calls.values() if c.target == row.vm.id]
                yield from ((call.id, call) for call in reversed(calls))
            case _ if sheet is None:
                return
            case "disks":
                yield from ((line.key, line) for line in parts.disk_lines(sheet, row.host))
            case "network":
                yield from ((adapter.id, adapter) for adapter in sheet.adapters)
            case "raw":
                for value in parts.value_lines(sheet.raw, self._search.value):
                    yield value.key, value

    def _hints(self, tab: Tab) -> str:
        search = "/ search   y copy   " if tab.id == "raw" else ""
        act = "" if tab.id in ("calls", "raw") else "x or enter actions   "
        if tab.id == "events":
            act = "enter opens an event   x actions   "
        arrows = self._glyphs.plain("←→")
        return f" {search}{act}{arrows} or 1-{len(TABS)} pages   esc back"

    # -- turning pages ---------------------------------------------------------------------

    def action_turn(self, step: int) -> None:
        self._open((self._tab + step) % len(TABS))

    def action_go(self, index: int) -> None:
        self._open(index)

    def _open(self, index: int) -> None:
        self._tab = index
        tab = TABS[index]
        self._search.display = False
        self._page.display = bool(tab.columns)
        self._scroll.display = not tab.columns
        if tab.columns:
            self._rows = {}
            self._grid.set_columns(tab.columns)
            self._grid.focus()
        else:
            self._scroll.focus()
        self.renew()

    def action_close(self) -> None:
        if self._search.display:
            self._search.display = False
            self._search.value = ""
            self._grid.focus()
            self.renew()
            return
        self.leave()

    # -- searching and copying -------------------------------------------------------------

    def action_search(self) -> None:
        if TABS[self._tab].id == "raw":
            self._search.display = True
            self._search.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.renew()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._grid.focus()

    def action_copy(self) -> None:
        """The value under the cursor, or the file, address or name of the part."""
        line = self._rows.get(self._grid.cursor_key or "")
        columns = TABS[self._tab].columns
        if line is not None and columns:
            last = columns[-1] if TABS[self._tab].id == "raw" else columns[1]
            self.app.copy(last.cell(line).text)

    # -- acting ----------------------------------------------------------------------------

    def action_act(self, action_id: str) -> None:
        row = self.row
        target = self.app.store.target(self._key) if row is not None else None
        if target is not None:
            self.app.operator.act(action_id, on=[(self._key, target)])

    def action_menu(self) -> None:
        """What can be done here, on the part under the cursor."""
        from tui.ui.entries import ACT, offered
        from tui.ui.finder import Finder, matching

        tab = TABS[self._tab]
        target = self.app.store.target(self._key)
        offer = [action for action in ACTIONS if self._offers(tab, action)]
        if target is None or not offer:
            return
        entries = offered(self.app.operator, offer, target, self.app.label)

        def chosen(entry: str | None) -> None:
            if entry is not None:
                self._do(entry.removeprefix(ACT))

        finder = Finder(f"{tab.title}: {clean(target.name)}", lambda q: matching(q, entries),
                        hint="enter runs   esc leaves")  # fmt: skip
        self.app.push_screen(finder, chosen)

    def _offers(self, tab: Tab, action: Action) -> bool:
        if tab.id == "hardware":
            return action.id in _HARDWARE
        noun = action.id.partition(".")[0]
        return noun in tab.nouns and action.kind in (Kind.VM, Kind.JOB) and action.changes

    def _do(self, action_id: str) -> None:
        action = next(a for a in ACTIONS if a.id == action_id)
        key = self._grid.cursor_key if TABS[self._tab].columns else None
        if action.kind is Kind.JOB:
            target = self.app.store.target(key) if key else None
            if target is not None and key is not None:
                self.app.operator.act(action_id, on=[(key, target)])
            return
        target = self.app.store.target(self._key)
        if target is None:
            return
        part = self._part_field(action)
        preset = {part: key.partition("#")[0]} if part and key and key != parts.NOW else {}
        self.app.operator.act(action_id, on=[(self._key, target)], preset=preset)

    def _part_field(self, action: Action) -> str:
        """The field that says which part, where the action has one."""
        if action.part is None:
            return ""
        named = {field.id for field in action.form}
        return next((name for name in _PART_FIELDS[action.part] if name in named), "")

    def on_grid_activated(self, event: gridevents.Activated) -> None:
        event.stop()
        line = self._rows.get(event.key)
        if isinstance(line, Happening) and line.event is not None:
            self.app.push_screen(event_card(line.event))
            return
        self.action_menu()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.renew)


_LIVE = ("points", "services", "events", "calls")
"""Pages that do not wait for the machine in full."""
_HARDWARE = ("vm.set-cpu", "vm.set-memory", "vm.set-security", "vm.set-automatic",
             "vm.upgrade-version")  # fmt: skip
_PART_FIELDS: dict[Part, tuple[str, ...]] = {
    Part.DISK: ("disk", "part"),
    Part.DVD: ("dvd", "part"),
    Part.NIC: ("nic", "part"),
    Part.CHECKPOINT: ("checkpoint", "part"),
    Part.INTEGRATION: ("service", "part"),
}

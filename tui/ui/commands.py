"""What a person does to the deck itself: the methods the action table names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.actions import Kind, Target, by_id
from tui.actions.panekeys import pane_key
from tui.collector.messages import Pace, Poke
from tui.hyperv.plans.words import several
from tui.rows.columns import find
from tui.rows.remarks import Remark
from tui.rows.topology import Node, Sort
from tui.store import Notice
from tui.ui.finder import Entry, Finder, KeyMenu, matching
from tui.ui.operate import RECORDED
from tui.ui.subjects import NETWORKS
from tui.ui.tapecommands import TapeCommands

if TYPE_CHECKING:
    from tui.ui.app import DeckApp

PACES = (1.0, 2.0, 3.0, 5.0, 10.0, 30.0)


class Commands(TapeCommands):
    """One method per deck action."""

    def __init__(self, app: DeckApp) -> None:
        super().__init__(app)
        self._fast = app.options.fast

    # -- panes -----------------------------------------------------------------------------

    def show_overview(self) -> None:
        self._app.panes.zoomed = False
        self._app.panes.turn_to("vms")

    def show_hosts(self) -> None:
        self._app.panes.turn_to("hosts")

    def show_vms(self) -> None:
        self._app.panes.turn_to("vms")

    def show_networks(self) -> None:
        self._app.panes.turn_to("networks")

    def show_topology(self) -> None:
        """From another pane to the tree; there, from one way of looking to the next."""
        panes = self._app.panes
        if panes.current == "networks" or not panes.networks.is_tree:
            panes.networks.next_view()
        panes.turn_to("networks")

    def show_services(self) -> None:
        self._show_fleet("services")

    def show_cluster(self) -> None:
        self._app.panes.turn_to("cluster")

    def show_audit(self) -> None:
        self._show_fleet("findings")

    def _show_fleet(self, view: str) -> None:
        self._app.panes.fleet.open(view)
        self._app.panes.turn_to("audit")

    def enter(self, key: str) -> bool:
        """Enter on a line of topology, audit or top: fold it, or go to the thing it stands for."""
        panes = self._app.panes
        if panes.current == "networks" and panes.networks.is_tree:
            self._enter_node(panes.networks.rows[key])
        elif panes.current == "cluster" and panes.cluster.view in ("findings", "resources"):
            self.go_to(panes.cluster.cursor or "")
        elif panes.current == "top" and panes.top.view in ("disks", "volumes"):
            self.show_neighbours()
        elif panes.current in ("top", "neighbours"):
            self.go_to(panes.table.cursor or "")
        elif panes.current == "storage":
            if not panes.storage.look_into(key):
                self.go_to(panes.storage.cursor or "")
        elif panes.current == "perf":
            panes.perf.enter(key)
        elif panes.current != "audit":
            return False
        elif panes.fleet.view == "services":
            self._open_services(key)
        else:
            self.go_to(panes.fleet.cursor or "")
        return True

    def _enter_node(self, node: Node) -> None:
        networks = self._app.panes.networks
        if node.sort is Sort.SWITCH:
            networks.show_view(NETWORKS)
        elif node.sort is not Sort.ADAPTER and networks.turn(node.key):
            return
        self.go_to(node.goes)

    def _open_services(self, key: str) -> None:
        from tui.ui.sheet import TABS, SheetScreen

        tab = next(at for at, tab in enumerate(TABS) if tab.id == "services")
        self._app.push_screen(SheetScreen(key, self._app.glyphs, tab))

    def show_graphs(self) -> None:
        self._app.panes.turn_to("graphs")

    def show_jobs(self) -> None:
        self._app.panes.turn_to("jobs")

    def show_replicas(self) -> None:
        self._app.panes.turn_to("replicas")

    def show_top(self) -> None:
        self._app.panes.turn_to("top")

    def show_storage(self) -> None:
        self._app.panes.turn_to("storage")

    def show_perf(self) -> None:
        self._app.panes.turn_to("perf")

    def show_neighbours(self) -> None:
        """Who else is there: of the disk or volume in top, else of what is selected; among
        neighbours from the volume to the host and back.
        """
        panes = self._app.panes
        if panes.current == "neighbours":
            key: str | None = panes.neighbours.key
        elif panes.current == "top":
            key = panes.top.grid.cursor_key
        else:
            key = panes.source.cursor
        if not key:
            self._app.told("Select a disk, volume, machine or host first", warning=True)
            return
        panes.neighbours.ask(key)
        panes.turn_to("neighbours")

    def show_log(self) -> None:
        self._app.panes.turn_to("log")

    def show_detail(self) -> None:
        """Everything about the selected row; from a line of a log, that line as a card."""
        panes = self._app.panes
        if panes.current == "log":
            self._show_line()
        elif panes.current in ("audit", "cluster") and isinstance(
            found := panes.front.selected, Remark
        ):
            from tui.ui.cards import remark_card

            self._app.push_screen(remark_card(found))
        elif panes.current == "detail":
            panes.go_back()
        else:
            panes.turn_to("detail")

    def open_migrate(self, keys: list[str]) -> None:
        """Where the machines of these rows could go."""
        from tui.ui.migrate import MigrateScreen

        self._app.push_screen(MigrateScreen(keys, self._app.glyphs))

    def open_sheet(self) -> None:
        """The machine under the cursor in full; anything else as detail."""
        from tui.ui.sheet import SheetScreen

        panes = self._app.panes
        table = panes.source
        if table.kind is Kind.VM and table.cursor is not None:
            self._app.push_screen(SheetScreen(table.cursor, self._app.glyphs))
        else:
            self.show_detail()

    def _show_line(self) -> None:
        from tui.ui.cards import call_card, exchange_card, notice_card

        table = self._app.panes.table
        row = table.rows.get(table.cursor) if table.cursor else None
        if row is None:
            return
        if isinstance(row, Notice):
            card = notice_card(row)
        else:
            card = call_card(row) if table is self._app.panes.calls else exchange_card(row)
        self._app.push_screen(card)

    def toggle_zoom(self) -> None:
        self._app.panes.toggle_zoom()

    def focus_next_pane(self) -> None:
        self._app.panes.step(1)

    def focus_previous_pane(self) -> None:
        self._app.panes.step(-1)

    def go_back(self) -> None:
        """One step back at a time: range, filter, what hides rows, pane, messages."""
        panes = self._app.panes
        table = panes.table
        if table.ranging:
            table.toggle_range()
        elif panes.current == "graphs" and panes.graphs.step_back():
            return
        elif panes.current in ("detail", "graphs"):
            panes.go_back()
        elif table.narrowed:
            table.show_all()
        elif not panes.go_back():
            self._app.clear_notifications()

    # -- finding ---------------------------------------------------------------------------

    def open_palette(self) -> None:
        from tui.ui.entries import action_entries, searching

        actions = action_entries(self._app.operator, self._app.label)
        self._find("Palette", searching(self._app.store, actions), "enter runs   esc leaves")

    def open_menu(self) -> None:
        """Actions on what is selected or marked, those that cannot be done last."""
        from tui.ui.entries import action_entries

        entries = action_entries(self._app.operator, self._app.label, here=True)
        if not entries:
            self._app.told("There is nothing to do here: select a machine, host or job",
                           warning=True)  # fmt: skip
            return
        entries.sort(key=lambda entry: bool(entry.why_not))
        self._find("Actions here", lambda query: matching(query, entries), "enter runs")

    def open_help(self) -> None:
        from tui.ui.entries import help_entries

        entries = help_entries(self._app.operator, self._app.label)
        hint = "every line runs with enter   esc leaves"
        self._find("Help", lambda query: matching(query, entries), hint, headed=True)

    def toggle_watch(self) -> None:
        self._app.lookout.toggle()

    def open_jump(self) -> None:
        from tui.ui.entries import searching

        self._find("Jump", searching(self._app.store, ()), "enter goes there   esc leaves")

    def _find(self, title: str, entries: Any, hint: str, *, headed: bool = False) -> None:
        self._app.push_screen(Finder(title, entries, hint=hint, headed=headed), self._found)

    def _found(self, entry: str | None) -> None:
        from tui.ui.entries import ACT, GO, KEY

        if entry is None:
            return
        if entry.startswith(ACT):
            self._app.operator.act(entry.removeprefix(ACT), anywhere=True)
        elif entry.startswith(GO):
            self.go_to(entry.removeprefix(GO))
        elif (key := pane_key(entry.removeprefix(KEY))) is not None:
            self._app.press(key)

    def go_to(self, key: str) -> None:
        """Put the cursor on a thing, out of whatever filter hides it."""
        from tui.ui.clusterpane import VIEW_OF
        from tui.ui.entries import kind_of

        kind = kind_of(self._app.store.row(key))
        if kind in VIEW_OF:
            self._app.panes.cluster.open(VIEW_OF[kind])
        table = self._app.panes.table_of(kind) if kind else None
        if table is None:
            self._app.told("It is gone", warning=True)
            return
        if table is self._app.panes.hosts:
            self._app.panes.hosts.unfold_to(key)
        elif table is self._app.panes.networks:
            self._app.panes.networks.reveal(key)
        if key not in table.grid.keys:
            table.show_all()
        self._app.panes.turn_to(table.id or "vms")
        table.grid.move_to(key)

    def open_filter(self) -> None:
        panes = self._app.panes
        if panes.current in ("detail", "graphs"):
            panes.go_back()
        self._app.filter_bar.open(panes.table, self._app.options.host_tags)

    # -- marks -----------------------------------------------------------------------------

    def mark_one(self) -> None:
        table = self._app.panes.table
        if table.cursor is not None and table.markable(table.cursor):
            table.mark([table.cursor], table.cursor not in self._app.store.marks)
            table.grid.action_move(1)

    def mark_range(self) -> None:
        table = self._app.panes.table
        if table.kind is not None:
            table.toggle_range()

    def mark_all(self) -> None:
        table = self._app.panes.table
        table.mark(list(table.grid.keys), True)

    def invert_marks(self) -> None:
        table = self._app.panes.table
        marks = self._app.store.marks
        on = [key for key in table.grid.keys if key not in marks]
        off = [key for key in table.grid.keys if key in marks]
        table.mark(off, False)
        table.mark(on, True)

    def clear_marks(self) -> None:
        table = self._app.panes.table
        table.mark(table.marked(), False)
        if table.only_marked:
            self.toggle_only_marked()

    def toggle_only_marked(self) -> None:
        table = self._app.panes.table
        if not table.only_marked and not table.marked():
            self._app.told("Nothing is marked: space marks", warning=True)
            return
        table.only_marked = not table.only_marked
        table.narrow()

    def toggle_problems(self) -> None:
        table = self._app.panes.table
        table.show_problems(not table.only_problems)
        if table.only_problems and not table.grid.keys:
            rows = several(len(table.rows), "row", table.subject.noun)
            self._app.told(f"No problems among {rows}")

    # -- looking ---------------------------------------------------------------------------

    def open_sort(self) -> None:
        """One more key names the column; the comma again turns the order round."""
        table = self._app.panes.table
        choices = [(key, title, column) for key, title, column in _lettered(table)]
        choices.append((",", "reverse the order", "reverse"))

        def chosen(column: str | None) -> None:
            if column == "reverse":
                self.reverse_sort()
            elif column is not None:
                table.set_sort(column)

        self._app.push_screen(KeyMenu(f"Sort {table.subject.noun} by", choices), chosen)

    def reverse_sort(self) -> None:
        table = self._app.panes.table
        if table.sort:
            table.set_sort(table.sort)

    def open_columns(self) -> None:
        """Switch columns on and off, one at a time."""
        table = self._app.panes.table
        entries = [
            Entry(column.id, column.title,
                  "shown" if column.id in table.columns else "", words=column.id)
            for column in table.subject.columns
        ]  # fmt: skip

        def chosen(column: str | None) -> None:
            if column is None:
                return
            shown = [known for known in table.columns if known != column]
            if len(shown) == len(table.columns):
                shown.append(column)
            table.set_columns(shown or list(table.subject.default))
            self.open_columns()

        hint = "enter shows or hides   esc leaves"
        finder = Finder("Columns", lambda query: matching(query, entries), hint=hint)
        self._app.push_screen(finder, chosen)

    def toggle_freeze(self) -> None:
        self._app.freeze(not self._app.frozen)

    def slow_down(self) -> None:
        if self._app.replay is not None:
            self.change_speed(-1)
            return
        self._set_pace(next((pace for pace in PACES if pace > self._fast), PACES[-1]))

    def speed_up(self) -> None:
        if self._app.replay is not None:
            self.change_speed(1)
            return
        self._set_pace(next((pace for pace in reversed(PACES) if pace < self._fast), PACES[0]))

    def _set_pace(self, pace: float) -> None:
        self._fast = pace
        self._app.engine.post(Pace(fast=pace))
        self._app.told(f"Hosts are asked every {pace:g} s")

    def next_graph_window(self) -> None:
        panes = self._app.panes
        if panes.current == "top":
            panes.top.next_window()
        elif panes.current == "neighbours":
            panes.neighbours.next_window()
        else:
            panes.graphs.next_window()

    # -- copying ---------------------------------------------------------------------------

    def open_yank(self) -> None:
        from tui.ui.copying import copies

        table = self._app.panes.table
        row = table.rows.get(table.cursor) if table.cursor else None
        offered = copies(table, row)
        choices = [(key, title, key) for key, title, _ in offered]
        words = {key: value for key, _, value in offered}

        def chosen(key: str | None) -> None:
            if key is not None:
                self._app.copy(words[key])

        self._app.push_screen(KeyMenu("Copy", choices), chosen)

    # -- plans -----------------------------------------------------------------------------

    def open_drain(self, target: Target) -> None:
        from tui.ui.drainview import DrainSheet

        self._app.push_screen(DrainSheet(target.host.id, self._app.glyphs))

    def open_resume(self, target: Target) -> None:
        from tui.ui.drainview import DrainSheet

        self._app.push_screen(DrainSheet(target.host.id, self._app.glyphs, home=True))

    def open_balance(self) -> None:
        from tui.ui.balanceview import BalanceSheet

        self._app.push_screen(BalanceSheet(self._app.glyphs))

    def open_capacity(self) -> None:
        from tui.ui.capacityview import CapacitySheet

        self._app.push_screen(CapacitySheet(self._app.glyphs))

    # -- the deck --------------------------------------------------------------------------

    def refresh_hosts(self) -> None:
        """Read the marked hosts, the selected thing's host, or all of them again."""
        action = by_id("host.refresh")
        pairs = self._app.operator.subjects(action) if action else []
        hosts = {target.host.id for _, target in pairs}
        source = self._app.panes.source
        if not hosts and source.cursor and source.kind is not Kind.HOST:
            target = self._app.store.target(source.cursor)
            hosts = {target.host.id} if target else set()
        if self._app.replay is not None:
            self._app.told(RECORDED, warning=True)
            return
        for host in sorted(hosts) or [""]:
            self._app.engine.post(Poke(host))
        self._app.told(f"Reading {', '.join(sorted(hosts)) or 'every host'} again")

    def toggle_read_only(self) -> None:
        self._app.set_read_only(not self._app.read_only)

    def change_theme(self) -> None:
        from tui.ui.style import THEMES

        entries = [Entry(theme.name, theme.name, "dark" if theme.dark else "light")
                   for theme in THEMES]  # fmt: skip

        def chosen(name: str | None) -> None:
            if name is not None:
                self._app.theme = name

        hint = "enter chooses   esc leaves"
        self._app.push_screen(
            Finder("Theme", lambda query: matching(query, entries), hint=hint), chosen
        )

    def leave(self) -> None:
        """Quit; asks only while calls are under way."""
        self._app.leave()


def _lettered(table: Any) -> list[tuple[str, str, str]]:
    """A letter for every column shown, mnemonic where one is free."""
    taken: set[str] = set()
    found = []
    for column in table.columns:
        title = find(table.subject.columns, column).title
        letters = [c for c in f"{title}{column}abcdefghijklmnopqrstuvwxyz".lower() if c.isalpha()]
        letter = next((c for c in letters if c not in taken), "")
        if letter:
            taken.add(letter)
            found.append((letter, title, column))
    return found

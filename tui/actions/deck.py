"""What a person does to the deck itself; ``run`` names the deck's method."""

from __future__ import annotations

from tui.actions.declare import Action, Kind


def _app(verb: str, title: str, help_text: str, run: str, key: str, group: str) -> Action:
    return Action(f"app.{verb}", title, help_text, Kind.APP, run, key=key, many=False, group=group)


_LOOK = "Look"
_FIND = "Find and mark"
_PANES = "Panes"
_DECK = "Deck"

ACTIONS: tuple[Action, ...] = (
    _app("help", "Help", "List every action with its key, and run one", "open_help", "?", _DECK),
    _app(
        "palette",
        "Palette",
        "Search every action, host, virtual machine and switch",
        "open_palette",
        ":,ctrl+p",
        _DECK,
    ),
    _app(
        "menu",
        "Actions here",
        "List the actions on the selected or marked things",
        "open_menu",
        "x",
        _DECK,
    ),
    _app("back", "Back", "Close, clear or leave what is in front", "go_back", "escape", _DECK),
    _app(
        "read-only",
        "Read-only",
        "Withhold every change, or allow changes again",
        "toggle_read_only",
        "W",
        _DECK,
    ),
    _app("theme", "Theme", "Choose the colours", "change_theme", "", _DECK),
    _app("quit", "Quit", "Leave the deck", "leave", "q", _DECK),
    _app(
        "filter",
        "Filter",
        "Show only the rows that match",
        "open_filter",
        "/",
        _FIND,
    ),
    _app("jump", "Jump", "Go to anything by a part of its name", "open_jump", "f", _FIND),
    _app("mark", "Mark", "Mark the row, or unmark it, and step down", "mark_one", "space", _FIND),
    _app("mark-range", "Mark range", "Mark rows while moving", "mark_range", "v", _FIND),
    _app("mark-all", "Mark all", "Mark every row the filter shows", "mark_all", "A", _FIND),
    _app(
        "invert-marks",
        "Invert marks",
        "Mark the unmarked rows and unmark the others",
        "invert_marks",
        "I",
        _FIND,
    ),
    _app("unmark", "Unmark all", "Take every mark away", "clear_marks", "U", _FIND),
    _app(
        "only-marked",
        "Only marked",
        "Show only marked rows, or all again",
        "toggle_only_marked",
        "M",
        _FIND,
    ),
    _app(
        "problems",
        "Problems only",
        "Show only rows that need attention, or all again",
        "toggle_problems",
        "!",
        _FIND,
    ),
    _app(
        "sort",
        "Sort",
        "Choose the column to sort by with one more key, the same key again reverses",
        "open_sort",
        "comma",
        _LOOK,
    ),
    _app("reverse", "Reverse order", "Turn the sort order round", "reverse_sort", "", _LOOK),
    _app("columns", "Columns", "Choose the columns shown", "open_columns", "=", _LOOK),
    _app(
        "freeze",
        "Freeze",
        "Hold the picture still, or let it move again",
        "toggle_freeze",
        "z",
        _LOOK,
    ),
    _app("slower", "Slower", "Refresh less often", "slow_down", "<", _LOOK),
    _app("faster", "Faster", "Refresh more often", "speed_up", ">", _LOOK),
    _app(
        "graph-window",
        "Graph window",
        "Change how much time the graphs span",
        "next_graph_window",
        "w",
        _LOOK,
    ),
    _app(
        "yank",
        "Copy",
        "Copy name, host, identity, address, row or table to the clipboard",
        "open_yank",
        "y",
        _LOOK,
    ),
    _app("overview", "Overview", "Show all panes together", "show_overview", "1", _PANES),
    _app("hosts", "Hosts", "Go to the hosts", "show_hosts", "2", _PANES),
    _app("vms", "Virtual machines", "Go to the virtual machines", "show_vms", "3", _PANES),
    _app("networks", "Networks", "Go to the virtual switches", "show_networks", "4", _PANES),
    _app(
        "topology",
        "Topology",
        "Show the networks as a tree: from the wire, from every adapter, or as a list again",
        "show_topology",
        "T",
        _PANES,
    ),
    _app("graphs", "Graphs", "Go to the graphs of what is selected", "show_graphs", "5", _PANES),
    _app(
        "sheet",
        "Sheet",
        "Open the machine in full: hardware, disks, network, checkpoints, services, raw",
        "open_sheet",
        "enter",
        _PANES,
    ),
    _app(
        "detail",
        "Detail",
        "Show everything about what is selected",
        "show_detail",
        "d,6",
        _PANES,
    ),
    _app("jobs", "Jobs", "Go to the jobs of all hosts", "show_jobs", "7", _PANES),
    _app("log", "Log of calls", "Go to the log of calls to hosts", "show_log", "@,8", _PANES),
    _app(
        "services",
        "Integration services",
        "Show the integration services of all virtual machines in one table",
        "show_services",
        "9",
        _PANES,
    ),
    _app(
        "audit",
        "Network audit",
        "Look for doubled addresses, overlapping pools, VLAN gaps and misspelt switches",
        "show_audit",
        "0",
        _PANES,
    ),
    _app(
        "zoom",
        "Zoom",
        "Give the pane the whole screen, or put it back",
        "toggle_zoom",
        "+",
        _PANES,
    ),
    _app("next-pane", "Next pane", "Go to the next pane", "focus_next_pane", "tab", _PANES),
    _app(
        "previous-pane",
        "Previous pane",
        "Go to the previous pane",
        "focus_previous_pane",
        "shift+tab",
        _PANES,
    ),
)

"""The network as a tree, from the wire and from an adapter; the tables of the whole fleet."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.deck_kit import Deck, deck, story
from tests.scripted import OFF, RUNNING, START, Estate, Simulated, datacenter
from tui.collector.messages import Batch
from tui.hyperv.model import Switch, SwitchKind, Uplink, Vlan, VlanMode
from tui.rows import topology
from tui.rows.filter import parse
from tui.rows.topology import Node, Sort, ailing, state_of, way, ways, wires
from tui.store import Store
from tui.ui.form import Form
from tui.ui.sheet import SheetScreen


def card(name: str, *, up: bool = True) -> Uplink:
    return Uplink(name.lower(), name, "00155D0000AA", 10_000_000_000, True, up)


def wired(made: Estate, host: str, *cards: Uplink, **switch: Any) -> Simulated:
    """The host's physical adapters, all of them under its one switch unless told otherwise."""
    place = made.hosts[host]
    place.info = replace(place.info, uplinks=cards)
    (key,) = place.switches
    switch = {"uplinks": tuple(one.name for one in cards)} | switch
    place.switches[key] = replace(place.switches[key], **switch)
    return place


def add(made: Estate, host: str, name: str, state: int = RUNNING, **nic: Any) -> None:
    vm = made.add_vm(host, name, state)
    made.hosts[host].vms[vm.id] = replace(vm, nics=(replace(vm.nics[0], **nic),))


def one_host() -> Estate:
    made = Estate()
    made.add_host("HV01")
    return made


def known(made: Estate) -> Store:
    store = Store()
    store.configure(made.links)
    store.apply(made.everything(), START)
    return store


def drawn(nodes: list[Node]) -> list[str]:
    """The tree as people see it."""
    lines = []
    for node in nodes:
        state = state_of(node)
        words = [node.name, str(state) if state else ""]
        lines.append("  " * node.depth + " | ".join(filter(None, words)))
    return lines


def test_from_the_wire() -> None:
    made = one_host()
    wired(made, "HV01", card("Ethernet 1"))
    add(made, "HV01", "web", vlan=Vlan(VlanMode.ACCESS, 20))
    add(made, "HV01", "db", OFF, vlan=Vlan(VlanMode.ACCESS, 20))
    add(made, "HV01", "fw", vlan=Vlan(VlanMode.TRUNK, 1, trunk=(20, 21)))
    add(made, "HV01", "raw", vlan=Vlan())
    assert drawn(wires(known(made))) == [
        "HV01 | ● Up",
        "  Ethernet 1 | ● Up",
        "    vSwitch Prod | ● Up",
        "      Untagged",
        "        raw | ● Running",
        "      Trunk 20-21 (1)",
        "        fw | ● Running",
        "      VLAN 20",
        "        db | ○ Off",
        "        web | ● Running",
    ]


def test_a_team_shows_its_members_and_how_many_are_up() -> None:
    made = one_host()
    wired(made, "HV01", card("A"), card("B", up=False))
    add(made, "HV01", "web")
    assert drawn(wires(known(made)))[1:5] == [
        "  Team of 2 | ▲ 1 of 2 up",
        "    A | ● Up",
        "    B | ▲ No link",
        "    vSwitch Prod | ▲ 1 of 2 up",
    ]


def test_a_dead_wire_is_seen_at_every_node_on_it() -> None:
    made = one_host()
    wired(made, "HV01", card("A", up=False))
    add(made, "HV01", "web")
    add(made, "HV01", "cold", OFF)
    nodes = wires(known(made))
    assert drawn(nodes)[1:] == [
        "  A | ▲ No link",
        "    vSwitch Prod | ▲ No wire",
        "      VLAN 20",
        "        cold | ○ Off",
        "        web | ▲ No wire",
    ]
    assert [node.name for node in nodes if ailing(node)] == ["A", "vSwitch Prod", "web"]


def test_what_has_no_wire_or_no_switch_has_its_place_too() -> None:
    made = one_host()
    place = wired(made, "HV01", card("A"), card("B"), card("C", up=False), uplinks=("A",))
    key = "HV01:5"
    place.switches[key] = Switch(key, "HV01", "5", "Lab", SwitchKind.PRIVATE)
    add(made, "HV01", "in-lab", switch_id="5", switch_name="Lab")
    add(made, "HV01", "cut", connected=False, switch_id="")
    add(made, "HV01", "astray", switch_id="no such switch")
    add(made, "HV01", "cut-off", OFF, connected=False, switch_id="")
    assert drawn(wires(known(made)))[1:] == [
        "  A | ● Up",
        "    vSwitch Prod | ● Up",
        "  B | ○ Unused",
        "  C | ○ No link",
        "  Lab | ● Private",
        "    VLAN 20",
        "      in-lab | ● Running",
        "  Connected to nothing | ▲ Cut off",
        "    astray | ● Running",
        "    cut | ▲ Cut off",
        "    cut-off | ○ Cut off",
    ]


def test_from_an_adapter_back_to_the_wire() -> None:
    made = one_host()
    wired(made, "HV01", card("A"), card("B"))
    add(made, "HV01", "web")
    add(made, "HV01", "cut", connected=False, switch_id="")
    nodes = ways(known(made))
    assert drawn(nodes) == [
        "cut | ▲ Cut off",
        "web | ● Running",
        "  VLAN 20",
        "    vSwitch Prod | ● Up",
        "      Team of 2 | ● Up",
        "        A | ● Up",
        "        B | ● Up",
    ]
    assert [way(node) for node in nodes[:2]] == ["", "VLAN 20 → vSwitch Prod → A + B"]


@pytest.mark.parametrize("build", [wires, ways])
def test_every_key_is_its_own_and_every_parent_is_there(build: Any) -> None:
    made = datacenter()
    for host in made.hosts:
        wired(made, host, card("Same name"), card("Other"), uplinks=("Same name", "Same name"))
    made.hosts["HV01"].info = replace(made.hosts["HV01"].info, uplinks=())
    nodes = build(known(made))
    keys = [node.key for node in nodes]
    assert len(set(keys)) == len(keys)
    assert {node.parent for node in nodes} - {""} <= set(keys)
    store = known(made)
    assert all(store.row(node.goes) is not None for node in nodes)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("vlan:20 kind:adapter", ["web"]),
        ("ip:10.1.2.*", ["web"]),
        ("mac:00155D000001", ["web"]),
        ("kind:switch", ["vSwitch Prod"]),
        ("is:problem", ["cut", "Connected to nothing"]),
        ("uplink:A kind:adapter", ["web"]),
    ],
)
def test_nodes_are_found_by_what_they_are(wanted: str, names: list[str]) -> None:
    made = one_host()
    wired(made, "HV01", card("A"))
    add(made, "HV01", "web")
    add(made, "HV01", "cut", connected=False, vlan=Vlan(), addresses=())
    found = parse(wanted, "line").select(wires(known(made)))
    assert {node.name for node in found} == set(names)


def test_columns_of_every_node_can_be_drawn_in_ascii_too() -> None:
    from tui.rows import text

    nodes = [*wires(known(datacenter())), *ways(known(datacenter()))]
    text.use_ascii(True)
    try:
        cells = [column.cell(node).text for node in nodes for column in topology.NODE_COLUMNS]
    finally:
        text.use_ascii(False)
    assert all(cell.isascii() for cell in cells)


# -- in the deck ---------------------------------------------------------------------------


def lines(d: Deck) -> list[str]:
    networks = d.app.panes.networks
    return [networks.rows[key].name for key in networks.grid.keys]


@story
async def test_the_key_turns_from_list_to_wire_to_adapter_and_back() -> None:
    async with deck(size=(80, 24)) as d:
        await d.press("T")
        screen = d.text()
        for words in ("from the wire", "CL1-N1", "Ethernet 1", "vSwitch Prod", "VLAN 20", "web01"):
            assert words in screen
        assert "10.1.2." in screen
        await d.press("T")
        assert "from the adapter" in d.text()
        assert len(lines(d)) == 20, "every adapter, folded"
        await d.press("T")
        assert "Networks" in d.text()
        assert lines(d) == ["vSwitch Prod"] * 4


@story
async def test_enter_folds_what_hangs_between_and_goes_to_machines_and_switches() -> None:
    async with deck() as d:
        await d.press("T")
        networks = d.app.panes.networks
        whole = len(lines(d))
        await d.press("enter")
        assert len(lines(d)) < whole
        await d.press("right")
        assert len(lines(d)) == whole
        vm = d.key("sql01")
        node = next(n for n in networks.rows.values() if n.sort is Sort.ADAPTER and n.goes == vm)
        networks.grid.move_to(node.key)
        await d.press("left")
        assert networks.selected.sort is Sort.VLAN, "from a leaf to what it hangs on"
        networks.grid.move_to(node.key)
        await d.press("enter")
        assert d.app.panes.current == "vms"
        assert d.app.panes.vms.cursor == vm
        await d.press("4")
        switch = next(n for n in networks.rows.values() if n.sort is Sort.SWITCH)
        networks.grid.move_to(switch.key)
        await d.press("enter")
        assert not networks.is_tree
        assert networks.cursor == switch.key


@story
async def test_keys_act_on_the_machine_of_the_adapter() -> None:
    async with deck() as d:
        await d.press("T", "T")
        networks = d.app.panes.networks
        off = next(n for n in networks.rows.values() if n.row.name == "web02")
        networks.grid.move_to(off.key)
        await d.press("s")
        assert [(call.action, call.target) for call in d.collector.calls] == [
            ("vm.start", d.key("web02"))
        ]


@story
async def test_escape_leads_from_the_tree_to_the_list_and_the_panes_come_back() -> None:
    async with deck() as d:
        assert "vms" in d.app.panes.showing()
        await d.press("T")
        assert d.app.panes.showing() == {"networks"}, "a tree needs the whole screen"
        await d.press("escape")
        assert not d.app.panes.networks.is_tree
        assert {"vms", "networks"} <= d.app.panes.showing()


@story
async def test_a_filter_keeps_what_matches_and_what_it_hangs_on() -> None:
    async with deck() as d:
        await d.press("T", "slash")
        await d.type("erp-db")
        shown = lines(d)
        assert shown[-1] == "erp-db"
        assert [node in shown for node in ("vSwitch Prod", "VLAN 20", "Ethernet 1")] == [True] * 3
        assert "sql01" not in shown
        await d.press("escape", "escape")
        assert "sql01" in lines(d)


@story
async def test_a_link_that_goes_down_is_seen_at_once() -> None:
    async with deck() as d:
        await d.press("T")
        assert "No link" not in d.text()
        place = d.estate.hosts["HV01"]
        place.info = replace(place.info, uplinks=(card("Ethernet 1", up=False),))
        d.collector.play(Batch((d.estate.update("HV01", info=place.info),)))
        await d.settle()
        assert "▲ No link" in d.text()
        assert "▲ No wire" in d.text()


@story
async def test_the_cursor_stays_with_its_node_when_machines_come_and_go() -> None:
    async with deck() as d:
        await d.press("T")
        networks = d.app.panes.networks
        node = next(n for n in networks.rows.values() if n.name == "web01")
        networks.grid.move_to(node.key)
        d.collector.play(Batch((d.estate.remove("dc01"),)))
        await d.settle()
        assert networks.grid.cursor_key == node.key
        assert "dc01" not in lines(d)


@story
async def test_jumping_to_a_switch_finds_it_in_a_folded_tree() -> None:
    async with deck() as d:
        await d.press("T")
        networks = d.app.panes.networks
        key = next(n.key for n in networks.rows.values() if n.sort is Sort.SWITCH)
        await d.press("enter")
        assert key not in networks.grid.keys
        d.app.commands.go_to(key)
        await d.settle()
        assert networks.cursor == key
        assert key in networks.grid.keys


# -- the fleet tables ----------------------------------------------------------------------


@story
async def test_services_of_all_machines_in_one_table_at_80_columns() -> None:
    async with deck(size=(80, 24)) as d:
        await d.press("9")
        screen = d.text()
        for words in ("Integration services", "Heartbeat", "Exchange", "Shutdown", "Time",
                      "Backup", "Files", "● on", "◐ idle"):  # fmt: skip
            assert words in screen


@story
async def test_a_service_is_withdrawn_from_all_marked_machines() -> None:
    async with deck() as d:
        await d.press("9", "slash")
        await d.type("web")
        await d.press("escape", "A", "x")
        await d.type("disable service")
        await d.press("enter")
        form = d.app.screen
        assert isinstance(form, Form)
        await d.press("enter", "down", "enter")
        form.action_send_form()
        await d.settle()
        await d.say_yes()
        targets = {call.target for call in d.collector.calls}
        assert targets == {d.key(name) for name in ("web01", "web02", "web03")}
        asked = {(call.action, str(call.arguments["service"])) for call in d.collector.calls}
        assert asked == {("integration.disable", "heartbeat")}


@story
async def test_enter_on_a_machine_opens_its_sheet_at_the_services() -> None:
    async with deck() as d:
        await d.press("9", "enter")
        assert isinstance(d.app.screen, SheetScreen)
        assert "[6 Services]" in d.text()


@story
async def test_the_audit_finds_leads_and_turns() -> None:
    estate = datacenter()
    add(estate, "HV01", "copy-a", mac="00155DABCDEF")
    add(estate, "HV02", "copy-b", mac="00155DABCDEF")
    async with deck(estate) as d:
        await d.press("0")
        assert "00-15-5D-AB-CD-EF is the address of copy-a on HV01 and copy-b on HV02" in d.text()
        await d.press("d")
        assert "Give all but one of them another address" in d.text()
        await d.press("escape", "right")
        assert "MAC addresses" in d.text()
        await d.press("left", "enter")
        assert d.app.panes.current == "vms"
        assert d.app.panes.vms.cursor == d.key("copy-a")
        await d.press("0")
        d.collector.play(Batch((d.estate.remove("copy-b"),)))
        await d.settle()
        assert "AB-CD-EF" not in d.text(), "mended, and gone from the list"


@story
async def test_every_table_of_the_fleet_shows_at_both_sizes() -> None:
    for size in ((80, 24), (120, 40)):
        async with deck(size=size) as d:
            await d.press("0")
            seen = []
            for _ in range(7):
                seen.append(d.app.panes.fleet.view)
                assert d.app.panes.fleet.subject.title in d.text()
                await d.press("right")
            assert len(set(seen)) == 7
            await d.press("escape")
            assert d.app.panes.current == "vms"


@story
async def test_loads_alone_do_not_build_the_picture_anew_and_states_are_live() -> None:
    async with deck() as d:
        await d.press("T")
        networks = d.app.panes.networks
        before = dict(networks.rows)
        d.collector.play(Batch((d.estate.vary("web01", cpu=77),)))
        await d.settle()
        assert all(networks.rows[key] is node for key, node in before.items())
        d.collector.play(Batch((d.estate.lose("CL1-N1"),)))
        await d.settle()
        assert "▲ Unreachable" in d.text()
        d.collector.play(Batch((d.estate.vary("web03", state=OFF, cpu=None),)))
        await d.settle()
        node = next(n for n in networks.rows.values() if n.name == "web03")
        assert str(state_of(node)) == "○ Off"

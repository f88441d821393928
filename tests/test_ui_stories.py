"""Stories of an administrator at the deck, told with a scripted collector."""

from __future__ import annotations

import random

from textual.events import Paste

from tests.deck_kit import deck, story
from tests.scripted import OFF, RUNNING, datacenter
from tui.actions import ACTIONS, Risk, by_id
from tui.collector.messages import Batch, Phase
from tui.collector.pipe import CollectorDied
from tui.hyperv.model import Trouble
from tui.ui.dialogs import Confirm
from tui.ui.finder import Finder
from tui.ui.form import Form
from tui.ui.runview import RunView


@story
async def test_filter_while_typing_then_keep_then_clear() -> None:
    async with deck() as d:
        await d.press("slash")
        await d.type("web")
        assert d.names == ["web01", "web02", "web03"]
        assert "3 of 20" in d.text()
        await d.press("escape")
        assert d.names == ["web01", "web02", "web03"], "Esc once keeps the filter"
        await d.press("escape")
        assert len(d.names) == 20, "Esc again clears it"


@story
async def test_every_key_is_text_while_the_filter_is_open() -> None:
    async with deck() as d:
        await d.press("slash")
        await d.type("qsSxU")
        assert d.field.value == "qsSxU"
        assert len(d.app.screen_stack) == 1
        assert not d.collector.calls


@story
async def test_a_bad_filter_says_so_and_the_last_good_one_stays() -> None:
    async with deck() as d:
        await d.press("slash")
        await d.type("state:off")
        good = d.names
        assert good
        d.field.value = "state:off stat:x"
        await d.settle()
        assert "No field named stat" in d.text()
        assert d.names == good
        await d.press("escape")
        assert "No field named" not in d.text()


@story
async def test_tab_completes_fields() -> None:
    async with deck() as d:
        await d.press("slash")
        await d.type("stat")
        await d.press("tab")
        assert d.field.value == "state:"


@story
async def test_mark_three_on_two_hosts_and_shut_them_down() -> None:
    async with deck() as d:
        for name in ("sql01", "mail01", "web01"):
            await d.go(name)
            await d.press("space")
        assert "3 marked" in d.text()
        await d.press("S")
        assert isinstance(d.app.screen, Confirm)
        shown = d.text()
        assert "Shut down 3 virtual machines on 2 hosts?" in shown
        assert "sql01" in shown
        assert "Msvm_ShutdownComponent" in shown
        await d.press("y")
        assert not d.collector.calls, "too fast to be meant"
        await d.say_yes()
        assert {call.action for call in d.collector.calls} == {"vm.shutdown"}
        assert len(d.collector.calls) == 3
        assert isinstance(d.app.screen, RunView)
        assert "3 done" in d.text()
        await d.press("escape")
        states = {d.app.store.vms[d.key(n)].vitals.state for n in ("sql01", "mail01", "web01")}
        assert states == {OFF}
        assert len(d.app.store.marks) == 3, "marks outlive the batch"
        assert "3 done" in d.notices


@story
async def test_marks_hidden_by_the_filter_are_named_first() -> None:
    async with deck() as d:
        await d.go("web01")
        await d.press("space")
        await d.press("slash")
        await d.type("sql")
        await d.press("escape")
        await d.press("space")
        assert "2 marked (1 hidden by filter)" in d.text()
        await d.press("S")
        screen = d.app.screen
        assert isinstance(screen, Confirm)
        assert screen._question.lines()[0].endswith("(hidden by filter)")


@story
async def test_requested_accepted_observed_shows_on_the_row() -> None:
    async with deck() as d:
        d.collector.instant = False
        await d.go("web02")
        await d.press("s")
        row = d.app.store.vms[d.key("web02")]
        assert row.pending == "Start…"
        assert "Start…" in d.text()
        call = d.collector.calls[0]
        d.collector.report(call, Phase.ACCEPTED, percent=30)
        await d.settle()
        assert "Start 30%" in d.text()
        d.collector.play(Batch((d.estate.vary("web02", state=RUNNING, cpu=3),)))
        d.collector.report(call, Phase.OBSERVED)
        await d.settle()
        assert row.pending == ""
        assert "Start web02 on CL1-N2: done" in d.notices


@story
async def test_what_was_seen_goes_with_the_call() -> None:
    async with deck() as d:
        await d.go("web02")
        await d.press("s")
        assert d.collector.calls[0].seen_state == OFF
        assert d.collector.calls[0].target == d.key("web02")


@story
async def test_a_failure_names_host_cause_and_hint_until_dismissed() -> None:
    async with deck() as d:
        d.collector.fail[d.key("web02")] = Trouble(
            "MethodFailed", "web02 did not start", "not enough memory", "free 2 GB", 32778
        )
        await d.go("web02")
        await d.press("s")
        notice = d.notices
        for word in ("web02 on CL1-N2", "failed", "not enough memory", "free 2 GB"):
            assert word in notice
        await d.press("at", "enter")
        assert "0x0000800A" in d.text()
        await d.press("escape", "escape", "escape")
        assert d.notices == ""


@story
async def test_turn_off_wants_the_name_typed() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("colon")
        await d.type("turn off")
        await d.press("enter")
        assert isinstance(d.app.screen, Confirm)
        await d.press("y", "enter")
        assert not d.collector.calls
        assert "That is not it" in d.text()
        d.field.value = ""
        d.field.post_message(Paste("sql01"))
        await d.settle()
        assert d.field.value == "", "what is pasted does not count"
        await d.type("sql01")
        await d.press("enter")
        await d.press("enter")
        assert not d.collector.calls, "Enter is never yes"
        await d.say_yes()
        assert [(c.action, c.target) for c in d.collector.calls] == [
            ("vm.turn-off", d.key("sql01"))
        ]


@story
async def test_turning_off_a_set_wants_their_number() -> None:
    async with deck() as d:
        for name in ("sql01", "sql02"):
            await d.go(name)
            await d.press("space")
        await d.press("colon")
        await d.type("turn off")
        assert "Turn off 2 marked virtual machines" in d.text()
        await d.press("enter")
        await d.type("2")
        await d.press("enter")
        await d.say_yes()
        assert len(d.collector.calls) == 2


@story
async def test_no_is_the_default() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("S")
        await d.press("escape")
        assert not d.collector.calls
        await d.press("S")
        await d.press("n")
        assert not d.collector.calls
        assert len(d.app.screen_stack) == 1


@story
async def test_a_key_that_cannot_be_used_now_says_why() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("s")
        assert "sql01 is already running" in d.notices
        await d.press("2", "j", "S")
        assert "Shut down is for virtual machines" in d.notices
        assert not d.collector.calls


@story
async def test_read_only_withholds_and_shows_it_in_words() -> None:
    async with deck(read_only=True) as d:
        assert "read-only" in d.text()
        await d.go("web02")
        await d.press("s")
        assert "read-only" in d.notices
        assert not d.collector.calls
        await d.press("W", "s")
        assert len(d.collector.calls) == 1


@story
async def test_rename_shows_the_error_beside_the_field_and_sends_the_value() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("colon")
        await d.type("rename")
        await d.press("enter")
        assert isinstance(d.app.screen, Form)
        assert d.field.value == "sql01"
        await d.press("enter")
        assert "That is its name already" in d.text()
        assert not d.collector.calls
        d.field.value = "sql09"
        await d.press("enter")
        assert d.collector.calls[0].arguments == {"name": "sql09"}


@story
async def test_nothing_is_lost_over_two_hundred_refreshes() -> None:
    async with deck() as d:
        rng = random.Random(7)
        for name in ("sql01", "web01", "mail01"):
            await d.go(name)
            await d.press("space")
        await d.press("slash")
        await d.type("is:running")
        await d.press("escape")
        await d.go("erp-db")
        hosts = list(d.estate.hosts)
        kept = {d.key(name) for name in ("sql01", "web01", "mail01")}
        for round_ in range(200):
            d.collector.play(d.estate.tick())
            if round_ % 5 == 0:
                d.estate.add_vm(rng.choice(hosts), f"new{round_:03}")
                d.collector.play(d.estate.everything())
            if round_ % 7 == 0:
                name = rng.choice(("sql01", "web01", "erp-db", "k8s-a"))
                away = [host for host in hosts if host != d.estate.find(name)[0].info.id]
                gone, came = d.estate.move(name, rng.choice(away))
                d.collector.play(Batch((gone,)), Batch((came,)))
            if round_ % 25 == 24:
                d.collector.play(Batch((d.estate.remove(f"new{round_ - round_ % 5:03}"),)))
        await d.settle()
        assert d.app.panes.vms.cursor == d.key("erp-db")
        assert d.app.store.marks == kept
        assert d.app.panes.vms.filter.text == "is:running"
        assert "3 marked" in d.text()
        assert {row.key for row in d.app.store.vms.values()} == {
            key for host in d.estate.hosts.values() for key in host.vms
        }


@story
async def test_a_dead_collector_is_restarted_and_repeats_nothing() -> None:
    async with deck() as d:
        d.collector.instant = False
        await d.press("A")
        await d.press("s")
        sent = len(d.collector.calls)
        assert sent
        for host in d.estate.hosts.values():
            host.seq = 0
        d.collector.play(CollectorDied(list(d.estate.hosts), cause="killed"))
        await d.settle()
        assert d.collector.restarts == 1
        assert len(d.collector.calls) == sent
        assert "started again; no action is repeated" in d.notices
        phases = {call.phase for call in d.app.store.calls.values()}
        assert phases == {Phase.UNKNOWN}
        assert d.app.operator.dispatcher.busy == 0


@story
async def test_a_lost_host_is_said_and_its_rows_are_marked() -> None:
    async with deck() as d:
        d.collector.play(Batch((d.estate.lose("HV02"),)))
        await d.settle()
        shown = d.text()
        assert "3 up" in shown
        assert "1 down" in shown
        assert "HV02 is lost" in d.notices
        assert "winrm quickconfig" in d.notices
        await d.go("sql02")
        assert "host lost" in d.text()
        await d.press("S")
        assert "HV02 is lost" in d.notices
        assert len(d.app.screen_stack) == 1


@story
async def test_the_palette_goes_to_things_and_runs_actions() -> None:
    async with deck() as d:
        await d.press("colon")
        assert isinstance(d.app.screen, Finder)
        await d.type("hv02")
        await d.press("enter")
        assert d.app.panes.current == "hosts"
        assert d.app.panes.hosts.cursor == "HV02"
        await d.press("ctrl+p")
        await d.type("q")
        assert d.field.value == "q", "in a palette q is text"
        await d.press("escape")
        await d.press("f")
        await d.type("10.1.2.9")
        await d.press("enter")
        assert d.app.panes.vms.cursor == d.key("mail01")


@story
async def test_jumping_to_a_row_the_filter_hides_shows_it() -> None:
    async with deck() as d:
        await d.press("slash")
        await d.type("sql")
        await d.press("escape", "f")
        await d.type("wiki")
        await d.press("enter")
        assert d.app.panes.vms.cursor == d.key("wiki")


@story
async def test_help_lists_everything_and_runs_it() -> None:
    async with deck() as d:
        await d.press("question_mark")
        await d.type("zoom")
        await d.press("enter")
        assert d.app.panes.zoomed


@story
async def test_sort_chord_follows_the_cursor() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("comma", "c")
        vms = d.app.panes.vms
        assert vms.sort == "cpu"
        assert vms.descending
        loads = [d.app.store.vms[key].vitals.cpu for key in vms.grid.keys]
        known = [load for load in loads if load is not None]
        assert known == sorted(known, reverse=True)
        assert vms.cursor == d.key("sql01")
        await d.press("comma", "comma")
        assert not vms.descending


@story
async def test_range_all_invert_and_only_marked() -> None:
    async with deck() as d:
        await d.press("g", "v", "j", "j", "v")
        assert len(d.app.store.marks) == 3
        await d.press("I")
        assert len(d.app.store.marks) == 17
        await d.press("M")
        assert len(d.names) == 17
        await d.press("U")
        assert not d.app.store.marks
        assert len(d.names) == 20
        await d.press("A")
        assert len(d.app.store.marks) == 20


@story
async def test_freeze_holds_the_picture_and_thaw_catches_up() -> None:
    async with deck() as d:
        await d.press("z")
        before = d.names
        d.estate.add_vm("HV01", "aaa-new")
        d.collector.play(d.estate.everything())
        await d.settle()
        assert d.names == before
        assert "FROZEN" in d.text()
        d.collector.play(Batch((d.estate.vary("web03", state=32789, health=25),)))
        await d.settle()
        d.app.tick()
        await d.settle()
        assert "1 needs attention" in d.text(), "the header goes on with the clock"
        await d.press("z")
        assert d.names[0] == "aaa-new"


@story
async def test_problems_only() -> None:
    async with deck() as d:
        d.collector.play(Batch((d.estate.vary("web03", state=32789, health=25),)))
        await d.settle()
        assert "1 needs attention" in d.text()
        await d.press("exclamation_mark")
        assert d.names == ["web03"]
        d.collector.play(Batch((d.estate.vary("web02", state=32789, health=25),)))
        await d.settle()
        d.app.tick()
        await d.settle()
        assert "2 need attention" in d.text()
        await d.press("escape")
        assert len(d.names) == 20


@story
async def test_copying_takes_the_name_to_the_clipboard() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("y", "n")
        assert d.app.clipboard == "sql01"
        await d.press("y", "t")
        assert "mail01" in d.app.clipboard
        assert "OSC 52" in d.notices


@story
async def test_hostile_names_are_letters() -> None:
    estate = datacenter()
    estate.add_vm("HV01", "[bold red]x[/]")
    async with deck(estate) as d:
        await d.go("[bold red]x[/]")
        assert "[bold red]x[/]" in d.text()
        await d.press("S")
        assert "Shut down [bold red]x[/]?" in d.text()
        await d.press("escape", "d")
        assert "Detail — [bold red]x[/] on HV01" in d.text()


def test_every_deck_action_has_its_method() -> None:
    from tui.ui.commands import Commands

    missing = [a.run for a in ACTIONS if isinstance(a.run, str) and not hasattr(Commands, a.run)]
    assert not missing


def test_red_actions_have_no_key() -> None:
    assert not [action.id for action in ACTIONS if action.risk is Risk.RED and action.key]
    assert by_id("vm.turn-off") is not None

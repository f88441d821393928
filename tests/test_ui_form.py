"""The one form: current values, choices, conditions, errors beside the field, preview."""

from __future__ import annotations

import msgspec
from msgspec import structs
from textual.widgets import Input, Select

from tests.deck_kit import Deck, deck, story
from tui.actions import Action, Field, Kind, Target
from tui.actions.declare import Choice
from tui.collector.messages import Batch, CallUpdate, Inspect, Phase
from tui.hyperv.sheet import Adapter, Controller, Drive, Event, Image, Memory, Processor, Sheet
from tui.ui.form import Entry, Form, Toggle
from tui.ui.sheet import SheetScreen

GB = 1 << 30


def sheet_of(d: Deck, name: str) -> Sheet:
    vm = d.estate.find(name)[1]
    return Sheet(
        id=vm.id,
        host=vm.host,
        read_at=0.0,
        processor=Processor("p", 4),
        memory=Memory("m", startup=4 * GB, minimum=1 * GB, maximum=8 * GB, dynamic=True),
        controllers=(Controller("c", "SCSI", 0, 64, (0,)),),
        drives=(
            Drive("d", "i", "SCSI", 0, 0, r"D:\VMs\sql01.avhdx", chain=(
                Image(r"D:\VMs\sql01.avhdx", 4, 3, 60 * GB, 2 * GB),
                Image(r"D:\VMs\sql01.vhdx", 3, 3, 60 * GB, 40 * GB),
            )),
        ),
        adapters=(Adapter("n", "Network Adapter", False, "00155D000001", False, connected=True),),
    )  # fmt: skip


async def open_form(d: Deck, name: str, action: str) -> Form:
    """The form of an action on a machine whose sheet is asked for and comes."""
    await d.go(name)
    d.app.operator.act(action)
    await d.settle()
    vm = d.estate.find(name)[1]
    assert d.collector.commands[-1] == Inspect(vm.host, vm.id)
    d.collector.play(Batch(sheets=(sheet_of(d, name),)))
    await d.settle()
    form = d.app.screen
    assert isinstance(form, Form)
    return form


def entry(form: Form, field: str) -> Entry:
    return next(one for one in form.query(Entry) if one.field.id == field)


async def put(d: Deck, form: Form, field: str, words: str) -> None:
    control = entry(form, field).control
    assert isinstance(control, Input)
    control.value = words
    await d.settle()


@story
async def test_a_form_starts_from_the_machine_as_it_is_and_sends_what_was_changed() -> None:
    async with deck() as d:
        form = await open_form(d, "sql01", "vm.set-memory")
        assert "4 GB" in d.text()
        await put(d, form, "maximum", "16G")
        assert "8 GB → 16 GB" in d.text()
        form.action_send_form()
        await d.settle()
        (call,) = d.collector.calls
        assert (call.action, call.arguments) == ("vm.set-memory", {"maximum": 16 * GB})


@story
async def test_a_sheet_from_before_the_last_call_waits_for_the_next() -> None:
    async with deck() as d:
        await open_form(d, "sql01", "vm.set-memory")
        await d.press("escape")
        vm = d.estate.find("sql01")[1]
        ended = CallUpdate("c", "disk.add", vm.host, vm.id, "sql01", Phase.OBSERVED, d.estate.now)
        d.collector.play(Batch(calls=(ended,)))
        await d.settle()
        d.app.operator.act("vm.set-memory")
        d.collector.play(Batch(sheets=(sheet_of(d, "sql01"),)))
        await d.settle()
        assert not isinstance(d.app.screen, Form)
        newer = msgspec.structs.replace(sheet_of(d, "sql01"), read_at=d.estate.now)
        d.collector.play(Batch(sheets=(newer,)))
        await d.settle()
        assert isinstance(d.app.screen, Form)


@story
async def test_what_is_wrong_stands_beside_the_field_and_nothing_is_sent() -> None:
    async with deck() as d:
        form = await open_form(d, "sql01", "vm.set-memory")
        await put(d, form, "maximum", "lots")
        assert "is not a size" in d.text()
        form.action_send_form()
        await d.settle()
        assert d.app.screen is form
        await put(d, form, "maximum", "1G")
        form.action_send_form()
        await d.settle()
        assert d.app.screen is form
        assert not d.collector.calls


@story
async def test_a_toggle_says_on_and_off_in_words() -> None:
    async with deck() as d:
        form = await open_form(d, "web02", "vm.set-memory")
        toggle = entry(form, "dynamic").control
        assert isinstance(toggle, Toggle)
        assert "● on" in d.text()
        toggle.focus()
        await d.press("space")
        assert "○ off" in d.text()
        assert "on → off" in d.text()


@story
async def test_the_sheet_shows_chains_and_leads_to_actions_on_the_part() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("enter")
        assert isinstance(d.app.screen, SheetScreen)
        d.collector.play(Batch(sheets=(sheet_of(d, "sql01"),)))
        await d.press("3")
        assert "sql01.avhdx" in d.text()
        assert "Differencing" in d.text()
        assert "parent" in d.text()
        await d.press("enter")
        assert "Disks: sql01" in d.text()


@story
async def test_a_machine_that_vanishes_closes_its_sheet() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("enter")
        d.collector.play(Batch((d.estate.remove("sql01"),)))
        await d.settle()
        assert not isinstance(d.app.screen, SheetScreen)
        assert "gone" in d.notices


@story
async def test_what_goes_by_it_is_listed_and_raises_the_rung() -> None:
    async with deck() as d:
        await d.press("4")
        switch = d.app.panes.networks.grid.cursor_key
        assert switch is not None
        d.app.operator.act("switch.delete")
        await d.settle()
        entry_form = d.app.screen
        if isinstance(entry_form, Form):
            for one in entry_form.query(Entry):
                if isinstance(one.control, Toggle) and one.display:
                    one.control.focus()
                    await d.press("space")
            entry_form.action_send_form()
            await d.settle()
        connected = [row for row in d.app.store.vms.values() for nic in row.vm.nics
                     if nic.switch_id and nic.switch_id in switch]  # fmt: skip
        assert connected
        assert connected[0].name in d.text()
        assert "Type its name" in d.text()
        assert not d.collector.calls


@story
async def test_jobs_and_events_stand_together_and_an_event_opens_in_full() -> None:
    async with deck() as d:
        await d.go("sql01")
        await d.press("enter")
        words = "'sql01' failed to start. " + "Not enough memory in the system. " * 5 + "The end."
        told = (Event(2, d.app.clock(), 1, "Microsoft-Windows-Hyper-V-VMMS", 15130, words),
                Event(1, d.app.clock() - 60, 3, "EventLog", 6005, "[bold]begun"))  # fmt: skip
        d.collector.play(Batch(sheets=(structs.replace(sheet_of(d, "sql01"), events=told),)))
        await d.press("7")
        assert "✗ Error" in d.text()
        assert "15130" in d.text()
        assert d.text().index("15130") < d.text().index("[bold]begun")
        assert "channels such as Hyper-V-VMMS-Admin are not in it" in d.text()
        await d.press("enter")
        assert "record 2 of the System log" in d.text()
        await d.press("escape")
        refused = structs.replace(sheet_of(d, "sql01"), events_refused="access is denied")
        d.collector.play(Batch(sheets=(refused,)))
        await d.settle()
        assert "tells of no events: access is denied" in d.text()


@story
async def test_the_checkpoint_page_says_how_merging_stands() -> None:
    async with deck() as d:
        _, vm = d.estate.find("sql01")
        held = structs.replace(vm, merging=False, checkpoints=())
        d.collector.play(Batch((d.estate.update(vm.host, vms=(held,)),)))
        await d.go("sql01")
        await d.press("enter")
        d.collector.play(Batch(sheets=(sheet_of(d, "sql01"),)))
        await d.press("5")
        assert "Merging is disabled: 1 image waits" in d.text()
        d.collector.play(Batch((d.estate.vary("sql01", activity=32772),)))
        await d.settle()
        assert "Merging is running" in d.text()


@story
async def test_a_machine_that_moved_while_its_form_was_open_is_left_alone() -> None:
    async with deck() as d:
        form = await open_form(d, "sql01", "vm.set-memory")
        await put(d, form, "maximum", "16G")
        d.collector.play(Batch(d.estate.move("sql01", "HV02")))
        await d.settle()
        form.action_send_form()
        await d.settle()
        assert "Memory sql01 on HV01: not sent, it has moved to HV02" in d.notices
        assert not d.collector.calls


@story
async def test_an_answer_stays_while_what_is_noted_beside_it_changes() -> None:
    noted = iter(range(1000))

    def choices(target: Target) -> list[Choice]:
        return [Choice(name, name, f"{next(noted)} GB free") for name in ("one", "two")]

    field = Field("where", "Where", "Where to", current=lambda target: "one", choices=choices)
    row = Action("vm.start", "Start", "Start it", Kind.VM, "nothing", form=(field,))
    async with deck() as d:
        target = d.app.store.target(d.key(d.names[0]))
        assert target is not None
        form = Form(row, [target])
        d.app.push_screen(form)
        await d.settle()
        control = entry(form, "where").control
        assert isinstance(control, Select)
        control.value = 1
        await d.settle()
        for _ in range(3):
            form._fill()
            await d.settle()
            assert (entry(form, "where").answer(), control.value) == ("two", 1)

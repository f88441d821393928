"""Columns, sorting and export: what panes and command line show of the same rows."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import msgspec
import pytest

from tui.cli.gather import store_of
from tui.collector.messages import CallUpdate, Exchange, HostLink, Phase
from tui.errors import UsageError
from tui.hyperv.model import (
    Checkpoint,
    Host,
    HostVitals,
    Inventory,
    Job,
    Link,
    Nic,
    NicKind,
    Switch,
    SwitchKind,
    Trouble,
    Vm,
    VmVitals,
)
from tui.rows import columns, text
from tui.rows.columns import HOST_COLUMNS, HOST_DEFAULT, VM_COLUMNS, VM_DEFAULT, find, order, select
from tui.rows.export import render
from tui.rows.filter import parse
from tui.store import HostRow, JobRow, SwitchRow, VmRow
from tui.ui.rowline import Place, arrange, fit, piece
from tui.ui.style import UNICODE

NOW = 1_790_000_000.0
GB = 1024**3
HOST = Host("hv01", "http://hv01:5985/wsman", name="HV01", memory=64 * GB)
VITALS = HostVitals("hv01", link=Link.UP, read_at=NOW, cpu=83.4, memory_free=16 * GB, latency=0.02)


def vm(name: str, state: int = 2, **changes: Any) -> VmRow:
    mine = {key: value for key, value in changes.items() if key in Vm.__struct_fields__}
    vital = {key: value for key, value in changes.items() if key not in mine}
    return VmRow(
        name, Vm(f"G-{name}", "hv01", name, **mine), VmVitals(f"G-{name}", "hv01", state, **vital),
        HOST, VITALS,
    )  # fmt: skip


def cell(column: str, row: VmRow) -> columns.Cell:
    return find(VM_COLUMNS, column).cell(row)


def test_column_ids_and_titles_are_unique_and_defaults_exist() -> None:
    for every, usual in columns.BY_KIND.values():
        assert len({column.id for column in every}) == len(every)
        assert len({column.title for column in every}) == len(every)
        assert [column.id for column in select(every, "", usual)] == list(usual)


def widths(columns: Any, usual: Any, cells: int) -> dict[str, int]:
    return {place.column.id: place.width for place in arrange(select(columns, "", usual), cells)}


@pytest.mark.parametrize("cells", [74, 78, 80])
def test_what_matters_of_a_vm_fits_beside_the_hosts_and_on_a_narrow_screen(cells: int) -> None:
    shown = widths(VM_COLUMNS, VM_DEFAULT, cells)
    assert list(shown) == ["name", "host", "state", "cpu", "memory", "demand", "uptime"]
    for host in ("HV-SLOW", "HV-SHAKY", "HV-REFUSES"):
        assert fit(host, shown["host"]) == host
    for number in (2, 3, 4, 10, 32773, 32779):
        state = str(text.vm_state(number))
        assert fit(state, shown["state"]) == state


def test_no_state_is_cut_where_there_is_room() -> None:
    room = widths(VM_COLUMNS, VM_DEFAULT, 120)["state"]
    cut = [str(s) for s in text.VM_STATES.values() if len(str(s)) > room]
    assert cut == ["▲ Resetting-crit"]


@pytest.mark.parametrize("cells", [74, 78, 98, 118])
def test_meters_of_hosts_are_wide_enough_to_compare(cells: int) -> None:
    shown = widths(HOST_COLUMNS, HOST_DEFAULT, cells)
    for column in ("cpu", "memory"):
        drawn = piece(columns.Cell("83%", "", 0.83), Place(find(HOST_COLUMNS, column), 0,
                                                           shown[column]), UNICODE)  # fmt: skip
        assert drawn.bar >= 8


def test_a_host_that_has_not_told_its_load_shows_that_it_is_not_known() -> None:
    row = HostRow("hv01", HOST, HostVitals("hv01", link=Link.UP, read_at=NOW))
    for column in ("cpu", "memory"):
        assert find(HOST_COLUMNS, column).cell(row) == columns.Cell(text.unknown(), "dim")
        assert find(HOST_COLUMNS, column).value(row) is None


def test_states_flash_and_free_text_is_cut_at_its_end() -> None:
    every = [c for kind, _ in columns.BY_KIND.values() for c in kind] + [*columns.CALL_COLUMNS]
    assert {c.title for c in every if c.flash} == {"State", "Result", "Node"}
    assert {c.title for c in every if c.prose} == {
        "Notes",
        "Note",
        "Problem",
        "Trouble",
        "Error",
        "Why",
        "Reason",
        "Next step",
    }


def test_no_tone_is_unknown_and_no_title_is_wider_than_its_column() -> None:
    row = vm("a", 32789, cpu=99, memory=GB, memory_available=1, heartbeat=13, replication=3)
    for column in VM_COLUMNS:
        assert column.cell(row).tone in text.TONES | {""}
        assert len(column.title) <= column.width


def test_cells_of_a_running_vm() -> None:
    nic = Nic("n", "n", NicKind.SYNTHETIC, "", False, True, "S", "Prod", addresses=("10.0.0.4",))
    points = (
        Checkpoint("a", "a", NOW - 9 * 86_400),
        Checkpoint("b", "b", NOW - 60, kind="production"),
    )
    row = vm(
        "a", cpu=91, memory=4 * GB, memory_available=25, started_at=NOW - 3700, heartbeat=2,
        nics=(nic,), checkpoints=points, notes="first\nsecond",
        guest="Microsoft Windows Server 2022",
    )  # fmt: skip
    assert cell("state", row).text == "● Running"
    assert (cell("cpu", row).text, cell("cpu", row).tone) == ("91%", "warning")
    assert cell("cpu", row).bar == pytest.approx(0.91)
    assert cell("memory", row).text == "4.0 GB"
    assert cell("demand", row).text == "3.0 GB"
    assert cell("uptime", row).text == "1h 1m"
    assert cell("heartbeat", row).text == "OK"
    assert cell("ip", row).text == "10.0.0.4"
    assert (cell("checkpoints", row).text, cell("checkpoints", row).tone) == (
        "2 9d mixed",
        "warning",
    )
    assert cell("notes", row).text == "first"
    assert cell("guest", row).text == "Windows Server 2022"


def test_what_happens_by_itself_and_how_merging_stands() -> None:
    row = vm("git01", automatic_start=4, start_delay=90, automatic_stop=2, merging=False)
    shown = {name: cell(name, row).text for name in ("autostart", "startdelay", "autostop")}
    assert shown == {"autostart": "Always", "startdelay": "1m 30s", "autostop": "Turn off"}
    assert cell("merge", row) == columns.Cell("disabled", "warning")
    assert cell("merge", vm("git01", merging=False, activity=32772)).text == "running"
    assert cell("merge", vm("git01", merging=True)).text == ""
    for words in ("autostart:always", "startdelay:>1m", "autostop:off", "merge:disabled"):
        assert parse(words, "vm").matches(row), words
        assert not parse(words, "vm").matches(vm("other", automatic_start=2, automatic_stop=3))


def test_a_vm_that_is_off_has_empty_cells_not_zeros() -> None:
    row = vm("a", 3)
    for column in ("cpu", "memory", "demand", "uptime", "heartbeat", "net", "disk", "checkpoints"):
        assert cell(column, row).text == "", column
        assert find(VM_COLUMNS, column).value(row) is None, column


def test_sorting_is_by_value_and_the_unknown_come_last_either_way() -> None:
    rows = [vm("b", cpu=9), vm("A", cpu=80), vm("c", 3), vm("d", cpu=100)]
    by_cpu, by_name = find(VM_COLUMNS, "cpu"), find(VM_COLUMNS, "name")
    assert [row.name for row in order(by_cpu)(rows)] == ["b", "A", "d", "c"]
    assert [row.name for row in order(by_cpu, reverse=True)(rows)] == ["d", "A", "b", "c"]
    assert [row.name for row in order(by_name)(rows)] == ["A", "b", "c", "d"]


def test_every_column_sorts_every_row() -> None:
    rows = [vm("a", cpu=1, version="10.0"), vm("b", 3, version="9.0"), vm("c", version="x")]
    for column in VM_COLUMNS:
        assert len(order(column)(rows)) == 3
    assert [r.name for r in order(find(VM_COLUMNS, "version"))(rows)] == ["b", "a", "c"]


def test_choosing_columns() -> None:
    assert [c.id for c in select(VM_COLUMNS, "state, NAME", VM_DEFAULT)] == ["state", "name"]
    assert [c.id for c in select(VM_COLUMNS, "+net", VM_DEFAULT)] == [*VM_DEFAULT, "net"]
    assert len(select(VM_COLUMNS, "all", VM_DEFAULT)) == len(VM_COLUMNS)
    with pytest.raises(UsageError, match="did you mean memory"):
        select(VM_COLUMNS, "memry", VM_DEFAULT)


def test_a_group_and_a_lost_host_in_the_host_columns() -> None:
    state = find(HOST_COLUMNS, "state")
    group = HostRow("cluster:a", HOST, VITALS, group=True, members=4, up=3)
    assert (state.cell(group).text, state.cell(group).tone) == ("3/4 up", "warning")
    trouble = Trouble("TimedOut", "hv02 did not answer")
    lost = HostRow("hv02", Host("hv02", ""), HostVitals("hv02", link=Link.DOWN, trouble=trouble))
    assert state.cell(lost).text == "▲ Timed out"
    assert find(HOST_COLUMNS, "trouble").cell(lost).text == "hv02 did not answer"
    up = HostRow("hv01", HOST, VITALS, running=3, total=5)
    assert [find(HOST_COLUMNS, c).cell(up).text for c in ("cpu", "memory", "vms", "latency")] == [
        "83%", "75%", "3/5", "20 ms",
    ]  # fmt: skip


def test_switch_job_call_and_exchange_cells() -> None:
    switch = Switch(
        "hv01:1", "hv01", "1", "Prod", SwitchKind.EXTERNAL, ("NIC 1", "NIC 2"), True, True,
        vms=("a",), vlans=(10, 11, 20),
    )  # fmt: skip
    row = SwitchRow("hv01:1", switch, HOST, VITALS)
    shown = {c.id: c.cell(row).text for c in columns.SWITCH_COLUMNS}
    assert (shown["kind"], shown["uplink"], shown["vlans"]) == (
        "External",
        "NIC 1, NIC 2",
        "10-11,20",
    )
    assert (shown["vms"], shown["shared"], shown["iov"]) == ("1", "yes", "")
    job = JobRow(
        "j", Job("j", "hv01", "Merge", 50, 4, 40, NOW, 75.0), HOST, VITALS, subject="sql01"
    )
    jobs = {c.id: c.cell(job) for c in columns.JOB_COLUMNS}
    assert (jobs["state"].text, jobs["percent"].text, jobs["elapsed"].text) == (
        "Running", "40%", "1m 15s",
    )  # fmt: skip
    assert jobs["percent"].bar == pytest.approx(0.4)
    call = CallUpdate(
        "1", "vm.start", "hv01", "G", "sql01", Phase.UNKNOWN, NOW,
        trouble=Trouble("TimedOut", "no answer"),
    )  # fmt: skip
    calls = {c.id: c.cell(call).text for c in columns.CALL_COLUMNS}
    assert (calls["phase"], calls["trouble"]) == ("Unknown", "no answer")
    exchange = Exchange(NOW, "hv01", "act", "Get", 0.5, 2048, "AuthRejected")
    assert find(columns.EXCHANGE_COLUMNS, "outcome").cell(exchange).tone == "error"


# -- export --------------------------------------------------------------------------------

SHOWN = ("name", "state", "cpu", "memory")
ROWS = [vm("sql01", cpu=7, memory=4 * GB), vm("東京-db", 3), vm("=1+1", 3, notes="-x")]


def test_a_table_is_aligned_by_cells() -> None:
    lines = render("table", select(VM_COLUMNS, "", SHOWN), ROWS).splitlines()
    assert lines[0] == "Name     State      CPU  Memory"
    assert lines[1] == "sql01    ● Running   7%  4.0 GB"
    assert lines[2] == "東京-db  ○ Off"


def test_a_narrow_table_drops_columns_by_priority_and_keeps_the_ends_of_names() -> None:
    rows = [vm("exchange-mailbox-server-017", cpu=7, memory=4 * GB)]
    shown = select(VM_COLUMNS, "", VM_DEFAULT)
    for width in (200, 120, 80, 60, 40):
        lines = render("table", shown, rows, width=width).splitlines()
        assert max(text.width(line) for line in lines) <= width
        assert "Running" in lines[1]
        assert lines[1].split()[0].endswith("017")
    assert "Notes" not in render("table", shown, rows, width=60)


def test_a_table_obeys_no_escape_sequence() -> None:
    out = render("table", select(VM_COLUMNS, "name", ()), [vm("a\x1b[2Jb\nc")])
    assert out.splitlines()[1] == "a [2Jb c"


def test_json_holds_raw_values_by_column_id() -> None:
    data = json.loads(render("json", select(VM_COLUMNS, "+version", SHOWN), ROWS))
    assert data[0] == {
        "name": "sql01", "state": "Running", "cpu": 7, "memory": 4 * GB, "version": None,
    }  # fmt: skip
    assert data[1]["cpu"] is None


def test_csv_does_not_carry_formulas() -> None:
    shown = select(VM_COLUMNS, "name,cpu,notes", ())
    rows = [*ROWS, vm("@SUM(A1)"), vm("-5"), vm('a,"b"')]
    read = list(csv.reader(io.StringIO(render("csv", shown, rows))))
    assert read[0] == ["name", "cpu", "notes"]
    assert [line[0] for line in read[1:]] == [
        "sql01", "東京-db", "'=1+1", "'@SUM(A1)", "-5", 'a,"b"',
    ]  # fmt: skip
    assert read[1][1] == "7"
    assert read[3][2] == "'-x"


def test_markdown_escapes_its_bars() -> None:
    out = render("markdown", select(VM_COLUMNS, "name,cpu", ()), [vm("a|b", cpu=1)])
    assert out.splitlines() == ["| Name | CPU |", "| --- | ---: |", "| a\\|b | 1% |"]


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(UsageError, match="no form yaml"):
        render("yaml", VM_COLUMNS, ROWS)


# -- one reading as rows -------------------------------------------------------------------


def test_a_reading_becomes_rows_and_a_host_without_one_keeps_its_reason() -> None:
    links = [HostLink("hv01", "http://hv01/wsman"), HostLink("hv02", "http://hv02/wsman")]
    one = vm("sql01")
    job = Job("hv01:J", "hv01", "Start", 12, 4, 10, NOW, 1.0, subject=one.vm.id)
    found = Inventory(
        HOST, VITALS, vms={one.vm.id: one.vm}, vm_vitals={one.vm.id: one.vitals}, jobs={job.id: job}
    )
    trouble = Trouble("Unreachable", "hv02 cannot be reached")
    store = store_of(links, {"hv01": found}, {"hv02": trouble})
    assert [row.name for row in store.vms.values()] == ["sql01"]
    assert store.host_rows["hv01"].total == 1
    assert store.host_rows["hv02"].vitals.trouble == trouble
    assert store.jobs["hv01:J"].subject == "sql01"
    assert msgspec.structs.astuple(store.host_rows["hv01"].host)[0] == "hv01"

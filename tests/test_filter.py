"""The filter grammar: what it finds, what it refuses, what it suggests, how fast it is."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.errors import UsageError
from tui.hyperv.model import (
    Checkpoint,
    Host,
    HostVitals,
    Link,
    Nic,
    NicKind,
    Switch,
    SwitchKind,
    Trouble,
    Vlan,
    VlanMode,
    Vm,
    VmVitals,
    Volume,
)
from tui.rows.filter import complete, parse
from tui.store.rows import HostRow, Stale, SwitchRow, VmRow

NOW = 1_790_000_000.0
GB = 1024**3
HV01 = Host(id="hv01", url="http://hv01:5985/wsman", name="HV01SRV", cluster="alpha")
HV02 = Host(id="hv02", url="http://hv02:5985/wsman", name="HV02SRV", memory=64 * GB)


def vm_row(name: str, host: Host = HV01, state: int = 2, **changes: Any) -> VmRow:
    """A row; keyword arguments go to ``Vm`` or ``VmVitals``, whichever has the field."""
    mine = {key: value for key, value in changes.items() if key in Vm.__struct_fields__}
    vital = {key: value for key, value in changes.items() if key not in mine}
    return VmRow(
        key=name,
        vm=Vm(id=f"GUID-{name}", host=host.id, name=name, **mine),
        vitals=VmVitals(id=f"GUID-{name}", host=host.id, state=state, **vital),
        host=host,
        host_vitals=HostVitals(id=host.id, link=Link.UP, read_at=NOW),
    )


def nic(address: str = "", switch: str = "", vlan: int = 0) -> Nic:
    tag = Vlan(mode=VlanMode.ACCESS, id=vlan) if vlan else Vlan()
    found = (address,) if address else ()
    return Nic(
        "nic", "Network Adapter", NicKind.SYNTHETIC, "00155D010203", False, bool(switch),
        switch_name=switch, vlan=tag, addresses=found,
    )  # fmt: skip


ROWS = [
    vm_row(
        "sql01",
        cpu=91,
        memory=8 * GB,
        memory_available=5,
        version="10.0",
        notes="orders #prod #Protected",
        nics=(nic("10.1.0.11", "vSwitch Prod", 20),),
        checkpoints=(Checkpoint("c1", "before", NOW - 5 * 86_400),),
        heartbeat=2,
        created_at=time.time() - 400 * 86_400,
    ),
    vm_row("sql02", HV02, state=3, version="8.0", notes="standby"),
    vm_row(
        "WEB-1", HV02, cpu=4, memory=2 * GB, memory_available=60, nics=(nic("10.1.5.9", "Lab"),)
    ),
    vm_row("web-2", state=32789, heartbeat=13, notes="(old) a|b"),
    vm_row("東京-db", HV02, state=10, since=NOW - 1000, version="9.0"),
]


def found(text: str, **options: Any) -> list[str]:
    return [row.name for row in parse(text, "vm", **options).select(ROWS)]


ALL = [row.name for row in ROWS]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ALL),
        ("   ", ALL),
        ("sql", ["sql01", "sql02"]),
        ("web", ["WEB-1", "web-2"]),
        ("WEB", ["WEB-1"]),
        ("10.1.5", ["WEB-1"]),
        ("hv02srv", ["sql02", "WEB-1", "東京-db"]),
        ("orders", ["sql01"]),
        ("東京", ["東京-db"]),
        ("!sql", ["WEB-1", "web-2", "東京-db"]),
        ("!!sql", ["sql01", "sql02"]),
        ("/^sql0[2-9]$/", ["sql02"]),
        ("/^WEB/", ["WEB-1"]),
        ("~wb2", ["web-2"]),
        ("~s2", ["sql02"]),
        ("web*2", ["web-2"]),
        ("sql hv02", ["sql02"]),
        ("sql01 | web-2", ["sql01", "web-2"]),
        ("sql (hv01 | 東京)", ["sql01"]),
        ("(sql|web) !hv02", ["sql01", "web-2"]),
        ('"(old)"', ["web-2"]),
        ('"a|b"', ["web-2"]),
    ],
)
def test_terms(text: str, names: list[str]) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("state:off", ["sql02"]),
        ("state:OFF", ["sql02"]),
        ("state:running", ["sql01", "WEB-1"]),
        ("host:hv01", ["sql01", "web-2"]),
        ("host:*02", ["sql02", "WEB-1", "東京-db"]),
        ("name=sql0", []),
        ("name=SQL01", ["sql01"]),
        ("name!=sql01", ALL[1:]),
        ("name:/1$/", ["sql01", "WEB-1"]),
        ("ip:10.1.", ["sql01", "WEB-1"]),
        ('ip:""', ["sql02", "web-2", "東京-db"]),
        ('switch:"vswitch prod"', ["sql01"]),
        ("mac:00-15", ["sql01", "WEB-1"]),
        ("vlan:20", ["sql01"]),
        ("vlan:2", []),
        ("ver:<9.0", ["sql02"]),
        ("ver>=9", ["sql01", "東京-db"]),
        ("ver:10", ["sql01"]),
        ("cpu>80", ["sql01"]),
        ("cpu>80%", ["sql01"]),
        ("cpu:>80", ["sql01"]),
        ("cpu<=91", ["sql01", "WEB-1"]),
        ("mem>4G", ["sql01"]),
        ("mem>=2048MB", ["sql01", "WEB-1"]),
        ("mem>90%", ["sql01"]),
        ("free<10%", ["sql01"]),
        ("press>90", ["sql01"]),
        ("ckp>0", ["sql01"]),
        ("ckp=0", ALL[1:]),
        ("ckpage>3d", ["sql01"]),
        ("ckpage>2w", []),
        ("age>1y", ["sql01"]),
        ("hb:lost", ["web-2"]),
        ("tag:prod", ["sql01"]),
        ("#prod", ["sql01"]),
        ("#PRO*", ["sql01"]),
        ("!#prod", ALL[1:]),
        ("@alpha", ["sql01", "web-2"]),
        ("@hv02 state:off", ["sql02"]),
        ("is:running", ["sql01", "WEB-1"]),
        ("is:off", ["sql02"]),
        ("is:paused", ["web-2"]),
        ("is:critical", ["web-2"]),
        ("is:stuck", ["東京-db"]),
        ("is:problem", ["web-2", "東京-db"]),
        ("is:protected", ["sql01"]),
        ("is:marked", []),
        ("is:clustered", ["sql01", "web-2"]),
    ],
)
def test_fields(text: str, names: list[str]) -> None:
    assert found(text) == names


def test_marks_and_age_of_data_are_of_the_row() -> None:
    row = vm_row("a")
    assert not parse("is:marked | is:stale", "vm").matches(row)
    assert parse("is:marked", "vm").matches(replace(row, marked=True))
    assert parse("is:stale", "vm").matches(replace(row, stale=Stale.LOST))
    assert parse("is:lost", "vm").matches(replace(row, stale=Stale.LOST))


def test_tags_of_a_host_count_for_what_runs_on_it() -> None:
    assert found("#edge", host_tags={"hv02": ("edge",)}) == ["sql02", "WEB-1", "東京-db"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stat:off", "did you mean state?"),
        ("is:runing", "did you mean is:running?"),
        ("is:", "is: is not known"),
        ("cpu>lots", "cpu takes a number"),
        ("mem>4", "mem needs a unit"),
        ("mem>4parsec", "not a unit of size"),
        ("age>3", "age needs a span of time"),
        ("ckp>50%", "ckp has no percentage"),
        ("ver>x", "ver takes a version"),
        ("name>5", "name is text"),
        ("state:", "state: needs a value"),
        ("(a", "( that is not closed"),
        ("a)", ") without a ("),
        ("a |", "nothing to look for"),
        ("()", "nothing to look for"),
        ("!", "! stands alone"),
        ("/a", "not closed"),
        ('name:"a', "quotation is not closed"),
        ("/[/", "is not a regular expression"),
        ("/(a+)+$/", "for ever"),
        ("/(a|aa)*b/", "for ever"),
        ("/((a+)b)*c/", "for ever"),
        ("/a*a*a*a*b/", "for ever"),
        ("x" * 600, "too long"),
        ("/" + "x" * 200 + "/", "too long"),
        ("(" * 40 + "a" + ")" * 40, "too deeply"),
        ("a*b*c*d*e*f*g", "Too many *"),
    ],
)
def test_what_cannot_be_taken_is_said(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, "vm")
    assert says in str(caught.value)


def test_an_unknown_field_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        parse("zzz:1", "vm")
    assert "checkpoint" not in caught.value.title
    assert "state" in caught.value.hint


def test_brackets_and_counts_in_a_regular_expression_are_not_taken_for_groups() -> None:
    assert found(r"/^[(+*]?sql\d{2}$/") == ["sql01", "sql02"]
    assert found(r"/\(old\)/") == ["web-2"]


def test_hosts_have_their_own_words() -> None:
    volumes = (Volume("C:", "", 100 * GB, 50 * GB), Volume("D:", "", 100 * GB, 4 * GB))
    down = Trouble("Unreachable", "hv03 cannot be reached")
    rows = [
        HostRow("hv01", HV01, HostVitals("hv01", link=Link.UP, read_at=NOW, cpu=12), total=3),
        HostRow(
            "hv02",
            msgspec.structs.replace(HV02, volumes=volumes),
            HostVitals("hv02", link=Link.SLOW, read_at=NOW, memory_free=6 * GB),
            total=9,
        ),
        HostRow("hv03", Host("hv03", ""), HostVitals("hv03", link=Link.DOWN, trouble=down)),
    ]

    def hosts(text: str) -> list[str]:
        return [row.key for row in parse(text, "host").select(rows)]

    assert hosts("free<10%") == ["hv02"]
    assert hosts("mem>90%") == ["hv02"]
    assert hosts("mem>50G") == ["hv02"]
    assert hosts("is:problem") == ["hv02", "hv03"]
    assert hosts("trouble:reached") == ["hv03"]
    assert hosts("state:unreachable") == ["hv03"]
    assert hosts("vms>=3") == ["hv01", "hv02"]
    assert hosts("@alpha") == ["hv01"]


def test_switches_have_their_own_words() -> None:
    switch = Switch(
        "hv01:1", "hv01", "1", "Prod", SwitchKind.EXTERNAL,
        uplinks=("Ethernet 2",), vlans=(10, 20), vms=("a", "b"), shared=True,
    )  # fmt: skip
    row = SwitchRow("hv01:1", switch, HV01, HostVitals("hv01", link=Link.UP))
    for text in ("kind:ext*", "uplink:ethernet*", "vlan:20", "vlan>15", "vms=2", "is:shared"):
        assert parse(text, "switch").matches(row), text
    for text in ("kind:internal", "vlan:30", "is:teamed", "is:unused"):
        assert not parse(text, "switch").matches(row), text


def test_completion_offers_fields_values_and_flags() -> None:
    assert "state:" in complete("st", "vm", ROWS)
    assert complete("sql is:run", "vm", ROWS) == ["sql is:running"]
    assert complete("@al", "vm", ROWS) == ["@alpha"]
    assert complete("!state:o", "vm", ROWS) == ["!state:Off"]
    assert complete("switch:", "vm", ROWS) == ['switch:"vSwitch Prod"', "switch:Lab"]
    assert complete("#p", "vm", ROWS) == ["#Protected", "#prod"]
    assert complete("(is:o", "vm", ROWS) == ["(is:off"]
    assert complete("nosuch:", "vm", ROWS) == []


def test_everything_completion_offers_can_be_parsed() -> None:
    for start in ("", "s", "ip:", "host:", "name:", "ver:", "is:", "@", "#"):
        for whole in complete(start, "vm", ROWS):
            if not whole.endswith((":", "@", "#")):
                parse(whole, "vm")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=' ab!/~:"*?<>=|()@#.-%0is', max_size=30))
def test_any_text_is_a_filter_or_a_usage_error(text: str) -> None:
    try:
        compiled = parse(text, "vm")
    except UsageError:
        return
    for row in ROWS:
        assert compiled.matches(row) in (True, False)

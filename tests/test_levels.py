"""Levels: where they begin, that all of them come from one record, and what they change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from tests.test_findings import NOW, row
from tui.config import Level, Thresholds
from tui.hyperv.model import Host, HostVitals, Link, Trouble, Volume
from tui.rows import levels
from tui.rows.columns import HOST_COLUMNS, VM_COLUMNS, find
from tui.rows.filter import parse
from tui.rows.findings import finding
from tui.rows.hostfindings import host_finding
from tui.store import HostRow

SOURCES = sorted((Path(__file__).parent.parent / "tui").rglob("*.py"))
GB = 1 << 30


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    yield
    levels.use(Thresholds())


@pytest.mark.parametrize(
    ("measure", "well", "warning", "error"),
    [
        ("host_cpu", 79.9, 80.0, 95.0),
        ("memory_pressure", 79.0, 80.0, 100.0),
        ("volume_free", 10.1, 10.0, 5.0),
        ("time_to_full", 172_801.0, 172_800.0, 43_200.0),
        ("disk_latency", 0.0099, 0.010, 0.020),
        ("clock_skew", 59.0, 60.0, 240.0),
    ],
)
def test_a_level_itself_is_reached(measure: str, well: float, warning: float, error: float) -> None:
    said = [levels.tone(measure, value) for value in (well, warning, error)]
    assert said == ["", "warning", "error"]
    assert levels.tone(measure, None) == ""


def test_what_has_no_level_is_never_reached() -> None:
    levels.use(Thresholds(vm_cpu=Level(None, None), checkpoint_age=Level(None, 5.0, "s")))
    assert levels.tone("vm_cpu", 1e9) == ""
    assert [levels.tone("checkpoint_age", value) for value in (4.0, 5.0)] == ["", "error"]


def names_asked() -> set[tuple[str, str]]:
    """The function and the name in every ``levels.tone("…")`` and ``levels.severity("…")``."""
    found = set()
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    for text in texts:
        for node in ast.walk(ast.parse(text if "levels." in text else "")):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("levels."):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add((ast.unparse(node.func), first.value))
    return found


def test_every_level_asked_for_exists() -> None:
    fields = {name: isinstance(getattr(Thresholds(), name), Level)
              for name in Thresholds.__struct_fields__}  # fmt: skip
    asked = names_asked()
    assert {"vm_cpu", "volume_free", "data_age"} <= {name for _, name in asked}
    for function, name in asked:
        assert fields[name] is (function == "levels.tone"), name


def test_a_finding_follows_the_levels_in_force() -> None:
    slow = row(state=10, since=NOW - 125)
    silent = row(state=2, heartbeat=13)
    ill = row(state=2, heartbeat=2, replication=3)
    assert [finding(one) is not None for one in (slow, silent, ill)] == [True] * 3
    levels.use(
        Thresholds(
            transition=Level(200.0, 600.0, "s"),
            heartbeat_lost="warning",
            replication_critical="never",
        )
    )
    assert finding(slow) is None
    assert finding(silent) == ("heartbeat lost", "warning")
    assert finding(ill) is None


def test_a_cell_follows_the_levels_in_force() -> None:
    cell, busy = find(VM_COLUMNS, "cpu").cell, row(state=2, cpu=85)
    assert cell(busy).tone == "warning"
    levels.use(Thresholds(vm_cpu=Level(50.0, 70.0)))
    assert cell(busy).tone == "error"


def host(free: int = 90, **vitals: object) -> HostRow:
    info = Host(
        "hv01", "http://hv01:5985/wsman", volumes=(Volume("D:\\", "", 100 * GB, free * GB),)
    )
    return HostRow("hv01", info, structs.replace(HostVitals("hv01", Link.UP), **vitals))


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (host(), None),
        (host(free=9), ("D:\\ has 9.0 GB free", "warning")),
        (host(free=2, clock=70.0), ("D:\\ has 2.0 GB free", "error")),
        (host(clock=70.0), ("its clock is 1m 10s ahead", "warning")),
        (host(clock=-250.0), ("its clock is 4m 10s behind", "error")),
        (host(link=Link.SLOW), ("answers slowly", "warning")),
        (host(free=2, link=Link.DOWN, trouble=Trouble("TimedOut", "no")), None),
    ],
)
def test_what_is_wrong_with_a_host(of: HostRow, said: tuple[str, str] | None) -> None:
    found = host_finding(of)
    if of.down:
        assert found is not None
        assert found.words.startswith("lost: ")
        assert found.tone == "error"
    else:
        assert found == said
    assert parse("is:problem", "host").matches(of) is (found is not None)


def test_a_full_volume_shows_in_its_column() -> None:
    assert find(HOST_COLUMNS, "free").cell(host(free=4)).tone == "error"

"""Our client, collector and command line before a server of another hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.foreign_server import IDS, NAMES, PASSWORD, USER, Estate, foreign
from tui.cli import main
from tui.collector.messages import HostLink
from tui.collector.session import Session

BORN = 1741064767.5
"""2025-03-04T05:06:07.5Z"""
MANNERS: dict[str, dict[str, Any]] = {
    "as Windows": {},
    "other prefixes": {"odd_prefixes": True},
    "pretty-printed": {"pretty": True},
    "pretty, other prefixes, one item a page": {
        "pretty": True,
        "odd_prefixes": True,
        "one_item": True,
    },
    "text/xml": {"content_type": "text/xml"},
    "spaced content type": {"content_type": 'application/soap+xml; charset="utf-8"; action="x"'},
    "chunked": {"chunked": True},
    "one item a page": {"one_item": True},
    "never optimizes": {"optimizes": False},
    "never optimizes, one item": {"optimizes": False, "one_item": True},
    "items under n": {"items": "n", "one_item": True},
    "items under w": {"items": "w", "one_item": True},
    "no Items when empty": {"no_items_when_empty": True, "empty_pages": 1},
    "empty pages": {"empty_pages": 3, "one_item": True},
    "the same context again": {"same_context": True, "one_item": True},
    "nil arrays": {"null_array": "nil"},
    "flagged arrays": {"null_array": "flag"},
    "True": {"true": "True"},
    "1": {"true": "1"},
    "times with an offset": {"times": "offset"},
    "times without a zone": {"times": "naked"},
    "times of nanoseconds": {"times": "long"},
    "DMTF times": {"times": "dmtf"},
    "lower-case GUIDs": {"lower_guids": True},
    "fewer properties": {
        "missing": frozenset({"HealthState", "CreationTime", "OperationalStatus", "Notes"})
    },
    "unknown properties": {"extra": True},
    "whole instances for columns": {"projects": False},
    "urn:uuid": {"relates": "urn:uuid:{}"},
    "a bare GUID": {"relates": "{}"},
    "items in items": {"wraps_items": True, "summary": "returns 1"},
    "summaries wrapped": {"summary_form": "wrapped"},
    "summaries as text": {"summary_form": "text", "pretty": True},
    "summaries: fault": {"summary": "fault"},
    "summaries: returns 1": {"summary": "returns 1"},
    "summaries: no method, 400": {"summary": "no method", "fault_status": 400},
    "faults of WMI": {"fault_shape": 3, "summary": "no method"},
    "faults of a provider": {"fault_shape": 2, "summary": "no method"},
    "faults with 400": {"fault_status": 400},
    "nothing but systems": {
        "knows": frozenset({"Msvm_ComputerSystem"}),
        "summary": "no method",
    },
    "nothing but systems, in WMI's words": {
        "knows": frozenset({"Msvm_ComputerSystem"}),
        "summary": "fault",
        "fault_shape": 3,
    },
    "nothing but systems, unknown classes are empty": {
        "knows": frozenset({"Msvm_ComputerSystem"}),
        "summary": "returns 1",
        "unknown_is_empty": True,
    },
    "nothing but systems, no WQL": {
        "knows": frozenset({"Msvm_ComputerSystem"}),
        "summary": "no method",
        "wql": False,
    },
}


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRANGERS", PASSWORD)
    monkeypatch.delenv("HVDECK_CONFIG", raising=False)


def hvdeck(url: str, *words: str) -> tuple[int, list[str]]:
    account = ["--user", USER, "--password-env", "STRANGERS", "--auth", "basic"]
    return main([*words, "--host", url, *account, "--allow-cleartext-basic"]), []


class Ran:
    """A command line that was run: code, records, words."""

    def __init__(self, capsys: pytest.CaptureFixture[str], url: str, *words: str) -> None:
        self.code = hvdeck(url, *words)[0]
        captured = capsys.readouterr()
        self.out, self.err = captured.out, captured.err

    @property
    def data(self) -> Any:
        return json.loads(self.out)


def link(url: str) -> HostLink:
    return HostLink(
        id="X", url=url, user=USER, password=PASSWORD, auth="basic", allow_cleartext=True
    )


@pytest.mark.parametrize("manner", MANNERS)
def test_machines_are_listed_whatever_the_manner(manner: str) -> None:
    with foreign(**MANNERS[manner]) as (url, _), Session([link(url)]) as session:
        inventory = session.load()["X"]
        assert session.troubles == {}
        assert inventory.vitals.trouble is None
        assert {vm.name: vm.id for vm in inventory.vms.values()} == dict(
            zip(NAMES, IDS, strict=True)
        )
        states = {inventory.vms[key].name: v.state for key, v in inventory.vm_vitals.items()}
        assert states == {"web": 2, "db": 2, "spare": 3}
        started = {key: v.started_at for key, v in inventory.vm_vitals.items()}
        assert started[IDS[2]] is None
        read_at = inventory.vitals.read_at
        assert started[IDS[0]] == pytest.approx(read_at - 3600, abs=10)
        only = "nothing but" in manner
        if not only:
            web = inventory.vms[IDS[0]]
            assert web.version == "10.0"
            assert web.generation == 2
            assert web.secure_boot is True
            born = 0.0 if "CreationTime" in MANNERS[manner].get("missing", ()) else BORN
            assert web.created_at == pytest.approx(born, abs=1)
            assert inventory.host.name == "FOREIGN1"
        again = session.load()["X"]
        assert {vm.name for vm in again.vms.values()} == set(NAMES)


STARTS: dict[str, dict[str, Any]] = {
    "a job in other prefixes": {},
    "a wrapped reference": {"wrapped_job": True, "pretty": True},
    "a job that is gone at once": {"job_vanishes": True},
    "done at once": {"changes": 0},
    "nothing but systems": {
        "knows": frozenset({"Msvm_ComputerSystem"}),
        "summary": "no method",
        "job_vanishes": True,
    },
}


@pytest.mark.parametrize("manner", STARTS)
def test_a_machine_is_started_and_seen_running(
    manner: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with foreign(**STARTS[manner]) as (url, estate):
        ran = Ran(capsys, url, "vm", "start", "spare", "--wait", "-o", "json")
        assert (ran.code, ran.data[0]["phase"]) == (0, "observed"), ran.err
        assert estate.changed == [("spare", 2)]
        assert Ran(capsys, url, "vm", "start", "spare").code == 3


@pytest.mark.parametrize("manner", [{"changes": 32775}, {"job_fails": True}, {"changes": 5}])
def test_a_refused_start_says_why_and_is_not_repeated(
    manner: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with foreign(**manner) as (url, estate):
        ran = Ran(capsys, url, "vm", "turn-off", "web", "--yes", "--wait", "-o", "json")
        assert ran.code == 1
        assert estate.changed == [("web", 3)]
        assert ran.data[0]["phase"] == "failed"
        assert "Traceback" not in ran.err


def test_the_lists_and_raw_queries_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with foreign(pretty=True, odd_prefixes=True, one_item=True, fault_shape=3) as (url, _):
        vms = Ran(capsys, url, "vms", "-o", "json")
        assert vms.code == 0, vms.err
        assert [(vm["name"], vm["state"]) for vm in vms.data] == [
            ("db", "Running"),
            ("spare", "Off"),
            ("web", "Running"),
        ]
        hosts = Ran(capsys, url, "hosts", "-o", "json")
        assert hosts.code == 0, hosts.err
        assert hosts.data[0]["vms"] in ("3", 3)
        networks = Ran(capsys, url, "networks", "-o", "json")
        assert (networks.code, networks.data) == (0, [])
        rows = Ran(capsys, url, "wql", "root/cimv2", "SELECT * FROM Win32_OperatingSystem")
        assert rows.data[0]["properties"]["Caption"] == "Another Windows"
        wrong = Ran(capsys, url, "wql", "root/cimv2", "SELECT * FROM Win32_Nothing")
        assert wrong.code == 1
        assert "Traceback" not in wrong.err


def test_a_wrong_password_is_told_and_tried_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRANGERS", "wr0ng")
    with foreign() as (url, estate):
        ran = Ran(capsys, url, "vms")
        assert ran.code == 4
        assert "wr0ng" not in ran.out + ran.err
        assert estate.refused <= 2


def test_a_server_without_any_of_the_classes_is_named_as_such(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with foreign(knows=frozenset(), summary="no method") as (url, _):
        ran = Ran(capsys, url, "vms")
        assert ran.code == 4
        assert "no Hyper-V role" in ran.err


def test_questions_stay_few_when_only_systems_are_there() -> None:
    manner: dict[str, Any] = MANNERS["nothing but systems"]
    with foreign(**manner) as (url, estate), Session([link(url)]) as session:
        session.load()
        before = len(asked(estate))
        session.load()
        assert len(asked(estate)) - before < before


def asked(estate: Estate) -> list[str]:
    return [one for one in estate.asked if not one.startswith("SELECT")]

"""``sample`` and ``perf``: what is used, and what reading that costs, over sockets and a store."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from tests.fabric_kit import PASSWORD, USER
from tests.meters_kit import measured, meters, roomy
from tests.meters_kit import told as tells
from tests.scripted import Estate, datacenter
from tests.verb_story_kit import Served, Shell, serving_scene
from tui.cli import exits, readings
from tui.cli.sample import Sampler, Shown
from tui.cli.top import READINGS
from tui.collector.messages import Batch
from tui.hyperv.meters import Look
from tui.rows.ranking import RANKINGS
from tui.rows.top import Span
from tui.store import Store


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene("homelab") as found:
        yield found


# -- over sockets --------------------------------------------------------------------------


def test_machines_as_one_object_per_line(served: Served, shell: Shell) -> None:
    ran = shell("NUC01", "sample", "--every", "1", "--count", "3", "-o", "json")
    assert ran.code == exits.DONE, ran.err
    told = [json.loads(line) for line in ran.out.splitlines()]
    times = list(dict.fromkeys(row["time"] for row in told))
    assert times == sorted(times)
    assert len(times) == 3
    machines = served.truth("NUC01").names() - {"NUC01"}
    for at in times:
        assert {row["name"] for row in told if row["time"] == at} == machines
    for row in told:
        running = row["state"] == "Running"
        assert (row["cpu"] is not None) is running
        if running:
            assert row["cpu_peak"] >= row["cpu"]
            assert row["memory_peak"] >= row["memory"] > 0
    last = [row for row in told if row["time"] == times[-1] and row["state"] == "Running"]
    assert all(row["net"] >= 0 and row["disk"] >= 0 for row in last)
    for name in machines:
        peaks = [row["cpu_peak"] for row in told if row["name"] == name and row["cpu_peak"]]
        assert peaks == sorted(peaks), "a peak since the first sample only grows"


def test_what_reading_costs_a_host(shell: Shell) -> None:
    ran = shell("NUC01", "perf", "--for", "3s", "-o", "json")
    assert ran.code == exits.DONE, ran.err
    (row,) = json.loads(ran.out)
    assert 0 < row["requests"] == row["total"]
    assert row["bytes"] == row["received"] > 1000
    assert 0 < row["p50"] <= row["p95"] <= row["worst"]
    assert row["cap"] == row["requests"] / 600
    ran = shell("NUC01", "perf", "--for", "2")
    assert (ran.code, ran.out) == (exits.USAGE, "")


def test_hosts_and_volumes_as_csv_with_one_head(served: Served, shell: Shell) -> None:
    ran = shell("NUC01", "sample", "hosts", "--every", "1", "--count", "2", "-o", "csv")
    assert ran.code == exits.DONE, ran.err
    lines = list(csv.DictReader(io.StringIO(ran.out)))
    assert len(lines) == 2
    assert lines[0]["name"] == lines[1]["name"]
    assert lines[0]["time"] < lines[1]["time"]
    assert all(0 < float(line["memory"]) <= 100 for line in lines)
    ran = shell("NUC01", "sample", "volumes", "--every", "1", "--count", "2", "-o", "csv")
    assert ran.code == exits.DONE, ran.err
    lines = list(csv.DictReader(io.StringIO(ran.out)))
    assert [line["name"] for line in lines] == ["C:\\", "D:\\"] * 2
    assert lines[0]["time"] < lines[2]["time"]
    for line in lines:
        assert 0 < float(line["iops"]) <= float(line["iops_peak"]) + 0.1, "the first one, too"
        assert float(line["rate"]) > 0


def test_filter_and_order_in_a_table(shell: Shell) -> None:
    ran = shell(
        "NUC01", "sample", "--every", "1", "--count", "2", "--filter", "state:running",
        "--sort", "-memory",
    )  # fmt: skip
    first, second = ran.out.split("\n\n")
    for told in (first, second):
        head, *lines = told.strip().splitlines()
        assert head.split()[:3] == ["Time", "Name", "Host"]
        assert [line.split()[1] for line in lines] == ["nas", "media", "k3s", "homeassistant"]


def test_an_interrupt_ends_it_with_its_code(served: Served) -> None:
    command = [
        sys.executable, "-m", "tui", "sample", "--every", "1", "-o", "json",
        "--host", served.fabric.url("NUC01"), "--user", USER, "--password-env", "FABRIC_PW",
    ]  # fmt: skip
    environment = {**os.environ, "FABRIC_PW": PASSWORD}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["name"], "it tells before it ends"
        process.send_signal(signal.SIGINT)
        _, narration = process.communicate(timeout=60)
    assert process.returncode == exits.INTERRUPTED, narration.decode()
    assert b"interrupted" in narration
    assert b"Traceback" not in narration


def test_a_host_that_cannot_be_reached_leaves_the_others(shell: Shell) -> None:
    dead = "http://127.0.0.1:1/wsman"
    ran = shell("NUC01", "sample", "hosts", "--every", "1", "--count", "2", "-o", "json",
                "--host", dead)  # fmt: skip
    assert ran.code == exits.FAILED
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert len(told) == 2
    assert "127.0.0.1:1" not in {row["name"] for row in told}
    assert ran.err.count("127.0.0.1:1:") == 1, "named once, not with every sample"


def test_without_a_host_there_is_no_sample(
    monkeypatch: pytest.MonkeyPatch, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    from tui import cli

    where = ("--host", "http://127.0.0.1:1/wsman", "--user", USER, "--password-env", "FABRIC_PW")
    code = cli.main(["sample", "--count", "1", *where])
    out, err = capsys.readouterr()
    assert (code, out) == (exits.NO_HOST, "")
    assert "127.0.0.1" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--every", "0.5"], "at least 1"),
        (["--every", "nan"], "at least 1"),
        (["--count", "0"], "at least 1"),
        (["--filter", "cpuu>1"], "cpu"),
        (["--sort", "cpu_peek"], "did you mean cpu_peak?"),
        (["networks"], "invalid choice"),
        (["disks", "--filter", "iopss>1"], "iops"),
        (["adapters", "--columns", "drips"], "did you mean drops?"),
        (["volumes", "--sort", "cpu"], "No column named cpu"),
    ],
)
def test_what_cannot_be_used_says_so(shell: Shell, words: list[str], says: str) -> None:
    ran = shell("NUC01", "sample", *words)
    assert (ran.code, ran.out) == (exits.USAGE, "")
    assert says in ran.err


# -- from a store --------------------------------------------------------------------------


@pytest.fixture
def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    found = datacenter()
    monkeypatch.setattr("tui.cli.sample.time.time", lambda: found.now)
    monkeypatch.setattr("tui.cli.sample.host_tags", lambda _: {})
    return found


def sampler(estate: Estate, count: int = 9, what: str = "vms", columns: str = "") -> Sampler:
    store = Store()
    store.configure(estate.links)
    store.apply(estate.everything(), estate.now)
    words = argparse.Namespace(output="json", every=1e-9, count=count, filter="")
    return Sampler(words, store, Shown(RANKINGS[what], columns, ""))


def told(capture: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capture.readouterr().out.splitlines()]


def test_a_lost_host_is_left_out_and_named_once(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    taking = sampler(estate)
    taking.hear(Batch())
    whole, err = capsys.readouterr()
    assert ('"host": "HV01"' in whole, err, taking.incomplete) == (True, "", False)
    taking.hear(Batch((estate.lose("HV01"),)))
    taking.hear(estate.tick())
    rest, err = capsys.readouterr()
    assert rest
    assert '"host": "HV01"' not in rest
    assert err.count("HV01") == 1, err
    assert taking.incomplete


def test_a_peak_between_two_samples_counts(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    taking = sampler(estate, count=2)
    taking.hear(Batch())
    for cpu in (97, 5):
        estate.now += 2
        taking._store.apply(Batch((estate.vary("sql01", cpu=cpu),)), estate.now)
    capsys.readouterr()
    assert taking.hear(Batch()), "that was the last one"
    (sql,) = (row for row in told(capsys) if row["name"] == "sql01")
    assert (sql["cpu"], sql["cpu_peak"]) == (5, 97)


def test_the_tables_are_those_of_top() -> None:
    assert tuple(RANKINGS) == readings.RANKINGS
    for ranking in RANKINGS.values():
        known = ranking.columns(Span(Store()), False)
        columns = Shown(ranking, "", "").columns(Span(Store()), 0.0)
        assert [one.id for one in columns] == ["time", *ranking.usual(known)]
    assert Shown(RANKINGS["vms"], "", "").looks == ()
    assert Shown(RANKINGS["vms"], "", "-pressure_peak").looks == (Look.MEMORY,)
    assert Shown(RANKINGS["vms"], "name,Wait,time", "").looks == (Look.PROCESSORS,)


@pytest.mark.parametrize("what", ["disks", "adapters", "uplinks", "volumes"])
def test_the_first_sample_waits_until_rates_are_made_of_two_readings(
    estate: Estate, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    roomy(estate)
    taking = sampler(estate, what=what)
    ranking = RANKINGS[what]
    assert ranking.look is not None
    assert not taking.hear(Batch())
    for _ in range(READINGS):
        taking.hear(measured(estate, ranking.look))
    assert capsys.readouterr() == ("", "")
    taking.hear(measured(estate, ranking.look))
    rows = told(capsys)
    assert {row["host"] for row in rows} == {
        row.host.id for row in ranking.rows(taking._store).values()
    }
    assert {"HV01", "HV02"} <= {row["host"] for row in rows}
    assert all(row[ranking.sort] >= 0 and row[f"{ranking.sort}_peak"] >= 0 for row in rows)
    assert [row["name"].casefold() for row in rows] == sorted(r["name"].casefold() for r in rows)


def test_who_refuses_to_measure_is_named_once(
    estate: Estate, capsys: pytest.CaptureFixture[str]
) -> None:
    taking = sampler(estate, what="vms", columns="name,host,wait")

    def refusing() -> Batch:
        updates = list(measured(estate, Look.PROCESSORS).updates)
        refused = structs.replace(
            meters(estate, "HV02", Look.PROCESSORS),
            machines=(),
            refused={Look.PROCESSORS: "no such class"},
        )
        updates = [one for one in updates if one.host != "HV02"] + [tells(estate, refused)]
        return Batch(tuple(updates))

    for _ in range(READINGS + 3):
        taking.hear(refusing())
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["wait"] for row in rows if row["host"] == "HV02"} == {None}
    assert 0.000045 in {row["wait"] for row in rows if row["host"] == "HV01"}
    assert err == "hvdeck: HV02: no such class\n"
    assert taking.incomplete

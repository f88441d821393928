"""Decoding and encoding what hosts send, against the bare XML parser; both in one run.

    python tests/bench/bench_codec.py [--runs 15]

The envelopes are the simulator's own: a page of machine settings, and the summary of as many
machines as a method's answer. *Decode* is bytes to typed records, *parse* the same bytes through
xml.etree alone: the ratio is what knowing the types costs, whatever machine this is.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from xml.etree import ElementTree as ET

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.figures import TITLE, line, quiet
from tui.sim import scenes
from tui.sim.answer import Enumerations, answer
from tui.wsman import reply, request
from tui.wsman.cim import CimRef
from tui.wsman.reply import Items, MethodOutput
from tui.wsman.schema import VIRTUALIZATION

URL = "http://hv001:5985/wsman"
CODES = (0, 1, 3, 4, 100, 101, 103, 104, 105, 106, 112)


def envelopes(vms: int) -> list[tuple[str, request.Request, bytes, bytes]]:
    """(what, request, its envelope, the answer's envelope)."""
    fabric = scenes.build("large", hosts=1, vms=vms)
    host = next(iter(fabric.hosts.values()))
    service = CimRef(
        "Msvm_VirtualSystemManagementService",
        (
            ("CreationClassName", "Msvm_VirtualSystemManagementService"),
            ("Name", "vmms"),
            ("SystemCreationClassName", "Msvm_ComputerSystem"),
            ("SystemName", host.name),
        ),
        VIRTUALIZATION,
    )
    asked: list[tuple[str, request.Request]] = [
        (
            f"a page of {vms} settings",
            request.Enumerate(
                VIRTUALIZATION,
                wql="SELECT * FROM Msvm_VirtualSystemSettingData",
                max_elements=1000,
                optimize=True,
            ),
        ),
        (
            f"the summary of {vms} machines",
            request.Invoke(service, "GetSummaryInformation", {"RequestedInformation": CODES}),
        ),
    ]
    found = []
    for what, wanted in asked:
        sent = request.encode(wanted, to=URL, max_envelope=50_000_000)
        status, body = answer(host, Enumerations(), sent, "administrator")
        if status != 200:
            raise RuntimeError(f"{what}: {body[:2000]!r}")
        found.append((what, wanted, sent, body))
    return found


def timed(work: Callable[[], object], runs: int) -> float:
    """Median milliseconds."""
    spent = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        spent.append(1000 * (time.perf_counter() - started))
    return median(spent)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--vms", type=int, default=100)
    options = parser.parse_args(arguments)
    print(TITLE)
    with quiet():
        for what, wanted, sent, body in envelopes(options.vms):
            codec(what, wanted, sent, body, options.runs)


def codec(what: str, wanted: request.Request, sent: bytes, body: bytes, runs: int) -> None:
    """One kind of answer, decoded, encoded and only parsed."""
    decoded = reply.decode(body, wanted)
    assert isinstance(decoded, Items | MethodOutput)
    header, asked = request.decode(sent)
    parse = timed(lambda: ET.fromstring(body), runs)
    decode = timed(lambda: reply.decode(body, wanted), runs)
    encode = timed(lambda: reply.encode(decoded, request=asked, header=header), runs)
    size = f"{what}, {len(body) / 1000:.0f} KB"
    line(f"decode {size}", f"{decode:.1f} ms = {decode / parse:.1f} x parse ({parse:.1f} ms)")
    line(f"encode {size}", f"{encode:.1f} ms = {encode / parse:.1f} x parse")


if __name__ == "__main__":
    main()

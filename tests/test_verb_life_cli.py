"""A machine's life from the command line, and what is refused; truth by plain WQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.verb_cases import CPU, DISKS, ISO, MEMORY
from tests.verb_story_kit import SYSTEM, Given, Served, Shell, serving_scene

HOST = "HV02"
AWAY = "D:\\ISO"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving_scene() as found:
        yield found


@pytest.mark.parametrize("generation", [1, 2])
def test_a_life(served: Served, shell: Shell, generation: int) -> None:
    truth, name = served.truth(HOST), f"life{generation}"
    path = f"{DISKS}{name}.vhdx"

    def do(action: str, on: str = name, **given: str | bool) -> None:
        ran = shell.act(HOST, action, on, given)
        assert ran.code == 0, ran.out + ran.err

    do("vm.create", "", name=name, generation=str(generation), size="5G", memory="2G", iso=ISO)
    assert truth.the(name, SYSTEM, "VirtualSystemSubType") == (
        f"Microsoft:Hyper-V:SubType:{generation}",
    )
    assert truth.images(name) == [path, ISO]
    do("vm.set-cpu", count="4")
    do("vm.set-memory", startup="4G")
    assert truth.the(name, CPU, "VirtualQuantity") == (4,)
    assert truth.the(name, MEMORY, "VirtualQuantity") == (4096,)
    do("checkpoint.create", name="first")
    assert truth.checkpoints(name) == {"first"}
    assert truth.images(name)[0].endswith(".avhdx")
    do("vm.set-cpu", count="2")
    assert truth.the(name, CPU, "VirtualQuantity") == (2,)
    do("checkpoint.apply", checkpoint="first", safety=False)
    assert truth.the(name, CPU, "VirtualQuantity") == (4,)
    do("vm.export", folder=AWAY)
    definition = f"{AWAY}\\{name}\\Virtual Machines\\{truth.vm(name)}.vmcx"
    assert truth.file(definition)
    guid = truth.vm(name)
    do("vm.delete", disks=True)
    assert name not in truth.names()
    assert not truth.file(path)
    do("vm.import", "", path=definition, identity="same")
    assert truth.vm(name) == guid
    assert truth.the(name, CPU, "VirtualQuantity") == (4,)
    assert truth.checkpoints(name) == {"first"}
    do("vm.delete", disks=True)
    assert name not in truth.names()


NEW: Given = {"name": "never", "disk": "none"}
LOCKED = f"{DISKS}build01.vhdx"

BAD: list[tuple[str, str, Given, int, str]] = [
    ("vm.create", "", {"name": "x" * 200, "disk": "none"}, 2, "at most 100 characters"),
    ("vm.create", "", {"name": " ", "disk": "none"}, 2, "empty"),
    ("vm.create", "", {**NEW, "memory": "1025M"}, 2, "2 MB"),
    ("vm.create", "", {**NEW, "memory": "1G", "dynamic": True, "minimum": "2G"}, 2, "minimum"),
    ("vm.create", "", {**NEW, "switch": "Production", "vlan": "4095"}, 2, "1 to 4094"),
    ("vm.create", "", {"name": "never", "disk": "existing", "path": LOCKED}, 2, "build01"),
    ("vm.create", "", {"name": "never", "disk": "existing", "path": "D:\\no.vhdx"}, 3, "not there"),
    ("vm.create", "", {"name": "never", "path": ISO.replace("iso", "vhd")}, 2, ".vhdx"),
    ("vm.create", "", {**NEW, "iso": "D:\\none.iso"}, 3, "not there"),
    ("vm.rename", "pentest", {"name": "x" * 200}, 2, "at most 100"),
    ("vm.set-memory", "test-sql", {"startup": "1025M"}, 2, "2 MB"),
    ("vm.set-memory", "test-sql",
     {"startup": "1G", "dynamic": True, "minimum": "2G", "maximum": "4G"}, 2, "inimum"),
    ("disk.add", "test-sql", {"path": LOCKED}, 2, "build01"),
    ("disk.add", "test-sql", {"source": "existing file", "path": "D:\\no.vhdx"}, 3, "not there"),
    ("disk.add", "test-sql", {"path": "D:\\a?b.vhdx"}, 2, "cannot hold"),
    ("disk.resize", "win10-ltsc", {"size": "90G"}, 3, "saved"),
    ("disk.remove", "winxp-plc", {}, 2, "IDE"),
    ("switch.delete", "Production", {}, 2, "in use by"),
    ("nic.set-mac", "test-sql", {"static": True, "mac": "12"}, 2, "is not a MAC address"),
    ("nic.set-mac", "test-sql", {"static": True, "mac": "00-15-5D-F0-CA-7E"}, 2, "test-app"),
    ("nic.set-vlan", "test-sql", {"mode": "access", "vlan": "4095"}, 2, "1 to 4094"),
    ("vm.start", "gone01", {}, 2, "Nothing is named gone01"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "on", "given", "code", "says"), BAD, ids=[f"{b[0]} {b[4]}" for b in BAD]
)
def test_bad_input_is_refused_with_its_reason(
    served: Served, shell: Shell, action: str, on: str, given: Given, code: int, says: str
) -> None:
    truth = served.truth(HOST)
    before = truth.names()
    ran = shell.act(HOST, action, on, given)
    assert says in ran.out + ran.err
    assert ran.code == code, ran.out + ran.err
    assert truth.names() == before


NAMES = ["""spät & "laut" <b> 'x'""", "100% sicher", "back\\slash", "web 🚀 №1", "n" * 100]


@pytest.mark.parametrize("name", NAMES)
def test_names_windows_allows_arrive_as_they_are(served: Served, shell: Shell, name: str) -> None:
    ran = shell.act(HOST, "vm.create", "", {"name": name, "size": "1G"})
    assert ran.code == 0, ran.out + ran.err
    assert name in served.truth(HOST).names()

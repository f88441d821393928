"""Verbs over the socket twice, from the command line and from the deck; truth by plain WQL."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Select, TextArea

from tests.fabric_kit import PASSWORD, USER, RunningFabric, running_fabric
from tests.story_kit import LiveDeck
from tui import cli
from tui.actions import Kind, by_id
from tui.collector.messages import CallUpdate, HostLink
from tui.ui.dialogs import Confirm
from tui.ui.form import Entry, Form, Toggle
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.client import CimClient
from tui.wsman.transport import WinRMSettings, WinRMTransport

V2, CIMV2, CLUSTER = "root/virtualization/v2", "root/cimv2", "root/MSCluster"
PATIENCE = 90.0
OFF = 3
Given = Mapping[str, str | bool]


# -- truth ---------------------------------------------------------------------------------


class Truth:
    """A host, asked in WQL over a connection of its own."""

    def __init__(self, url: str, user: str = USER, password: str = PASSWORD) -> None:
        settings = WinRMSettings(url, user, password, message_encryption="always")
        self._client = CimClient(WinRMTransport(settings), url=url)

    def __call__(self, wql: str) -> list[CimInstance]:
        namespace = (
            CIMV2
            if "CIM_DataFile" in wql or "Win32_" in wql
            else CLUSTER
            if "MSCluster_" in wql
            else V2
        )
        return self._client.query(namespace, wql)

    def close(self) -> None:
        self._client.close()

    def names(self, class_name: str = "Msvm_ComputerSystem") -> set[str]:
        return {str(row["ElementName"]) for row in self(f"SELECT ElementName FROM {class_name}")}

    def vm(self, name: str) -> str:
        """A machine's GUID."""
        wql = f"SELECT Name FROM Msvm_ComputerSystem WHERE ElementName = '{name}'"
        (row,) = self(wql)
        return str(row["Name"])

    def state(self, name: str) -> int:
        wql = f"SELECT EnabledState FROM Msvm_ComputerSystem WHERE ElementName = '{name}'"
        (row,) = self(wql)
        return int(str(row["EnabledState"]))

    def of(self, name: str, class_name: str) -> list[CimInstance]:
        """Settings of one class that a machine has now."""
        wql = f"SELECT * FROM {class_name} WHERE InstanceID LIKE 'Microsoft:{self.vm(name)}%'"
        return self(wql)

    def the(self, name: str, class_name: str, *properties: str) -> tuple[CimValue, ...]:
        """Properties of the only one."""
        (row,) = self.of(name, class_name)
        return tuple(row[each] for each in properties)

    def checkpoints(self, name: str) -> set[str]:
        wql = f"SELECT * FROM {SYSTEM} WHERE VirtualSystemIdentifier = '{self.vm(name)}'"
        return {
            str(row["ElementName"]) for row in self(wql)
            if ":Snapshot:" in str(row["VirtualSystemType"])
        }  # fmt: skip

    def images(self, name: str) -> list[str]:
        """Paths in a machine's drives."""
        found: list[str] = []
        for row in self.of(name, "Msvm_StorageAllocationSettingData"):
            paths = row["HostResource"]
            found += map(str, paths if isinstance(paths, tuple) else ())
        return found

    def file(self, path: str) -> bool:
        escaped = path.replace("\\", "\\\\").replace("'", "\\'")
        return bool(self(f"SELECT Name FROM CIM_DataFile WHERE Name = '{escaped}'"))

    def image(self, path: str) -> str:
        """What the host says of a disk image, as the text it says it in."""
        (service,) = self("SELECT * FROM Msvm_ImageManagementService")
        output = self._client.invoke(
            _ref(service), "GetVirtualHardDiskSettingData", Path=path
        )  # fmt: skip
        return str(output.values["SettingData"])

    def mount(self, path: str) -> None:
        """Open an image on the host itself, as a backup does, and wait until it is."""
        (service,) = self("SELECT * FROM Msvm_ImageManagementService")
        self._client.invoke(_ref(service), "AttachVirtualHardDisk", Path=path)
        deadline = time.monotonic() + PATIENCE
        while not any(
            row["Name"] == path for row in self("SELECT * FROM Msvm_MountedStorageImage")
        ):
            assert time.monotonic() < deadline, f"{path} is not mounted"

    def destroy(self, name: str) -> None:
        """Take a machine away behind everybody's back, and wait until it is gone."""
        (row,) = self(f"SELECT * FROM Msvm_ComputerSystem WHERE ElementName = '{name}'")
        (service,) = self("SELECT * FROM Msvm_VirtualSystemManagementService")
        self._client.invoke(_ref(service), "DestroySystem", AffectedSystem=_ref(row))
        deadline = time.monotonic() + PATIENCE
        while name in self.names():
            assert time.monotonic() < deadline, f"{name} is not destroyed"

    def stop(self, name: str) -> None:
        """Power off, and wait for it."""
        (row,) = self(f"SELECT * FROM Msvm_ComputerSystem WHERE ElementName = '{name}'")
        if row["EnabledState"] != OFF:
            self._client.invoke(_ref(row), "RequestStateChange", RequestedState=OFF)
        deadline = time.monotonic() + PATIENCE
        while self.state(name) != OFF:
            assert time.monotonic() < deadline, f"{name} does not turn off"


SYSTEM = "Msvm_VirtualSystemSettingData"


def _ref(row: CimInstance) -> CimRef:
    names = ("SystemCreationClassName", "SystemName", "CreationClassName", "Name")
    keys = tuple((name, str(row[name])) for name in names if name in row.values)
    return CimRef(row.class_name, keys, V2)


# -- cases ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A verb on something of the scene, and what the host says afterwards."""

    action: str
    on: str
    """Machine or switch; empty: the host."""
    given: Given
    """As typed, by field; ``{id}`` is the GUID of ``machine``."""
    proof: Callable[[Truth], object]
    """True when it has been done; never before."""
    host: str = "HV02"
    off: bool = False
    """The machine is turned off first."""
    machine: str = ""

    @property
    def id(self) -> str:
        return f"{self.action} {self.on or self.host}"

    def words(self, truth: Truth) -> dict[str, str | bool]:
        """What is typed."""
        guid = truth.vm(self.machine) if self.machine else ""
        return {
            name: value.replace("{id}", guid) if isinstance(value, str) else value
            for name, value in self.given.items()
        }

    def prepare(self, truth: Truth) -> dict[str, str | bool]:
        if self.off:
            truth.stop(self.on)
        assert not proven(self, truth), "it is so already: the case proves nothing"
        return self.words(truth)


def proven(case: Case, truth: Truth) -> bool:
    """Whether the host shows what the case is about."""
    try:
        return bool(case.proof(truth))
    except (ValueError, KeyError):  # what it asks about is not there
        return False


def options(given: Given) -> list[str]:
    """Answers as options of the command line."""
    words: list[str] = []
    for name, value in given.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", value]
    return words


# -- the command line ----------------------------------------------------------------------


@dataclass
class Ran:
    code: int
    out: str
    err: str


@dataclass
class Shell:
    """The command, told of one fabric."""

    fabric: RunningFabric
    capture: pytest.CaptureFixture[str]

    def __call__(self, host: str, *words: str) -> Ran:
        url = self.fabric.url(host)
        where = ("--host", url, "--user", USER, "--auth", "ntlm", "--password-env", "FABRIC_PW")
        self.capture.readouterr()
        try:
            code = cli.main([*words, *where])
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
        return Ran(code, *self.capture.readouterr())

    def act(self, host: str, action: str, on: str, given: Given) -> Ran:
        noun, verb = action.split(".")
        name = on or self.fabric.url(host).split("/")[2]
        return self(host, noun, verb, name, *options(given), "--wait", "--yes", "--timeout", "60")


@dataclass
class Served:
    """A fabric in a process of its own, and its truth."""

    fabric: RunningFabric
    _truths: dict[str, Truth] = field(default_factory=dict)

    def truth(self, host: str) -> Truth:
        if host not in self._truths:
            self._truths[host] = Truth(self.fabric.url(host))
        return self._truths[host]

    def links(self, *hosts: str, **more: object) -> tuple[HostLink, ...]:
        values: dict[str, Any] = {
            "user": USER, "password": PASSWORD, "message_encryption": "always", **more,
        }  # fmt: skip
        return tuple(HostLink(host, self.fabric.url(host), **values) for host in hosts)


class NamedShell:
    """The command over the whole scene by a configuration file."""

    def __init__(self, config: str, capture: pytest.CaptureFixture[str]) -> None:
        self._config = config
        self._capture = capture

    def __call__(self, *words: str) -> Ran:
        self._capture.readouterr()
        try:
            code = cli.main([*words, "--config", self._config])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Ran(code, *self._capture.readouterr())


def configured(served: Served, path: Path) -> str:
    """A configuration file that calls every host by its name."""
    lines = ["[defaults]", f'user = "{USER}"', 'password = "env:FABRIC_PW"']
    for host, url in served.fabric.urls.items():
        lines += [f"[hosts.{host}]", f'url = "{url}"']
    path.write_text("\n".join(lines))
    return str(path)


@contextlib.contextmanager
def serving_scene(scene: str = "datacenter", *extra: str) -> Iterator[Served]:
    with running_fabric(scene, "--speed", "60", *extra) as fabric:
        served = Served(fabric)
        try:
            yield served
        finally:
            for truth in served._truths.values():
                truth.close()


# -- the deck ------------------------------------------------------------------------------


def entry(form: Form, name: str) -> Entry:
    found = [one for one in form.query(Entry) if one.field.id == name]
    assert found, f"the form has no field {name}"
    return found[0]


async def answer(d: LiveDeck, form: Form, name: str, value: str | bool) -> None:
    """Give one answer, as typed or chosen."""
    one = entry(form, name)
    control = one.control
    assert one.display, f"{name} is not asked"
    control.focus()
    if isinstance(control, Toggle):
        if control.value != value:
            await d.press("space")
    elif isinstance(control, Select):
        control.value = _choice(one, str(value))
    elif isinstance(control, TextArea):
        control.text = str(value)
    else:
        assert isinstance(control, Input)
        control.value = str(value)
    await d.rest()


def _choice(one: Entry, words: str) -> int:
    wanted = words.casefold()
    texts = [choice.text.casefold() for choice in one._choices]
    values = [str(choice.value).casefold() for choice in one._choices]
    for found in (values, texts):
        if wanted in found:
            return found.index(wanted)
    (index,) = (i for i, text in enumerate(texts) if wanted in text)
    return index


def subject(d: LiveDeck, action: str, host: str, on: str) -> str:
    """The key of the row an action is for; empty while it is not listed."""
    row = by_id(action)
    assert row is not None
    if row.kind is Kind.HOST:
        return host
    store, clusters = d.app.store, d.app.store.clusters
    things: dict[Kind, Mapping[str, Any]] = {
        Kind.ROLE: clusters.roles, Kind.NODE: clusters.nodes, Kind.CSV: clusters.volumes,
    }  # fmt: skip
    if row.kind in things:  # whichever node tells of them
        return next((k for k, one in things[row.kind].items() if one.name == on), "")
    tables: Mapping[Kind, Mapping[str, Any]] = {
        Kind.VM: store.vms, Kind.REPLICA: store.replicas.rows,
    }  # fmt: skip
    table = tables.get(row.kind, store.switches)
    return next(
        (k for k, one in table.items() if one.name == on and one.host.id == host), ""
    )  # fmt: skip


async def begin(d: LiveDeck, action: str, host: str, on: str) -> None:
    """Choose an action for one thing, as soon as it can be done."""
    await d.until(lambda: subject(d, action, host, on), f"{on} is listed")
    key = subject(d, action, host, on)
    row = by_id(action)
    assert row is not None

    def possible() -> bool:
        target = d.app.store.target(key)
        if target is None or not target.host.vhd_path:  # its facts are read after the first look
            return False
        return d.app.operator.why_not(row, target) is None

    await d.until(possible, f"{action} can be done to {on}")
    target = d.app.store.target(key)
    assert target is not None
    d.app.operator.act(action, on=[(key, target)])
    await d.rest()


async def fill(d: LiveDeck, given: Given) -> Form:
    """Answer the form, once it is there."""
    await d.until(lambda: isinstance(d.app.screen, Form) and d.app.screen.focused, "the form")
    form = d.app.screen
    assert isinstance(form, Form)
    for name, value in given.items():
        await answer(d, form, name, value)
    return form


async def confirm(d: LiveDeck) -> None:
    """Answer what is asked as a person who means it."""
    screen = d.app.screen
    assert isinstance(screen, Confirm)
    await d.until(lambda: screen.focused, "the question takes keys")
    if not screen._armed:
        await d.type(screen._question.phrase)
        await d.press("enter")
    await d.rest()
    d.seconds += 1
    await d.press(screen.yes)


async def perform(d: LiveDeck, action: str, host: str, on: str, given: Given) -> CallUpdate:
    """One verb from its choice to its end."""
    before = set(d.app.store.calls)
    await begin(d, action, host, on)
    row = by_id(action)
    assert row is not None
    if any(one.asked for one in row.form):
        form = await fill(d, given)
        form.action_send_form()
        await d.until(lambda: d.app.screen is not form, "the form is content")
    await d.until(
        lambda: isinstance(d.app.screen, Confirm) or set(d.app.store.calls) - before,
        "it is asked or sent",
    )
    if isinstance(d.app.screen, Confirm):
        await confirm(d)
    await d.until(lambda: set(d.app.store.calls) - before, "it is sent")
    (made,) = set(d.app.store.calls) - before
    await d.until(lambda: d.app.store.calls[made].phase.final, f"{action} ends")
    return d.app.store.calls[made]

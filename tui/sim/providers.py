"""Which classes of a host are computed, and by what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui.sim import (
    capabilities,
    cluster_rows,
    devices,
    eventlog,
    groups,
    links,
    merging,
    methods_security,
    migration,
    netinfo,
    perf,
    replica_info,
    services,
    shapes,
    spare_disks,
    summary,
    windows,
    windows_files,
)
from tui.wsman.cim import CimInstance

if TYPE_CHECKING:
    from tui.sim.world import SimHost


def install(host: SimHost) -> None:
    """Register every computed class with the host's repository."""
    _machines(host)
    _windows(host)
    _links(host)
    capabilities.install(host)
    netinfo.install(host)
    groups.install(host)
    services.install(host)
    migration.install(host)
    replica_info.install(host)
    if host.plan.cluster:
        cluster_rows.install(host)


def _machines(host: SimHost) -> None:
    def provide(name: str, source: Callable[[SimHost], Iterable[CimInstance]]) -> None:
        host.repository.provide(shapes.VIRTUALIZATION, name, lambda: source(host))

    def component(word: str) -> Callable[[SimHost], Iterable[CimInstance]]:
        return lambda at: devices.components(at, word)

    def ports(name: str) -> Callable[[SimHost], Iterator[CimInstance]]:
        return lambda at: (p for p in devices.ethernet_ports(at) if p.class_name == name)

    provide(summary.CLASS, summary.everything)
    provide("Msvm_GuestNetworkAdapterConfiguration", devices.guest_networks)
    provide("Msvm_VideoHead", devices.video_heads)
    provide("Msvm_Keyboard", devices.keyboards)
    provide("Msvm_Processor", devices.processors)
    provide("Msvm_Memory", devices.memories)
    provide(spare_disks.CLASS, spare_disks.drives)
    provide(merging.SETTING, merging.settings)
    provide("Msvm_EthernetSwitchPort", devices.switch_ports)
    provide("Msvm_SecurityElement", methods_security.elements)
    for name in ("Msvm_SyntheticEthernetPort", "Msvm_EmulatedEthernetPort"):
        provide(name, ports(name))
    for word, *_ in shapes.SERVICES:
        provide(f"Msvm_{word}Component", component(word))


def _windows(host: SimHost) -> None:
    def provide(name: str, source: Callable[[], Iterable[CimInstance]]) -> None:
        host.repository.provide(shapes.CIMV2, name, source)

    provide("Win32_OperatingSystem", lambda: windows.operating_system(host))
    provide(eventlog.CLASS, lambda: host.log)
    provide("Win32_Volume", lambda: windows.volumes(host))
    provide("Win32_LogicalDisk", lambda: windows.drives(host))
    provide(windows_files.FILE, lambda: windows_files.data_files(host))
    provide(windows_files.FOLDER, lambda: windows_files.folders(host))
    for word in (*perf.MAKERS, *(perf.SHARED if host.plan.cluster else ())):
        provide(f"Win32_PerfRawData_{word}", partial(perf.raw, host, word))
        provide(f"Win32_PerfFormattedData_{word}", partial(perf.formatted, host, word))


def _links(host: SimHost) -> None:
    for name in links.MACHINE_LINKS:
        host.repository.provide(
            shapes.VIRTUALIZATION,
            name,
            partial(links.all_of, host, name),
            partial(links.near, host, name),
        )

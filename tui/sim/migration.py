"""The migration service of a host: itself, where it listens, its networks and default settings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from tui.sim import hardware, netinfo, shapes
from tui.wsman.cim import CimInstance, CimRef, CimValue

if TYPE_CHECKING:
    from tui.sim.world import SimHost

SERVICE = "Msvm_VirtualSystemMigrationService"
SETTING = "Msvm_VirtualSystemMigrationSettingData"
SERVICE_SETTING = "Msvm_VirtualSystemMigrationServiceSettingData"
NETWORK = "Msvm_VirtualSystemMigrationNetworkSettingData"
COMPONENT = "Msvm_VirtualSystemMigrationServiceSettingDataComponent"

LIVE, STORAGE, STAGED, WHOLE = 32768, 32769, 32770, 32771
"""MigrationType: the machine, its files, a planned machine, the machine with its files."""
CREDSSP, KERBEROS = 0, 1
TCP = 5


def install(host: SimHost) -> None:
    """Register the service, and store its default settings and networks."""
    store = host.repository
    store.provide(shapes.VIRTUALIZATION, SERVICE, lambda: [service(host)])
    parts = partial(components, host)
    store.provide(shapes.VIRTUALIZATION, COMPONENT, parts, parts)
    for kind, words in (
        (LIVE, "Virtual System"),
        (STORAGE, "Storage"),
        (STAGED, "Staged"),
        (WHOLE, "Virtual System And Storage"),
    ):
        store.add(_default(kind, words))
    for number in host.plan.migration_networks:
        subnet = netinfo.own_address(host, number).rpartition(".")[0] + ".0"
        store.add(network(host, subnet, 24))


def setting(host: SimHost) -> CimInstance:
    """The only Msvm_VirtualSystemMigrationServiceSettingData."""
    return next(host.repository.instances(shapes.VIRTUALIZATION, SERVICE_SETTING))


def enabled(host: SimHost) -> bool:
    return bool(setting(host).values["EnableVirtualSystemMigration"])


def service(host: SimHost) -> CimInstance:
    """The service as it is now."""
    made = hardware.service(host, SERVICE, "migrationwmi", "Hyper-V Migration Service")
    active = [move for move in host.moves if not move.waiting]
    made.values["ActiveStorageMigrationCount"] = sum(move.kind != LIVE for move in active)
    made.values["ActiveVirtualSystemMigrationCount"] = sum(move.kind != STORAGE for move in active)
    made.values["MigrationServiceListenerIPAddressList"] = listeners(host)
    return made


def listeners(host: SimHost) -> tuple[str, ...]:
    """Addresses at which migrations are taken: none when they are switched off."""
    if not enabled(host):
        return ()
    known = [shapes.text(item, "IPAddress") for item in netinfo.addresses(host)]
    own = list(dict.fromkeys(address for address in known if ":" not in address))
    chosen = [
        ip_network(
            f"{shapes.text(item, 'SubnetNumber')}/{shapes.number(item, 'PrefixLength')}", False
        )
        for item in networks(host)
    ]
    return tuple(a for a in own if not chosen or any(ip_address(a) in one for one in chosen))


def networks(host: SimHost) -> list[CimInstance]:
    return list(host.repository.instances(shapes.VIRTUALIZATION, NETWORK))


def network(
    host: SimHost, subnet: str, length: int, metric: int = 0, tags: CimValue = None
) -> CimInstance:
    return shapes.new(
        NETWORK,
        InstanceID=f"Microsoft:{host.name}\\Migration\\{subnet}/{length}",
        ElementName=f"{subnet}/{length}",
        Caption="Virtual System Migration Network Settings",
        Description="A network for migrations.",
        SubnetNumber=subnet,
        PrefixLength=length,
        Metric=metric,
        Tags=tags or (),
    )


def components(host: SimHost, ref: CimRef | None = None) -> Iterator[CimInstance]:
    """The settings of the service and each of its networks."""
    if ref is not None and "migration" not in ref.class_name.lower():
        return
    whole = shapes.setting_ref(setting(host))
    for item in networks(host):
        yield shapes.new(COMPONENT, GroupComponent=whole, PartComponent=shapes.setting_ref(item))


def _default(kind: int, words: str) -> CimInstance:
    return shapes.new(
        SETTING,
        InstanceID=f"Microsoft:Definition\\Migration\\{kind}",
        ElementName=f"{words} Migration Settings",
        Caption=f"{words} Migration Settings",
        Description=f"Default settings of a migration: {words}.",
        MigrationType=kind,
        TransportType=TCP,
        Priority=0,
        Bandwidth=0,
        BandwidthUnit="",
        OtherTransportType="",
        AllowOverwriteExistingFile=False,
        AvoidRemovingVHDs=False,
        CancelIfBlackoutThresholdExceeded=False,
        CPUCappingMagnitude=0,
        DestinationIPAddressList=(),
        DestinationPlannedVirtualSystemId="",
        EnableCompression=True,
        RemoveSourceUnmanagedVhds=False,
        RetainVhdCopiesOnSource=False,
        UnmanagedVhds=(),
    )

"""A host's own facts out of CIM instances. Everything here is a function of its arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from tui.hyperv import clean, templates
from tui.hyperv.model import Host, Volume
from tui.wsman.cim import CimInstance

Rows = Sequence[CimInstance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One reading of what a host is; None was not answered, and what was known before stays."""

    system: Rows | None = None
    os: Rows | None = None
    processors: Rows | None = None
    numa: Rows | None = None
    service: Rows | None = None
    migration: Rows | None = None
    listener: Rows | None = None
    migration_networks: Rows | None = None
    cluster: Rows | None = None
    definitions: Rows | None = None
    """Settings that its management capabilities define."""


def join_host(previous: Host, facts: Facts) -> Host:
    """The host with everything the facts tell."""
    host = previous
    if facts.system:
        host = _with_system(host, facts.system[0])
    if facts.os:
        host = _with_os(host, facts.os[0])
    if facts.processors:
        host = _with_processors(host, facts.processors)
    if facts.numa is not None:
        host = replace(host, numa_nodes=len(facts.numa))
    if facts.service:
        host = _with_service(host, facts.service[0])
    host = _with_migration(host, facts)
    if facts.cluster is not None:
        names = [clean.text(row.get("Name")) for row in facts.cluster]
        host = replace(host, cluster=names[0] if names else "")
    if facts.definitions is not None:
        host = replace(host, boot_templates=templates.join(facts.definitions))
    return host


def _with_migration(host: Host, facts: Facts) -> Host:
    if facts.migration:
        get = facts.migration[0].get
        host = replace(
            host,
            migration_enabled=clean.truth(get("EnableVirtualSystemMigration")),
            max_migrations=clean.number(get("MaximumActiveVirtualSystemMigration")),
            max_storage_migrations=clean.number(get("MaximumActiveStorageMigration")),
            migration_authentication=clean.maybe(get("AuthenticationType")),
            migration_compression=clean.truth(get("EnableCompression")),
            migration_smb=clean.truth(get("EnableSmbTransport")),
        )
    if facts.listener:
        addresses = clean.texts(facts.listener[0].get("MigrationServiceListenerIPAddressList"))
        host = replace(host, migration_addresses=addresses)
    if facts.migration_networks is not None:
        rows = sorted(facts.migration_networks, key=lambda row: clean.number(row.get("Metric")))
        networks = tuple(
            f"{clean.text(row.get('SubnetNumber'))}/{clean.number(row.get('PrefixLength'))}"
            for row in rows
        )
        host = replace(host, migration_networks=networks)
    return host


def _with_system(host: Host, row: CimInstance) -> Host:
    get = row.get
    maker, model = clean.text(get("Manufacturer")), clean.text(get("Model"))
    return replace(
        host,
        name=clean.text(get("Name")) or clean.text(get("DNSHostName")),
        domain=clean.text(get("Domain")) if get("PartOfDomain") is not False else "",
        model=model if model.startswith(maker) else f"{maker} {model}".strip(),
        sockets=clean.number(get("NumberOfProcessors")),
        logical_processors=clean.number(get("NumberOfLogicalProcessors")),
        memory=clean.number(get("TotalPhysicalMemory")),
        hypervisor_present=clean.truth(get("HypervisorPresent")),
    )


def _with_os(host: Host, row: CimInstance) -> Host:
    return replace(
        host,
        os=clean.text(row.get("Caption")),
        build=clean.text(row.get("BuildNumber")),
        booted_at=clean.moment(row.get("LastBootUpTime")),
    )


def _with_processors(host: Host, rows: Rows) -> Host:
    first = rows[0]
    return replace(
        host,
        processor=" ".join(clean.text(first.get("Name")).split()),
        sockets=host.sockets or len(rows),
        cores=sum(clean.number(row.get("NumberOfCores")) for row in rows),
        logical_processors=host.logical_processors
        or sum(clean.number(row.get("NumberOfLogicalProcessors")) for row in rows),
        vt_firmware=clean.truth(first.get("VirtualizationFirmwareEnabled")),
        slat=clean.truth(first.get("SecondLevelAddressTranslationExtensions")),
    )


def _with_service(host: Host, row: CimInstance) -> Host:
    get = row.get
    return replace(
        host,
        numa_spanning=clean.truth(get("NumaSpanningEnabled")),
        root_scheduler=clean.truth(get("HypervisorRootSchedulerEnabled")),
        enhanced_session=clean.truth(get("EnhancedSessionModeEnabled")),
        vhd_path=clean.text(get("DefaultVirtualHardDiskPath"), limit=clean.LONG),
        vm_path=clean.text(get("DefaultExternalDataRoot"), limit=clean.LONG),
        mac_pool_start=clean.text(get("MinimumMacAddress")).upper(),
        mac_pool_end=clean.text(get("MaximumMacAddress")).upper(),
    )


def join_volumes(rows: Iterable[CimInstance]) -> tuple[Volume, ...]:
    """Volumes of Win32_Volume or, on hosts without it, drives of Win32_LogicalDisk."""
    found = [
        Volume(
            name=clean.text(row.get("Name"), limit=clean.LONG),
            label=clean.text(row.get("Label")) or clean.text(row.get("VolumeName")),
            capacity=clean.number(row.get("Capacity")) or clean.number(row.get("Size")),
            free=clean.number(row.get("FreeSpace")),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda volume: volume.name.lower()))

"""Causes that lie with the two hosts: what they let pass, how they sign in, their clocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network

from tui.hyperv.model import Host, Inventory, Link
from tui.hyperv.plans.words import several
from tui.hyperv.preflight.cause import (
    Cause,
    Move,
    Trip,
    Verdict,
    failed,
    passed,
    quoted,
    warned,
)

CREDSSP, KERBEROS = 0, 1
"""Msvm_VirtualSystemMigrationServiceSettingData.AuthenticationType."""
MIGRATION_JOB = "Msvm_MigrationJob"
_STORAGE_JOB = 307
"""JobType of a migration job that moves files alone."""
KERBEROS_SKEW = 300.0
"""Seconds two clocks may differ before Kerberos refuses (its default tolerance)."""
_SKEW = 30.0

_NEWEST = (
    (26100, "12.0"),
    (20348, "10.0"),
    (17763, "9.0"),
    (14393, "8.0"),
    (9600, "5.0"),
)
"""First build, and the newest configuration version its host knows."""
_BETWEEN = range(18000, 20348)
"""Builds of clients between two servers: their versions are not told apart here."""


def _computer(host: Host) -> str:
    return quoted(host.name or host.id)


def reachable(trip: Trip) -> Iterator[Cause]:
    """The other end answers; part of the state of things."""
    vitals = trip.target.vitals
    if vitals.link is Link.DOWN:
        why = f": {vitals.trouble.title}" if vitals.trouble else ""
        yield failed("state", f"{trip.there.id} does not answer{why}")
    elif vitals.link is Link.CONNECTING:
        yield failed("state", f"{trip.there.id} is not connected yet")


def enabled(trip: Trip) -> Iterator[Cause]:
    """Both ends let machines move."""
    if trip.move is Move.CLUSTER:
        yield passed("enabled", "the cluster moves it: its nodes need no setting for that")
        return
    if not trip.leaves:
        return
    for host, way in ((trip.here, "leave"), (trip.there, "come to")):
        if host.migration_enabled is False:
            yield failed(
                "enabled",
                f"live migration is switched off on {host.id}: no machine may {way} it",
                f"hvdeck host set {host.id} --migration-enabled"
                if host.domain
                else f"Enable-VMMigration -ComputerName {_computer(host)}",
            )
        elif host.migration_enabled is None:
            yield warned("enabled", f"{host.id} does not tell whether live migration is on")


def limits(trip: Trip) -> Iterator[Cause]:
    """Turns: how many may move at once, and how many do."""
    if trip.move is Move.CLUSTER:
        return
    ends = (trip.source, trip.target) if trip.leaves else (trip.source,)
    for inventory in ends:
        yield from _turn(inventory, storage=not trip.leaves)


def _turn(inventory: Inventory, *, storage: bool) -> Iterator[Cause]:
    host = inventory.host
    most = host.max_storage_migrations if storage else host.max_migrations
    what = "storage" if storage else "live"
    option = "--max-storage-migrations" if storage else "--max-migrations"
    fix = f"hvdeck host set {host.id} {option} {max(most, 1) + 1}"
    if most == 0:
        if host.migration_enabled is not None:
            text = f"{host.id} takes no {what} migrations at all: its limit is 0"
            yield failed("limits", text, f"hvdeck host set {host.id} {option} 2")
        return
    under_way = sum(
        not job.finished
        and job.class_name == MIGRATION_JOB
        and (job.type == _STORAGE_JOB) is storage
        for job in inventory.jobs.values()
    )
    if under_way >= most:
        yield warned(
            "limits",
            f"{host.id} does {several(most, f'{what} migration')} at once and "
            f"{several(under_way, 'is', 'are')} under way: this one waits for its turn",
            fix,
        )


def authentication(trip: Trip) -> Iterator[Cause]:
    """How the source signs in at the target. Delegation cannot be read over CIM."""
    if not trip.leaves or trip.move is Move.CLUSTER:
        return
    here, there = trip.here, trip.there
    ways = (here.migration_authentication, there.migration_authentication)
    kerberos = "Set-VMHost -ComputerName {} -VirtualMachineMigrationAuthenticationType Kerberos"
    if ways[0] == CREDSSP:
        yield failed(
            "authentication",
            f"{here.id} signs in at {there.id} with CredSSP, which needs somebody signed in on "
            f"{here.id} itself. hvdeck reaches it over WinRM, and what it signed in with there "
            f"cannot be passed on to {there.id} (double hop): the move would fail with 0x8009030E, "
            "no credentials in the security package",
            kerberos.format(_computer(here)),
        )
    elif None not in ways and ways[0] != ways[1]:
        yield failed(
            "authentication",
            f"{here.id} signs in with Kerberos and {there.id} expects CredSSP",
            kerberos.format(_computer(there)),
        )
    elif here.domain and there.domain and here.domain.lower() != there.domain.lower():
        yield warned(
            "authentication",
            f"{here.id} is in {here.domain} and {there.id} in {there.domain}: Kerberos delegates "
            "across domains only by resource-based delegation, else 0x8009030E",
            delegation(here, there),
        )
    elif ways[0] is None:
        yield warned("authentication", f"{here.id} does not tell how it signs in at other hosts")
    else:
        yield Cause(
            "authentication",
            Verdict.PASS,
            f"Kerberos: {here.id} must be trusted for delegation to {there.id}, which only the "
            "directory knows; the host's own verdict decides (0x8009030E when it is missing)",
            delegation(here, there),
        )


def delegation(here: Host, there: Host) -> str:
    """What gives one computer the right to hand over machines to another, with any protocol."""
    full = f"{there.name or there.id}.{there.domain}" if there.domain else there.name or there.id
    services = ", ".join(
        quoted(f"{service}/{name}")
        for service in ("Microsoft Virtual System Migration Service", "cifs")
        for name in (full, there.name or there.id)
    )
    account = quoted(here.name or here.id)
    return (
        f"Get-ADComputer {account} | Set-ADObject -Add "
        f"@{{'msDS-AllowedToDelegateTo' = {services}}}; "
        f"Get-ADComputer {account} | Set-ADAccountControl -TrustedToAuthForDelegation $true"
    )


def newest_version(build: str) -> str:
    """The newest configuration version of a Windows build; empty when that is not known."""
    number = max((int(part) for part in build.split(".") if part.isdigit()), default=0)
    if number in _BETWEEN:
        return ""
    return next((version for first, version in _NEWEST if number >= first), "")


def version(trip: Trip) -> Iterator[Cause]:
    """The target's Windows knows the machine's configuration version."""
    if not trip.leaves:
        return
    own, known = trip.vm.version, newest_version(trip.there.build)
    if not own or not known:
        yield warned(
            "version",
            f"whether {trip.there.id} knows configuration version {own or '(not told)'} of "
            f"{trip.name} cannot be told from its build {trip.there.build or '(not told)'}",
        )
    elif _number(own) > _number(known):
        yield failed(
            "version",
            f"{trip.name} has configuration version {own}; {trip.there.id} "
            f"({trip.there.os or 'build ' + trip.there.build}) knows versions up to {known}, and "
            "a version is never lowered",
            f"move it to a host with at least the Windows of {trip.here.id}, or update "
            f"{trip.there.id}",
        )
    else:
        yield passed("version", f"{trip.there.id} knows configuration version {own}")


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def networks(trip: Trip) -> Iterator[Cause]:
    """Where the target listens, and whether the source goes there."""
    if not trip.leaves or trip.move is Move.CLUSTER:
        return
    here, there = trip.here, trip.there
    if not there.migration_addresses:
        if there.migration_enabled:
            yield warned(
                "networks",
                f"{there.id} tells no address on which it takes migrations",
                f"Get-VMMigrationNetwork -ComputerName {_computer(there)}",
            )
        return
    if here.migration_networks and not _meet(there.migration_addresses, here.migration_networks):
        yield warned(
            "networks",
            f"{here.id} keeps migrations to {', '.join(here.migration_networks)}, and {there.id} "
            f"listens on {', '.join(there.migration_addresses)}: the traffic takes another way "
            "or none",
            f"Add-VMMigrationNetwork -ComputerName {_computer(there)} "
            f"-Subnet {here.migration_networks[0]}",
        )
    elif here.migration_smb != there.migration_smb and None not in (
        here.migration_smb,
        there.migration_smb,
    ):
        smb, tcp = (here, there) if here.migration_smb else (there, here)
        yield warned(
            "networks",
            f"{smb.id} moves memory over SMB (port 445), {tcp.id} over TCP (port 6600): what "
            "counts is the source",
            f"Set-VMHost -ComputerName {_computer(tcp)} "
            "-VirtualMachineMigrationPerformanceOption SMB",
        )
    else:
        yield passed(
            "networks",
            f"{there.id} listens on {', '.join(there.migration_addresses)}, {_way(here)}",
        )


def _way(host: Host) -> str:
    if host.migration_smb:
        return f"{host.id} sends over SMB"
    return f"{host.id} sends {'compressed ' if host.migration_compression else ''}over TCP"


def _meet(addresses: Iterable[str], subnets: Iterable[str]) -> bool:
    """Some address is in some subnet; what cannot be read is no reason."""
    try:
        known = [ip_network(subnet, strict=False) for subnet in subnets]
        return any(ip_address(one) in net for one in addresses for net in known)
    except ValueError:
        return True


def clock(trip: Trip) -> Iterator[Cause]:
    """Both clocks show the same, as Kerberos wants."""
    first, second = trip.source.vitals.clock, trip.target.vitals.clock
    if not trip.leaves or first is None or second is None:
        return
    apart = abs(second - first)
    ahead = trip.there if second > first else trip.here
    text = f"the clock of {ahead.id} is {apart:.0f} s ahead of that of the other host"
    fix = f"w32tm /resync /computer:{ahead.name or ahead.id}"
    if apart > KERBEROS_SKEW:
        why = "Kerberos refuses more than 300 s unless the domain says otherwise"
        yield warned("clock", f"{text}: {why}; the host's own verdict decides", fix)
    elif apart > _SKEW:
        yield warned("clock", f"{text}: what it logs and when it fails will not fit together", fix)
    else:
        yield passed("clock", f"the clocks of {trip.here.id} and {trip.there.id} agree")

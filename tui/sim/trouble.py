"""The scene ``troubled``: hosts that refuse, dawdle or lack the role, machines gone wrong."""

from __future__ import annotations

from tui.sim.plan import (
    GB,
    CheckpointPlan,
    HostPlan,
    NicPlan,
    SwitchPlan,
    UplinkPlan,
    VmPlan,
    VolumePlan,
)
from tui.sim.world import Fabric

BROADCOM = "Broadcom NetXtreme Gigabit Ethernet"
DAY = 86400.0


def furnish(fabric: Fabric) -> None:
    """Hosts that refuse, dawdle or lack the role, and machines with something wrong."""
    lan = (NicPlan("LAN"),)

    def host(name: str, vms: tuple[VmPlan, ...], **more: object) -> None:
        fabric.add(
            HostPlan(
                name,
                cores=8,
                memory=64 * GB,
                uplinks=(UplinkPlan("NIC1", BROADCOM, 1_000_000_000),),
                switches=(SwitchPlan("LAN", "external", (0,)),),
                volumes=(
                    VolumePlan("C:\\", "OS", 446, 420, 0.1),
                    VolumePlan("D:\\", "Data", 1800, 1797, 0.0),
                ),
                vms=vms,
                **more,  # type: ignore[arg-type]
            )
        )

    plain = (VmPlan("app01", "ws2022", "app", nics=lan), VmPlan("db01", "ws2022", "db", nics=lan))
    host("HV-BAD", _odd(lan))
    host("HV-REFUSES", plain)
    host("HV-SLOW", plain)
    host("HV-NOROLE", ())
    host("HV-FLAKY", plain)
    host("HV-DENIED", plain)
    host(
        "HV-DE",
        (VmPlan("büro-srv", "ws2019", "file", nics=lan, notes="Müllerstraße 7 #büro"),),
        os="german",
    )
    fabric.hosts["HV-REFUSES"].faults.http.refuse_auth = True
    fabric.hosts["HV-SLOW"].faults.http.latency = 2.5
    fabric.hosts["HV-NOROLE"].faults.missing_namespaces = {"root/virtualization/v2"}
    fabric.hosts["HV-FLAKY"].faults.http.drop_after = 3
    fabric.hosts["HV-FLAKY"].faults.job_fails_at = 60
    fabric.hosts["HV-DENIED"].faults.access_denied = True


def _odd(lan: tuple[NicPlan, ...]) -> tuple[VmPlan, ...]:
    full = "The volume with its disks is full #storage"
    return (
        VmPlan("stuck-stopping", "ws2016", "app", nics=lan, state="stopping", stuck=True),
        VmPlan("stuck-guest", "ws2019", "app", nics=lan, stuck=True, notes="Never shuts down"),
        VmPlan("stuck-starting", "ws2019", "idle", nics=lan, state="starting", uptime=7200.0),
        VmPlan("sql-full", "ws2022", "db", 4, 8 * GB, nics=lan, state="critical", notes=full),
        VmPlan("files-full", "ws2022", "file", 2, 4 * GB, nics=lan, state="critical", notes=full),
        VmPlan("[red]markup[/red]", "ubuntu24", "web", nics=lan, notes="[bold]not bold[/bold]"),
        VmPlan(
            "esc\x1b[31mred\x1b[0m",
            "ubuntu24",
            "idle",
            nics=lan,
            notes="bell \x07 and \x1b]0;t\x07",
        ),
        VmPlan("quote'\"s & <tags>", "ubuntu24", "idle", nics=lan, notes='a & b < c > d "e"'),
        VmPlan("データベース01", "ws2022", "db", nics=lan, notes="本番 #日本"),
        VmPlan("größer-früher-straße", "ws2022", "web", nics=lan, notes="Umlaute äöü ß #de"),
        VmPlan("twin", "debian12", "idle", nics=lan, notes="first of two"),
        VmPlan("twin", "debian12", "idle", nics=lan, notes="second of two"),
        VmPlan("lost-disk", "ws2022", "app", nics=lan, state="off", lost_disk=True),
        VmPlan("too-big", "ws2022", "db", 8, 96 * GB, nics=lan, state="off"),
        VmPlan(
            "orphan",
            "debian12",
            "idle",
            nics=(NicPlan(),),
            state="off",
            checkpoints=(CheckpointPlan("orphan - Backup", 40 * DAY, "recovery"),),
        ),
        VmPlan(
            "a-name-that-is-far-longer-than-any-column-of-any-table-could-ever-show-in-full",
            "debian12",
            "idle",
            nics=lan,
        ),
    )

"""Named worlds: homelab, datacenter, cluster, troubled, replica, large, migration."""

from __future__ import annotations

from collections.abc import Callable

from tui.errors import UsageError
from tui.sim.plan import (
    GB,
    ClusterPlan,
    HostPlan,
    NicPlan,
    SwitchPlan,
    UplinkPlan,
    VmPlan,
    VolumePlan,
)
from tui.sim.world import Clock, Fabric, RunningClock

DAY = 86400.0
HOUR = 3600.0

INTEL = "Intel(R) Ethernet Controller X710 for 10GbE SFP+"
MELLANOX = "Mellanox ConnectX-5 Adapter"
REALTEK = "Realtek PCIe 2.5GbE Family Controller"
ISO = "D:\\ISO\\"


def build(
    name: str, *, clock: Clock | None = None, seed: int = 1, hosts: int = 0, vms: int = 0
) -> Fabric:
    """A fabric furnished as the scene says; ``hosts`` and ``vms`` matter to ``large`` only."""
    scene = SCENES.get(name)
    if scene is None:
        raise UsageError(
            f"no scene {name!r}", cause=f"there are {', '.join(SCENES)}", hint="--scene datacenter"
        )
    fabric = Fabric(clock or RunningClock(), seed)
    scene(fabric, hosts, vms)
    return fabric


def _nic(switch: str, vlan: int = 0, **more: object) -> NicPlan:
    return NicPlan(switch, vlan, **more)  # type: ignore[arg-type]


def homelab(fabric: Fabric, hosts: int = 0, vms: int = 0) -> None:
    """One small machine in a cupboard."""
    from tui.sim import homelab as scene  # a scene is loaded when it is wanted

    scene.furnish(fabric)


def datacenter(fabric: Fabric, hosts: int = 0, vms: int = 0) -> None:
    """Two standalone hosts, this machine, and a cluster of four: the default."""
    from tui.sim import estate  # a scene is loaded when it is wanted

    estate.furnish(fabric)


def cluster(fabric: Fabric, hosts: int = 0, vms: int = 0) -> None:
    """A failover cluster of four, roles of every kind, and memory for the loss of one node."""
    from tui.sim import failover  # a scene is loaded when it is wanted

    failover.furnish(fabric)


def troubled(fabric: Fabric, hosts: int = 0, vms: int = 0) -> None:
    """Everything that can be wrong, side by side."""
    from tui.sim import trouble

    trouble.furnish(fabric)


def migration(fabric: Fabric, hosts: int = 0, vms: int = 0) -> None:
    """Six hosts of one domain, and machines that can move between them or cannot."""
    from tui.sim import movers

    movers.furnish(fabric)


def replica(fabric: Fabric, hosts: int = 0, vms: int = 0) -> None:
    """Two hosts that replicate to each other, in every state and health."""
    from tui.sim import replica_scene as scene  # a scene is loaded when it is wanted

    scene.furnish(fabric)


# -- large ---------------------------------------------------------------------------------

_ROLES = (
    ("web", "ubuntu24", "web", 2, 4),
    ("app", "ws2022", "app", 4, 8),
    ("db", "ws2022", "db", 8, 32),
    ("cache", "debian12", "app", 2, 8),
    ("job", "rhel9", "idle", 2, 4),
    ("vdi", "w11", "desktop", 2, 8),
    ("file", "ws2019", "file", 2, 8),
)


def large(fabric: Fabric, hosts: int = 10, vms: int = 100) -> None:
    """``hosts`` hosts with ``vms`` machines each. Hosts are built when first asked."""
    per_host = vms or 100
    for index in range(hosts or 10):
        fabric.add(
            HostPlan(
                f"HV{index + 1:03d}",
                processor="AMD EPYC 7763 64-Core Processor",
                cores=64,
                memory=max(512, per_host * 12) * GB,
                uplinks=(UplinkPlan("SLOT 3 Port 1", MELLANOX, 25_000_000_000),),
                switches=(SwitchPlan("Production", "external", (0,)),),
                volumes=(
                    VolumePlan("C:\\", "OS", 446, 120, 0.1),
                    VolumePlan("D:\\", "Data", max(8000, per_host * 90), per_host * 40, 6),
                ),
                vms=tuple(_extra(index, number) for number in range(per_host)),
            )
        )


def _extra(host: int, number: int) -> VmPlan:
    name, system, character, cpus, memory = _ROLES[(host * 3 + number) % len(_ROLES)]
    state = "off" if number % 17 == 16 else "saved" if number % 41 == 40 else "running"
    return VmPlan(
        f"{name}-{host + 1:03d}-{number + 1:03d}",
        system,
        character,
        cpus,
        memory * GB,
        memory * 2 * GB if number % 3 == 0 else 0,
        1 * GB,
        nics=(NicPlan("Production", 100 + number % 8),),
        state=state,
        notes=f"#{name} #site{host % 4 + 1}",
    )


SCENES: dict[str, Callable[[Fabric, int, int], None]] = {
    "homelab": homelab,
    "datacenter": datacenter,
    "cluster": cluster,
    "troubled": troubled,
    "replica": replica,
    "large": large,
    "migration": migration,
}

__all__ = ["SCENES", "ClusterPlan", "build"]

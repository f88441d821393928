"""The scene ``homelab``: one small machine in a cupboard."""

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

DAY = 86400.0
REALTEK = "Realtek PCIe 2.5GbE Family Controller"
LAN = (NicPlan("LAN"),)

VMS = (
    VmPlan(
        "homeassistant",
        "debian12",
        "monitor",
        2,
        4 * GB,
        nics=LAN,
        disks=(32,),
        notes="Home automation #home",
    ),
    VmPlan(
        "nas",
        "ubuntu24",
        "file",
        2,
        8 * GB,
        nics=LAN,
        disks=(40, 1000),
        notes="Samba and backups #home #storage",
    ),
    VmPlan(
        "k3s",
        "ubuntu24",
        "app",
        4,
        6 * GB,
        12 * GB,
        2 * GB,
        nics=LAN,
        disks=(80,),
        nested=True,
        notes="#lab",
    ),
    VmPlan("media", "debian12", "web", 4, 6 * GB, nics=LAN, disks=(64, 2000)),
    VmPlan(
        "win11-test",
        "w11",
        "desktop",
        4,
        4 * GB,
        8 * GB,
        2 * GB,
        nics=(NicPlan("Default Switch"),),
        state="saved",
        tpm=True,
        checkpoints=(
            CheckpointPlan("clean install", 30 * DAY),
            CheckpointPlan("before updates", 6 * DAY),
        ),
    ),
    VmPlan(
        "router-lab",
        "freebsd14",
        "idle",
        1,
        1 * GB,
        generation=1,
        state="off",
        nics=(NicPlan("LAN", legacy=True), NicPlan("Lab", legacy=True)),
        disks=(8,),
        iso="D:\\ISO\\FreeBSD-14.2-RELEASE-amd64-disc1.iso",
    ),
)


def furnish(fabric: Fabric) -> None:
    """The host and its machines."""
    fabric.add(
        HostPlan(
            "NUC01",
            os="w11",
            vendor="Intel(R) Client Systems",
            model="NUC13ANHi7",
            processor="13th Gen Intel(R) Core(TM) i7-1360P",
            clock=2200,
            sockets=1,
            cores=8,
            memory=64 * GB,
            domain="",
            uplinks=(UplinkPlan("Ethernet", REALTEK, 2_500_000_000),),
            switches=(
                SwitchPlan("LAN", "external", (0,)),
                SwitchPlan("Default Switch", "nat"),
                SwitchPlan("Lab", "private"),
            ),
            volumes=(
                VolumePlan("C:\\", "Windows", 930, 410, 0.8),
                VolumePlan("D:\\", "VMs", 1860, 1480, 2.2),
            ),
            uptime=12 * DAY,
            vms=VMS,
        )
    )

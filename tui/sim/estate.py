"""The hosts of the scene ``datacenter``: their hardware, switches and volumes."""

from __future__ import annotations

from tui.sim.estate_vms import CLUSTER, CSV, DOMAIN, HV01, HV02, LOCAL
from tui.sim.plan import (
    GB,
    ClusterPlan,
    HostPlan,
    SwitchPlan,
    UplinkPlan,
    VolumePlan,
)
from tui.sim.world import Fabric

DAY = 86400.0
INTEL = "Intel(R) Ethernet Controller X710 for 10GbE SFP+"
MELLANOX = "Mellanox ConnectX-5 Adapter"
BROADCOM = "Broadcom NetXtreme Gigabit Ethernet"
OVERLAP = ("00155D19F000", "00155D1AEFFF")
"""A pool that begins inside the one of NODE3."""


def _pair(index: int) -> tuple[UplinkPlan, ...]:
    return (
        UplinkPlan("NIC1", BROADCOM, 1_000_000_000),
        UplinkPlan("SLOT 2 Port 1", INTEL),
        UplinkPlan("SLOT 2 Port 2", f"{INTEL} #2"),
        UplinkPlan("NIC2", f"{BROADCOM} #2", 1_000_000_000),
        UplinkPlan("NIC3", f"{BROADCOM} #3", 1_000_000_000),
    )[: 5 if index else 3]


def _teamed() -> tuple[UplinkPlan, ...]:
    """The adapters of a host that grew: two more ports, teamed by Windows."""
    words = "Microsoft Network Adapter Multiplexor Driver"
    return (
        *_pair(0),
        UplinkPlan("SLOT 5 Port 1", f"{INTEL} #3"),
        UplinkPlan("SLOT 5 Port 2", f"{INTEL} #4"),
        UplinkPlan("Team-OT", words, 20_000_000_000, ("SLOT 5 Port 1", "SLOT 5 Port 2")),
    )


def furnish(fabric: Fabric) -> None:
    """The datacenter: HV01, HV02, LOCALHOST, and the cluster PRODCL with four nodes."""
    plan = ClusterPlan(
        "PRODCL",
        DOMAIN,
        ("Volume1", "Volume2", "Volume3"),
        (
            ("Management", "10.20.10.0", 3),
            ("Live Migration", "10.20.90.0", 1),
            ("Cluster Heartbeat", "10.20.91.0", 1),
        ),
        share="\\\\files01.corp.example.com\\witness$",
    )
    fabric.form(plan)
    _standalone(fabric)
    _this_machine(fabric)
    _cluster(fabric)


def _this_machine(fabric: Fabric) -> None:
    fabric.add(
        HostPlan(
            "LOCALHOST",
            os="w11",
            vendor="hvdeck",
            model="This machine",
            processor="The processor of this machine",
            sockets=1,
            cores=1,
            domain="",
            uplinks=(UplinkPlan("Ethernet", "All network interfaces", 1_000_000_000),),
            switches=(SwitchPlan("Default Switch", "nat"), SwitchPlan("Lab", "private")),
            volumes=(VolumePlan("C:\\", "This machine", 1, 0),),
            uptime=3 * DAY,
            local=True,
            vms=LOCAL,
            store="C:\\Hyper-V",
        )
    )


def _cluster(fabric: Fabric) -> None:
    for index in range(4):
        fabric.add(
            HostPlan(
                f"NODE{index + 1}",
                os="ws2022",
                model="PowerEdge R750",
                processor="Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz",
                cores=32,
                memory=512 * GB,
                cluster="PRODCL",
                uplinks=(
                    UplinkPlan("NIC1", BROADCOM, 1_000_000_000),
                    UplinkPlan("SLOT 3 Port 1", MELLANOX, 25_000_000_000),
                    UplinkPlan("SLOT 3 Port 2", f"{MELLANOX} #2", 25_000_000_000, down=index == 1),
                ),
                switches=(
                    SwitchPlan("Production", "external", (1, 2), vlan=10),
                    SwitchPlan("Storage", "internal"),
                ),
                volumes=(
                    VolumePlan("C:\\", "OS", 446, 96, 0.1),
                    VolumePlan(CSV + "Volume1\\", "Volume1", 12000, 7900, 9),
                    VolumePlan(CSV + "Volume2\\", "Volume2", 12000, 8600, 12),
                    VolumePlan(CSV + "Volume3\\", "Volume3", 8000, 7300, 4),
                ),
                uptime=(48 - 3 * index) * DAY,
                store=CSV + f"Volume{index % 3 + 1}",
                vms=CLUSTER[index],
                pool=OVERLAP if index == 3 else ("", ""),
            )
        )


def _standalone(fabric: Fabric) -> None:
    volumes = (
        VolumePlan("C:\\", "OS", 446, 130, 0.1),
        VolumePlan("D:\\", "Hyper-V", 7400, 5700, 5),
        VolumePlan("E:\\", "Backup", 14800, 9100, 20),
    )
    fabric.add(
        HostPlan(
            "HV01",
            os="ws2025",
            model="PowerEdge R760",
            processor="Intel(R) Xeon(R) Gold 6444Y",
            clock=3600,
            cores=16,
            memory=384 * GB,
            uplinks=_pair(1),
            switches=(
                SwitchPlan("Production", "external", (1, 2), vlan=10),
                SwitchPlan("DMZ", "external", (3,), shared=False),
                SwitchPlan("Backup", "internal"),
                SwitchPlan("vSwitch-Prod", "external", (4,), shared=False),
            ),
            groups=(
                ("Databases", ("sql01", "sql02")),
                ("Backup window A", ("dc01", "files01", "exch01", "sql01")),
            ),
            volumes=volumes,
            uptime=41 * DAY,
            vms=HV01,
            spare_disks=((4, "DELL PERC H755", 3576), (5, "DELL PERC H755", 3576)),
        )
    )
    fabric.add(
        HostPlan(
            "HV02",
            os="ws2019",
            vendor="HPE",
            model="ProLiant DL380 Gen10",
            processor="Intel(R) Xeon(R) Silver 4214 CPU @ 2.20GHz",
            clock=2200,
            cores=12,
            memory=192 * GB,
            uplinks=_teamed(),
            switches=(
                SwitchPlan("Production", "external", (1,)),
                SwitchPlan("Build", "private"),
                SwitchPlan("Host only", "internal"),
                SwitchPlan("vSwitch_Prod", "external", (5,), shared=False),
            ),
            volumes=volumes[:2],
            uptime=96 * DAY,
            vms=HV02,
        )
    )

"""The scene ``cluster``: four nodes that bear the loss of one, and roles of every kind."""

from __future__ import annotations

from collections.abc import Mapping

from tui.sim.plan import (
    GB,
    CheckpointPlan,
    ClusterPlan,
    HostPlan,
    NicPlan,
    RolePlan,
    SwitchPlan,
    UplinkPlan,
    VmPlan,
    VolumePlan,
)
from tui.sim.world import Fabric

DAY = 86400.0
DOMAIN = "corp.example.com"
CSV = "C:\\ClusterStorage\\"
MELLANOX = "Mellanox ConnectX-5 Adapter"
BROADCOM = "Broadcom NetXtreme Gigabit Ethernet"
LOW, MEDIUM, HIGH = 1000, 2000, 3000
HOME = ("NODE1", "NODE2")
CONTROLLERS = RolePlan(HIGH, apart=("Domain controllers",))


def _vm(
    name: str,
    system: str,
    character: str,
    size: tuple[int, int],
    volume: int,
    role: RolePlan | None = None,
    **more: object,
) -> VmPlan:
    """A machine with processors and GB of memory, on one of the shared volumes."""
    nics = more.pop("nics", (NicPlan("Production", 20),))
    return VmPlan(
        name,
        system,
        character,
        size[0],
        size[1] * GB,
        nics=nics,  # type: ignore[arg-type]
        domain=DOMAIN,
        role=role or RolePlan(),
        **{"volume": f"{CSV}Volume{volume}", **more},  # type: ignore[arg-type]
    )


FIRST = (
    _vm("dc-a", "ws2022core", "dc", (2, 6), 1, CONTROLLERS, notes="Domain controller #tier0"),
    _vm(
        "sql-erp",
        "ws2022",
        "db",
        (8, 40),
        1,
        RolePlan(HIGH, HOME, failback=True),
        disks=(120, 800),
        notes="Goes home by itself #erp #db #tier1",
    ),
    _vm("app-erp1", "ws2022", "app", (4, 16), 1, RolePlan(HIGH, HOME), notes="#erp #tier1"),
    _vm("app-erp2", "ws2022", "app", (4, 16), 1, RolePlan(HIGH, HOME), notes="#erp #tier1"),
    _vm("web-erp1", "ws2022", "web", (4, 8), 2, notes="#erp"),
    _vm("web-erp2", "ws2022", "web", (4, 8), 2, notes="#erp"),
    _vm("mail1", "ws2019", "mail", (8, 32), 2, RolePlan(HIGH), disks=(150, 900), notes="#mail"),
    _vm("files1", "ws2022", "file", (4, 12), 3, disks=(100, 1400), notes="#office"),
    _vm("print1", "ws2019", "idle", (2, 4), 3, RolePlan(LOW), notes="#office"),
    _vm("wiki", "debian12", "web", (2, 6), 2, RolePlan(LOW), notes="#office"),
    _vm("git", "ubuntu24", "app", (4, 12), 2, notes="#dev"),
    _vm("ci-1", "ubuntu24", "build", (8, 16), 3, RolePlan(LOW), notes="#dev"),
    _vm("ci-2", "ubuntu24", "build", (8, 16), 3, RolePlan(LOW), notes="#dev"),
    _vm("metrics", "ubuntu24", "monitor", (4, 12), 3, notes="#infra"),
    _vm("logs", "rhel9", "monitor", (4, 16), 3, disks=(60, 900), notes="#infra"),
    _vm("proxy", "debian12", "web", (2, 4), 1, notes="#network"),
    _vm("radius", "ws2022core", "idle", (2, 4), 1, RolePlan(HIGH), notes="#network"),
    _vm("vdi-gold", "w11", "desktop", (4, 8), 3, RolePlan(0), state="off", notes="Never starts"),
)
SECOND = (
    _vm("dc-b", "ws2022core", "dc", (2, 6), 2, CONTROLLERS, notes="Domain controller #tier0"),
    _vm(
        "licences",
        "ws2019",
        "idle",
        (2, 8),
        2,
        RolePlan(MEDIUM, ("NODE2",), locked=True),
        notes="Locked to its node: the licence knows it #office",
    ),
    _vm("crm", "ws2022", "app", (4, 24), 2, notes="#crm"),
    _vm("crm-db", "ws2022", "db", (8, 48), 2, RolePlan(HIGH), disks=(100, 500), notes="#crm #db"),
    _vm("lab-vm", "ubuntu24", "idle", (2, 4), 2, RolePlan(0), notes="No priority: stays off"),
)
THIRD = (
    _vm(
        "installer",
        "ws2022",
        "idle",
        (2, 8),
        3,
        iso="C:\\ISO\\setup.iso",
        notes="An ISO of the node's own disk keeps it here",
    ),
    _vm(
        "plc-gateway",
        "ws2019",
        "app",
        (2, 8),
        3,
        nics=(NicPlan("Production", 20), NicPlan("Plant", 60, name="Plant")),
        notes="Its switch 'Plant' is on NODE3 and NODE4 only #facility",
    ),
    _vm("bi", "ws2022", "db", (8, 56), 3, RolePlan(LOW), disks=(100, 700), notes="#bi #db"),
    _vm(
        "shop",
        "rhel9",
        "web",
        (4, 24),
        1,
        notes="#shop",
        checkpoints=(CheckpointPlan("before update", 2 * DAY, "production"),),
    ),
)
FOURTH = (
    _vm("k8s-1", "ubuntu24", "app", (8, 40), 1, RolePlan(apart=("k8s",)), notes="#k8s"),
    _vm("k8s-2", "ubuntu24", "app", (8, 40), 1, RolePlan(apart=("k8s",)), notes="#k8s"),
    _vm("test-sql", "ws2022", "db", (4, 16), 2, RolePlan(LOW), state="saved", notes="#dev"),
    VmPlan(
        "backup-proxy",
        "ws2022",
        "backup",
        4,
        16 * GB,
        nics=(NicPlan("Production", 20),),
        volume="D:\\Hyper-V",
        clustered=False,
        notes="Not clustered: it stays with its node #backup",
        domain=DOMAIN,
    ),
)
MACHINES: Mapping[str, tuple[VmPlan, ...]] = {
    "NODE1": FIRST,
    "NODE2": SECOND,
    "NODE3": THIRD,
    "NODE4": FOURTH,
}


def furnish(fabric: Fabric) -> None:
    """The cluster FCL1 with its four nodes."""
    fabric.form(
        ClusterPlan(
            "FCL1",
            DOMAIN,
            ("Volume1", "Volume2", "Volume3"),
            (
                ("Management", "10.30.10.0", 3),
                ("Live Migration", "10.30.90.0", 1),
                ("Cluster Heartbeat", "10.30.91.0", 1),
            ),
            share="\\\\witness.corp.example.com\\fcl1$",
            migrations=2,
        )
    )
    for index, (name, machines) in enumerate(MACHINES.items()):
        fabric.add(_node(name, index, machines))


def _node(name: str, index: int, machines: tuple[VmPlan, ...]) -> HostPlan:
    plant = (SwitchPlan("Plant", "external", (2,), shared=False),)
    return HostPlan(
        name,
        os="ws2022",
        processor="Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz",
        cores=32,
        memory=256 * GB,
        cluster="FCL1",
        uplinks=(
            UplinkPlan("NIC1", BROADCOM, 1_000_000_000),
            UplinkPlan("SLOT 3 Port 1", MELLANOX, 25_000_000_000),
            UplinkPlan("SLOT 3 Port 2", f"{MELLANOX} #2", 25_000_000_000),
        ),
        switches=(
            SwitchPlan("Production", "external", (1,), vlan=10),
            *(plant if index >= 2 else ()),
        ),
        volumes=(
            VolumePlan("C:\\", "OS", 446, 96, 0.1),
            VolumePlan("D:\\", "Local", 1800, 300, 0.5),
            VolumePlan(CSV + "Volume1\\", "Volume1", 8000, 4100, 6),
            VolumePlan(CSV + "Volume2\\", "Volume2", 8000, 5600, 8),
            VolumePlan(CSV + "Volume3\\", "Volume3", 8000, 6700, 4),
        ),
        uptime=(40 - 4 * index) * DAY,
        store=CSV + f"Volume{index % 3 + 1}",
        vms=machines,
    )

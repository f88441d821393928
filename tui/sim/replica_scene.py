"""The scene ``replica``: two hosts, and relationships in every state and health.

From BERLIN to DRESDEN, with the state of primary/replica:

==============  ====  ==========================================================================
erp-db          3/3   ok: every 30 s, 24 recovery points, application-consistent each 4 h
shop-web        3/3   warning: a slow line, a quarter of the cycles missed
files           3/3   warning: over two hours behind
mail            7/3   warning: paused by somebody on the primary
intranet        3/7   warning: paused on the replica, cycles fail
crm             8/3   critical: the line is down, cycles have failed until it gave up
archive         8/8   critical: no room on the replica's volume
wiki            9/3   critical: requires resynchronization
docs           10/10  warning: is being resynchronized
vdi-gold       11/3   warning: resynchronization paused
hr-app          1/2   warning: initial replication not started
legacy-app      2/2   ok: initial replication under way
print           4/3   warning: off and prepared for a planned failover
build           8/5   failed over unplanned; the primary knows no more than that cycles fail
license         8/6   failed over and completed, not reversed
lab             none  not replicated
==============  ====  ==========================================================================

From DRESDEN to BERLIN: dns02 3/3, ok, every 900 s, with a test machine left behind on BERLIN.
"""

from __future__ import annotations

from tui.sim.plan import GB, HostPlan, NicPlan, ReplicaPlan, SwitchPlan, UplinkPlan, VmPlan
from tui.sim.plan import VolumePlan as Volume
from tui.sim.world import Fabric

DAY, HOUR = 86400.0, 3600.0
MELLANOX = "Mellanox ConnectX-5 Adapter"
TO = "DRESDEN"
LAN = (NicPlan("Production", 10),)

PLANS = (
    ReplicaPlan("erp-db", TO, 30, 24, 4, succeeded=719, missed=1),
    ReplicaPlan("shop-web", TO, rate=70, succeeded=54, missed=18),
    ReplicaPlan("files", TO, 900, 4, rate=600, lag=2.2 * HOUR, succeeded=15, missed=9),
    ReplicaPlan("mail", TO, 300, 8, state=7, lag=0.7 * HOUR, succeeded=63),
    ReplicaPlan("intranet", TO, other=7, lag=600.0, succeeded=70, missed=2, failed=2),
    ReplicaPlan("crm", TO, state=8, lag=1.5 * HOUR, missed=4, failed=4, trouble="down"),
    ReplicaPlan("archive", TO, 900, state=8, other=8, lag=3 * HOUR, missed=1, trouble="full"),
    ReplicaPlan("wiki", TO, 900, state=9, lag=26 * HOUR, succeeded=0),
    ReplicaPlan("docs", TO, 300, state=10, other=10, lag=5 * HOUR, succeeded=11),
    ReplicaPlan("vdi-gold", TO, 300, state=11, lag=9 * HOUR, succeeded=2),
    ReplicaPlan("hr-app", TO, 300, state=1, other=2),
    ReplicaPlan("legacy-app", TO, 900, state=2, other=2),
    ReplicaPlan("print", TO, state=4, lag=240.0),
    ReplicaPlan("build", TO, 300, 2, state=8, other=5, lag=0.4 * HOUR, failed_over=1),
    ReplicaPlan("license", TO, 300, state=8, other=6, lag=30 * HOUR, failed_over=2),
)


def _vm(name: str, system: str, character: str, size: tuple[int, int], **more: object) -> VmPlan:
    cpus, memory = size
    values = {"nics": LAN, "domain": "corp.example.com", **more}
    return VmPlan(name, system, character, cpus, memory * GB, **values)  # type: ignore[arg-type]


BERLIN = (
    _vm("erp-db", "ws2022", "db", (8, 32), disks=(120, 400), notes="ERP database #tier1"),
    _vm("shop-web", "ubuntu24", "web", (4, 8), notes="Shop front #shop"),
    _vm("files", "ws2022", "file", (4, 8), disks=(80, 800), notes="Departments' shares"),
    _vm("mail", "ws2019", "mail", (4, 16), disks=(100, 500), notes="Paused for the line work"),
    _vm("intranet", "ubuntu22", "web", (2, 4)),
    _vm("crm", "ws2022", "app", (4, 8)),
    _vm("archive", "rhel9", "file", (2, 4), disks=(40, 600)),
    _vm("wiki", "debian12", "app", (2, 4)),
    _vm("docs", "debian12", "app", (2, 4), disks=(2000,)),
    _vm("vdi-gold", "w11", "desktop", (2, 4)),
    _vm("hr-app", "ws2022", "app", (2, 4)),
    _vm("legacy-app", "ws2012r2", "idle", (2, 4), generation=1, disks=(1500,)),
    _vm("print", "ws2019", "idle", (2, 4), state="off"),
    _vm("build", "ubuntu22", "build", (4, 8), state="off"),
    _vm("license", "ws2019", "idle", (1, 2), state="off"),
    _vm("lab", "debian12", "idle", (1, 2)),
)
DRESDEN = (_vm("dns02", "ws2022core", "dc", (2, 4)), _vm("edge02", "freebsd14", "web", (2, 4)))


def furnish(fabric: Fabric) -> None:
    """Both hosts; each takes the replicas of the other."""
    back = (ReplicaPlan("dns02", "BERLIN", 900, 2, succeeded=23, test=True),)
    for name, vms, plans in (("BERLIN", BERLIN, PLANS), (TO, DRESDEN, back)):
        fabric.add(
            HostPlan(
                name,
                cores=16,
                memory=256 * GB,
                uplinks=(UplinkPlan("SLOT 3 Port 1", MELLANOX, 25_000_000_000),),
                switches=(SwitchPlan("Production", "external", (0,)),),
                volumes=(
                    Volume("C:\\", "OS", 446, 110, 0.1),
                    Volume("D:\\", "Hyper-V", 14800, 4100, 4),
                ),
                uptime=33 * DAY,
                vms=vms,
                recovery=True,
                replicas=plans,
            )
        )

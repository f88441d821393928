"""The scene ``migration``: hosts of one domain, no cluster, and machines that can move or cannot.

MIG01 and MIG02 are alike: Windows Server 2022, the same processors, the switch ``Production``, the
share ``\\\\FS01\\VMs`` and addresses on the migration network 10.20.90.0. Both may delegate.
MIG03 is as new and has AMD processors. MIG04 is Windows Server 2019 with older Intel processors,
48 GB of memory, little room on D:, a switch called ``LAN``, and may delegate to nobody. MIG05
signs in with CredSSP, MIG06 has live migration switched off. E: of MIG01 is for storage moves.

========  ===========  ============================================================================
Host      Machine      What it shows
========  ===========  ============================================================================
MIG01     live01       moves to MIG02 with its files, running; to MIG03 fails: AMD
MIG01     off01        off: moves to MIG02 and, off, to MIG03
MIG01     saved01      saved: moves to MIG02; to MIG03 fails as if it were running
MIG01     tree01       running, with three checkpoints
MIG01     smb01        on the share: moves to MIG02 without its files (32768)
MIG01     lab01        on the switch ``Lab``, which MIG02 lacks
MIG01     huge01       3 TB that MIG02 has no room for
MIG01     ram01        96 GB of memory that MIG02 has not free
MIG01     tpm01        a virtual TPM sealed for a guardian of MIG01, running
MIG01     iso01        a DVD image that only MIG01 has
MIG01     raw01        a physical disk passed through
MIG01     twin01       a disk whose file exists on MIG02
MIG01     cpu01        version 9.0, no switch: fails to MIG04 for processor features only
MIG01     compat01     version 9.0, features limited: moves to MIG04, to its switch ``LAN``
MIG01     stuck01      in the middle of starting
MIG02     smb02        on the share: moves to MIG01 without its files
MIG02     tpm02        a virtual TPM that MIG01 can open
MIG02     cache01      takes the memory of MIG02
MIG02     twin01       owner of the file in the way of the other twin01
MIG03     amd01        AMD: moves to no other host while it runs
MIG04     old01        fails to everywhere: no delegation
MIG05     cred01       fails to everywhere: it signs in with CredSSP, the others do not
MIG06     closed01     fails to everywhere: migration is switched off
========  ===========  ============================================================================

Everything new (version 10.0) fails to MIG04 for its version. Two hosts that both sign in with
CredSSP refuse callers from elsewhere, too.
"""

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
DOMAIN = "corp.example.com"
INTEL = "Intel(R) Ethernet Controller X710 for 10GbE SFP+"
MELLANOX = "Mellanox ConnectX-5 Adapter"
SHARE = VolumePlan("\\\\FS01\\VMs\\", "VMs", 20000, 6000, 3.0)
ON_SHARE = "\\\\FS01\\VMs"
MIGRATION = 90
"""The network of migrations."""


def _vm(name: str, memory: int = 4, system: str = "ubuntu24", **more: object) -> VmPlan:
    values: dict[str, object] = {
        "character": "web",
        "memory": memory * GB,
        "nics": (NicPlan("Production", 20),),
        "disks": (40,),
        "domain": DOMAIN,
    }
    return VmPlan(name, system, **values | more)  # type: ignore[arg-type]


FIRST = (
    _vm("live01", maximum=8 * GB, notes="Shop front #shop"),
    _vm("off01", state="off", notes="Template of the shop #shop"),
    _vm("saved01", 2, state="saved"),
    _vm(
        "tree01",
        8,
        "ws2022",
        character="app",
        disks=(60, 80),
        checkpoints=(
            CheckpointPlan("installed", 30 * DAY),
            CheckpointPlan("before update", 6 * DAY),
            CheckpointPlan("after update", 5 * DAY, "production"),
        ),
    ),
    _vm("smb01", volume=ON_SHARE, notes="On the file server #smb"),
    _vm("lab01", nics=(NicPlan("Lab"),)),
    _vm("huge01", 8, "ws2022", character="file", disks=(60, 3000), fixed=True),
    _vm("ram01", 96, "ws2022", character="db", cpus=8),
    _vm("tpm01", 4, "ws2022", tpm=True),
    _vm("iso01", iso="D:\\ISO\\ubuntu-24.04-server.iso"),
    _vm("raw01", 4, "ws2022", passes_through=4),
    _vm("twin01", 2),
    _vm("cpu01", 2, version="9.0", nics=(NicPlan(),)),
    _vm("compat01", 2, version="9.0", limited=True, disks=(8,)),
    _vm("stuck01", 2, state="starting", uptime=3600.0),
)
SECOND = (
    _vm("smb02", volume=ON_SHARE, notes="On the file server #smb"),
    _vm("tpm02", 4, "ws2022", tpm=True),
    _vm("cache01", 160, "rhel9", character="app", cpus=8),
    _vm("twin01", 2, state="off"),
)


def _host(name: str, vms: tuple[VmPlan, ...], **more: object) -> HostPlan:
    values: dict[str, object] = {
        "memory": 256 * GB,
        "domain": DOMAIN,
        "uplinks": (
            UplinkPlan("NIC1", INTEL),
            UplinkPlan("SLOT 2 Port 1", MELLANOX, 25_000_000_000, network=MIGRATION),
        ),
        "switches": (SwitchPlan("Production", "external", (0,), vlan=10),),
        "volumes": (
            VolumePlan("C:\\", "OS", 446, 110, 0.1),
            VolumePlan("D:\\", "Hyper-V", 4000, 2200, 2),
        ),
        "shares": (SHARE,),
        "migration_networks": (MIGRATION,),
    }
    return HostPlan(name, vms=vms, **values | more)  # type: ignore[arg-type]


def furnish(fabric: Fabric) -> None:
    """The six hosts."""
    fabric.add(
        _host(
            "MIG01",
            FIRST,
            memory=384 * GB,
            switches=(
                SwitchPlan("Production", "external", (0,), vlan=10),
                SwitchPlan("Lab", "private"),
            ),
            volumes=(
                VolumePlan("C:\\", "OS", 446, 110, 0.1),
                VolumePlan("D:\\", "Hyper-V", 8000, 4200, 2),
                VolumePlan("E:\\", "Fast", 1800, 200, 1),
            ),
            spare_disks=((4, "DELL PERC H755", 3576),),
            guardians=("MIG02",),
        )
    )
    fabric.add(_host("MIG02", SECOND))
    amd = "AMD EPYC 7763 64-Core Processor"
    fabric.add(_host("MIG03", (_vm("amd01"),), processor=amd, cores=64, model="PowerEdge R7525"))
    fabric.add(
        _host(
            "MIG04",
            (_vm("old01", 2, "ws2019", nics=(NicPlan("LAN"),), disks=(20,)),),
            os="ws2019",
            vendor="HPE",
            model="ProLiant DL380 Gen10",
            processor="Intel(R) Xeon(R) Silver 4214 CPU @ 2.20GHz",
            clock=2200,
            cores=12,
            memory=48 * GB,
            switches=(SwitchPlan("LAN", "external", (0,)),),
            volumes=(
                VolumePlan("C:\\", "OS", 446, 120, 0.1),
                VolumePlan("D:\\", "Hyper-V", 930, 880, 0.0),
            ),
            delegates=(),
        )
    )
    fabric.add(_host("MIG05", (_vm("cred01", 2),), authentication=0))
    fabric.add(_host("MIG06", (_vm("closed01", 2),), migrates=False))

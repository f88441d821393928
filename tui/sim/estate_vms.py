"""The machines of the scene ``datacenter``, host by host."""

from __future__ import annotations

from tui.sim.plan import GB, CheckpointPlan, NicPlan, VmPlan

DAY = 86400.0
HOUR = 3600.0
DOMAIN = "corp.example.com"
CSV = "C:\\ClusterStorage\\"
TWIN = "00155DF0CA7E"
"""An address that two machines have, on two hosts."""


def _vm(
    name: str, system: str, character: str, size: tuple[int, int], vlan: int, **more: object
) -> VmPlan:
    """A machine with one adapter on the production switch."""
    nics = more.pop("nics", None) or (NicPlan(str(more.pop("switch", "Production")), vlan),)
    cpus, memory = size
    return VmPlan(
        name,
        system,
        character,
        cpus,
        memory * GB,
        nics=nics,  # type: ignore[arg-type]
        domain=DOMAIN,
        **more,  # type: ignore[arg-type]
    )


HV01 = (
    _vm(
        "dc01", "ws2022core", "dc", (2, 6), 10, notes="Domain controller, time source #infra #tier0"
    ),
    _vm(
        "sql01",
        "ws2022",
        "db",
        (8, 64),
        20,
        disks=(120, 800, 400),
        notes="ERP database #erp #db #tier1",
        tpm=True,
        checkpoints=(CheckpointPlan("before CU14", 2 * DAY, "production"),),
    ),
    _vm(
        "sql02",
        "ws2022",
        "db",
        (8, 48),
        20,
        disks=(120, 600, 300),
        fixed=True,
        notes="Reporting #erp #db",
    ),
    _vm(
        "exch01", "ws2019", "mail", (8, 48), 20, disks=(150, 1200), notes="Mail store #mail #tier1"
    ),
    _vm("web01", "ubuntu24", "web", (4, 8), 30, maximum=16 * GB, notes="Shop front #shop"),
    _vm("web02", "ubuntu24", "web", (4, 8), 30, maximum=16 * GB, notes="Shop front #shop"),
    _vm(
        "edge-fw01",
        "freebsd14",
        "web",
        (2, 4),
        0,
        notes="Perimeter firewall #network #tier0",
        nics=(NicPlan("DMZ"), NicPlan("Production", 1, trunk=(10, 20, 30, 40), spoofing=True)),
    ),
    _vm("proxy01", "debian12", "web", (2, 4), 40, maximum=8 * GB, switch="DMZ", notes="#dmz"),
    _vm(
        "bkp01",
        "ws2022",
        "backup",
        (4, 16),
        10,
        disks=(120, 4000),
        notes="Backup server #backup",
        nics=(NicPlan("Production", 10), NicPlan("Backup")),
    ),
    _vm(
        "files01",
        "ws2022",
        "file",
        (4, 16),
        20,
        disks=(100, 3000),
        maximum=32 * GB,
        notes="Departments' shares #files",
        checkpoints=(CheckpointPlan("files01 - Backup", 9 * DAY, "recovery"),),
    ),
    _vm(
        "pki-root",
        "ws2022core",
        "idle",
        (1, 2),
        0,
        state="off",
        tpm=True,
        notes="Offline root CA. Start only for CRL signing! #pki #tier0",
        nics=(NicPlan(),),
    ),
    _vm(
        "print01",
        "ws2019",
        "idle",
        (2, 4),
        20,
        generation=1,
        notes="#office",
        nics=(NicPlan("Production", 20, mac=TWIN),),
    ),
)

HV02 = (
    _vm("build01", "ws2022", "build", (8, 16), 50, disks=(200, 200), notes="CI agent #ci"),
    _vm("build02", "ubuntu22", "build", (8, 16), 50, maximum=24 * GB, notes="CI agent #ci"),
    _vm(
        "git01",
        "ubuntu22",
        "app",
        (4, 16),
        50,
        disks=(60, 500),
        merge_disabled=True,
        notes="Source control #ci #tier1",
    ),
    _vm("artifact01", "rhel9", "file", (4, 12), 50, disks=(60, 1500), notes="Package store #ci"),
    _vm(
        "win10-ltsc",
        "w10",
        "desktop",
        (2, 4),
        50,
        maximum=8 * GB,
        state="saved",
        checkpoints=(
            CheckpointPlan("base", 120 * DAY),
            CheckpointPlan("sdk installed", 61 * DAY),
            CheckpointPlan("", 3 * DAY, "automatic"),
        ),
    ),
    _vm(
        "winxp-plc",
        "none",
        "idle",
        (1, 1),
        50,
        generation=1,
        version="5.0",
        disks=(20,),
        notes="Programs the press line. Legacy NIC only #ot",
        nics=(NicPlan("Production", 60, legacy=True),),
    ),
    _vm(
        "scada-gw",
        "ws2012r2",
        "app",
        (2, 4),
        60,
        generation=1,
        version="5.0",
        outdated=True,
        services_off=("TimeSync", "Vss"),
        notes="#ot #eol",
    ),
    _vm("test-sql", "ws2022", "db", (4, 16), 50, state="off", disks=(80, 200), notes="#test"),
    _vm(
        "test-app",
        "ws2022",
        "app",
        (4, 8),
        50,
        state="off",
        notes="Copied from print01 by hand #test",
        nics=(NicPlan("Production", 50, mac=TWIN), NicPlan("Old-Prod", name="Was on Old-Prod")),
    ),
    _vm(
        "pentest", "debian12", "idle", (2, 4), 0, state="paused", switch="Build", notes="#security"
    ),
    _vm(
        "nested-hv",
        "ws2025",
        "app",
        (8, 32),
        50,
        nested=True,
        notes="Nested lab #lab",
        nics=(NicPlan("Production", 50, spoofing=True), NicPlan("Build")),
    ),
    _vm(
        "installer",
        "none",
        "idle",
        (2, 4),
        50,
        iso="D:\\ISO\\SERVER_2025_EVAL_x64.iso",
        notes="Waiting at setup",
    ),
)

LOCAL = (
    VmPlan(
        "dev-ubuntu",
        "ubuntu24",
        "build",
        2,
        2 * GB,
        6 * GB,
        1 * GB,
        nics=(NicPlan("Default Switch"),),
        notes="#dev",
    ),
    VmPlan(
        "dev-windows",
        "w11",
        "desktop",
        4,
        4 * GB,
        8 * GB,
        2 * GB,
        tpm=True,
        nics=(NicPlan("Default Switch"),),
        notes="#dev",
        checkpoints=(CheckpointPlan("", 1 * DAY, "automatic"),),
    ),
    VmPlan("docker", "debian12", "app", 2, 2 * GB, 4 * GB, nics=(NicPlan("Default Switch"),)),
    VmPlan("kali", "debian12", "idle", 2, 2 * GB, state="off", nics=(NicPlan("Lab"),)),
)

CLUSTER: tuple[tuple[VmPlan, ...], ...] = (
    (
        _vm("dc02", "ws2022core", "dc", (2, 6), 10, notes="Domain controller #infra #tier0"),
        _vm("erp-app01", "ws2022", "app", (8, 32), 20, notes="#erp #tier1"),
        _vm("erp-app02", "ws2022", "app", (8, 32), 20, notes="#erp #tier1"),
        _vm("erp-web01", "ws2022", "web", (4, 12), 30, maximum=24 * GB, notes="#erp"),
        _vm(
            "sql03",
            "ws2022",
            "db",
            (12, 96),
            20,
            disks=(120, 1200, 600),
            notes="#erp #db #tier1",
            nics=(NicPlan("Production", 20, static=True), NicPlan("Storage", name="iSCSI")),
        ),
        _vm("mon01", "ubuntu24", "monitor", (4, 16), 10, disks=(60, 400), notes="Metrics #infra"),
        _vm(
            "log01",
            "rhel9",
            "monitor",
            (8, 32),
            10,
            disks=(60, 2000),
            notes="Logs #infra",
            grows=45.0,
        ),
        _vm(
            "jump01",
            "ws2022",
            "desktop",
            (2, 8),
            10,
            maximum=16 * GB,
            notes="Admin jump host #tier0",
        ),
        _vm("wsus01", "ws2019", "file", (4, 12), 10, disks=(100, 800), notes="#infra"),
        _vm("radius01", "ws2022core", "idle", (2, 4), 10, notes="Wi-Fi sign-in #network"),
    ),
    (
        _vm("erp-web02", "ws2022", "web", (4, 12), 30, maximum=24 * GB, notes="#erp"),
        _vm("hr-app01", "ws2019", "app", (4, 16), 20, notes="#hr"),
        _vm("hr-db01", "ws2019", "db", (4, 24), 20, disks=(100, 300), notes="#hr #db"),
        _vm(
            "crm01",
            "ws2022",
            "app",
            (4, 16),
            20,
            notes="#crm",
            checkpoints=(CheckpointPlan("before plug-in update", 20 * HOUR, "production"),),
        ),
        _vm("crm-db01", "ws2022", "db", (8, 48), 20, disks=(100, 500), notes="#crm #db"),
        _vm("intranet01", "alma9", "web", (4, 8), 30, maximum=16 * GB, notes="#office"),
        _vm("wiki01", "debian12", "web", (2, 6), 30, maximum=12 * GB, notes="#office"),
        _vm(
            "voip01",
            "sles15",
            "app",
            (4, 8),
            70,
            notes="Telephony #voice #tier1",
            nics=(NicPlan("Production", 70, limit=200_000_000),),
        ),
        _vm(
            "cctv01",
            "ws2019",
            "file",
            (6, 16),
            80,
            disks=(100, 6000),
            notes="Cameras #facility",
            grows=180.0,
        ),
        _vm(
            "badge01", "ws2016", "idle", (2, 4), 80, generation=1, version="8.0", notes="#facility"
        ),
    ),
    (
        _vm("k8s-cp1", "ubuntu24", "monitor", (4, 8), 40, notes="Control plane #k8s"),
        _vm("k8s-cp2", "ubuntu24", "monitor", (4, 8), 40, notes="Control plane #k8s"),
        _vm("k8s-cp3", "ubuntu24", "monitor", (4, 8), 40, notes="Control plane #k8s"),
        _vm("k8s-w1", "ubuntu24", "app", (12, 48), 40, disks=(200,), notes="#k8s"),
        _vm("k8s-w2", "ubuntu24", "app", (12, 48), 40, disks=(200,), notes="#k8s"),
        _vm("k8s-w3", "ubuntu24", "app", (12, 48), 40, disks=(200,), notes="#k8s"),
        _vm(
            "lb01",
            "debian12",
            "web",
            (2, 4),
            40,
            notes="#k8s #network",
            nics=(NicPlan("Production", 1, trunk=(30, 40), spoofing=True, guards=True),),
        ),
        _vm("lb02", "debian12", "web", (2, 4), 40, state="off", notes="Standby #k8s #network"),
        _vm("mq01", "rhel9", "app", (4, 12), 40, notes="#erp #shop"),
        _vm(
            "search01",
            "ubuntu22",
            "db",
            (8, 32),
            40,
            disks=(60, 1400),
            notes="Index is rebuilt #shop",
            grows=390.0,
        ),
        _vm("cache01", "debian12", "app", (2, 16), 40, notes="#shop"),
    ),
    (
        _vm("rds-gw01", "ws2022", "web", (2, 8), 30, notes="#vdi"),
        _vm("rds-host01", "ws2022", "desktop", (8, 48), 20, maximum=64 * GB, notes="#vdi"),
        _vm("rds-host02", "ws2022", "desktop", (8, 48), 20, maximum=64 * GB, notes="#vdi"),
        _vm(
            "rds-host03",
            "ws2022",
            "desktop",
            (8, 48),
            20,
            maximum=64 * GB,
            state="off",
            notes="Drained for patching #vdi",
        ),
        _vm(
            "vdi-gold",
            "w11",
            "desktop",
            (4, 8),
            20,
            state="off",
            tpm=True,
            notes="Golden image, do not start #vdi",
            checkpoints=(
                CheckpointPlan("2025-03", 90 * DAY),
                CheckpointPlan("2025-04", 60 * DAY),
                CheckpointPlan("2025-05", 30 * DAY),
            ),
        ),
        *(
            _vm(
                f"vdi-00{number}",
                "w11",
                "desktop",
                (4, 8),
                20,
                maximum=12 * GB,
                tpm=True,
                template=CSV + "Volume1\\Templates\\w11-24h2.vhdx",
                notes="#vdi",
            )
            for number in (1, 2)
        ),
        _vm(
            "vdi-003",
            "w11",
            "desktop",
            (4, 8),
            20,
            maximum=12 * GB,
            tpm=True,
            state="saved",
            notes="#vdi",
        ),
        _vm("lic01", "ws2019", "idle", (2, 4), 20, notes="Licence servers #office"),
        _vm(
            "dw-etl01", "ws2022", "db", (8, 48), 20, disks=(100, 1500), notes="Nightly load #bi #db"
        ),
        _vm("bi-rep01", "ws2022", "app", (4, 16), 20, notes="#bi"),
    ),
)

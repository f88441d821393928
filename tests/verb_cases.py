"""A case for every verb on machines, their parts, switches and hosts, in the scene datacenter."""

from __future__ import annotations

from typing import Final

from tests.verb_story_kit import SYSTEM, Case, Truth

CPU: Final = "Msvm_ProcessorSettingData"
MEMORY: Final = "Msvm_MemorySettingData"
NIC: Final = "Msvm_SyntheticEthernetPortSettingData"
PORT: Final = "Msvm_EthernetPortAllocationSettingData"
VLAN: Final = "Msvm_EthernetSwitchPortVlanSettingData"
GUARD: Final = "Msvm_EthernetSwitchPortSecuritySettingData"
SPEED: Final = "Msvm_EthernetSwitchPortBandwidthSettingData"
SWITCH: Final = "Msvm_VirtualEthernetSwitch"
KVP: Final = "Msvm_KvpExchangeComponentSettingData"
ISO: Final = "D:\\ISO\\SERVER_2025_EVAL_x64.iso"
DISKS: Final = "D:\\Hyper-V\\Virtual Hard Disks\\"
EXTRA, FIXED, LEAF = (
    "D:\\Hyper-V\\extra01.vhdx",
    "D:\\Hyper-V\\whole.vhdx",
    "D:\\Hyper-V\\leaf.vhdx",
)
COPIED: Final = "D:\\ISO\\born01\\Virtual Machines\\{id}.vmcx"
EXPORTED: Final = "D:\\ISO\\born01\\Virtual Hard Disks\\born01.vhdx"


def switch_of(truth: Truth, name: str) -> str:
    """GUID of a virtual switch."""
    return str(truth(f"SELECT Name FROM {SWITCH} WHERE ElementName = '{name}'")[0]["Name"])


def plugged(truth: Truth, name: str, switch: str) -> bool:
    """One of its adapters is connected to a switch."""
    guid = switch_of(truth, switch)
    return any(
        row["EnabledState"] == 2 and guid in str(row["HostResource"])
        for row in truth.of(name, PORT)
    )


def host_ports(truth: Truth, name: str) -> int:
    """Adapters the host itself has on switches, by their name."""
    return len(truth(f"SELECT * FROM Msvm_InternalEthernetPort WHERE ElementName = '{name}'"))


def length(truth: Truth, path: str) -> int:
    escaped = path.replace("\\", "\\\\")
    (row,) = truth(f"SELECT * FROM CIM_DataFile WHERE Name = '{escaped}'")
    return int(str(row["FileSize"]))


def groups(truth: Truth) -> set[str]:
    return truth.names("Msvm_VirtualSystemCollection")


VM = (
    Case("vm.create", "", {"name": "born01", "cpus": "2", "memory": "2G", "size": "5G",
                           "switch": "Production", "vlan": "20", "iso": ISO},
         lambda t: t.the("born01", CPU, "VirtualQuantity") == (2,)
         and t.the("born01", MEMORY, "VirtualQuantity") == (2048,)
         and t.the("born01", VLAN, "AccessVlanId") == (20,)
         and t.images("born01") == [f"{DISKS}born01.vhdx", ISO]
         and plugged(t, "born01", "Production")),
    Case("vm.create", "", {"name": "old <1> & 'two'", "generation": "1", "disk": "none"},
         lambda t: "old <1> & 'two'" in t.names()),
    Case("vm.set-cpu", "born01", {"count": "6", "limit": "75", "nested": True},
         lambda t: t.the("born01", CPU, "VirtualQuantity", "Limit",
                         "ExposeVirtualizationExtensions") == (6, 75_000, True)),
    Case("vm.set-memory", "born01",
         {"startup": "4G", "dynamic": True, "minimum": "1G", "maximum": "8G"},
         lambda t: t.the("born01", MEMORY, "VirtualQuantity", "Reservation", "Limit",
                         "DynamicMemoryEnabled") == (4096, 1024, 8192, True)),
    Case("vm.set-memory", "build01", {"startup": "18G"},
         lambda t: t.the("build01", MEMORY, "VirtualQuantity") == (18 * 1024,)),
    Case("vm.set-security", "born01", {"secure_boot": True, "template": "uefi", "tpm": True},
         lambda t: t.the("born01", SYSTEM, "SecureBootTemplateId")
         == ("272e7447-90a4-4563-a4b9-8e4ab00526ce",)
         and t.the("born01", "Msvm_SecuritySettingData", "TpmEnabled") == (True,)),
    Case("vm.set-automatic", "build01", {"start": "always", "stop": "shut down",
                                         "start_delay": "2m"},
         lambda t: t.the("build01", SYSTEM, "AutomaticStartupAction", "AutomaticShutdownAction")
         == (4, 4)),
    Case("vm.tag", "build01", {"add": "#gold tier-1", "groups": "Night"},
         lambda t: "#gold" in str(t.the("build01", SYSTEM, "Notes")) and "Night" in groups(t)),
    Case("vm.upgrade-version", "winxp-plc", {},
         lambda t: t.the("winxp-plc", SYSTEM, "Version") == ("9.0",), off=True),
    Case("vm.export", "born01", {"folder": "D:\\ISO"}, lambda t: t.file(EXPORTED)),
    Case("vm.import", "", {"path": COPIED, "name": "twin01"},
         lambda t: t.images("twin01")[0] == EXPORTED, machine="born01"),
    Case("vm.clone", "born01", {"name": "clone01"},
         lambda t: t.the("clone01", CPU, "VirtualQuantity") == (6,)
         and t.images("clone01")[0] != t.images("born01")[0]),
    Case("vm.delete", "born01", {"disks": True},
         lambda t: "born01" not in t.names() and not t.file(f"{DISKS}born01.vhdx")),
)  # fmt: skip

DISK = (
    Case("disk.add", "build01", {"source": "new, dynamic", "path": EXTRA, "size": "10G"},
         lambda t: EXTRA in t.images("build01") and t.file(EXTRA)),
    Case("disk.resize", "test-sql", {"disk": f"{DISKS}test-sql_1.vhdx", "size": "300G"},
         lambda t: str(300 << 30) in t.image(f"{DISKS}test-sql_1.vhdx")),
    Case("disk.compact", "test-sql", {"disk": f"{DISKS}test-sql.vhdx", "mode": "full"},
         lambda t: any("ompact" in str(row["Caption"]) + str(row["ElementName"])
                       and row["JobState"] == 7 for row in t("SELECT * FROM Msvm_StorageJob"))),
    Case("disk.convert", "test-app", {"kind": "fixed", "path": FIXED, "use": True},
         lambda t: FIXED in t.images("test-app") and length(t, FIXED) > 60 << 30),
    Case("disk.add", "test-app", {"source": "new, differencing", "path": LEAF,
                                  "parent": f"{DISKS}test-app.vhdx"},
         lambda t: LEAF in t.images("test-app")),
    Case("disk.merge", "test-app", {"disk": LEAF},
         lambda t: f"{DISKS}test-app.vhdx" in t.images("test-app") and not t.file(LEAF)),
    Case("disk.remove", "build01", {"disk": EXTRA},
         lambda t: EXTRA not in t.images("build01") and t.file(EXTRA)),
    Case("disk.delete-file", "", {"path": EXTRA}, lambda t: not t.file(EXTRA)),
    Case("dvd.eject", "installer", {}, lambda t: ISO not in t.images("installer")),
    Case("dvd.insert", "installer", {"path": ISO}, lambda t: ISO in t.images("installer")),
)  # fmt: skip

NET = (
    Case("nic.add", "build02", {"name": "Second", "switch": "Build"},
         lambda t: any(row["ElementName"] == "Second" for row in t.of("build02", NIC))
         and plugged(t, "build02", "Build")),
    Case("nic.remove", "build02", {"nic": "Second"}, lambda t: len(t.of("build02", NIC)) == 1),
    Case("nic.disconnect", "artifact01", {},
         lambda t: t.the("artifact01", PORT, "EnabledState") == (3,)),
    Case("nic.connect", "artifact01", {"switch": "Build"},
         lambda t: plugged(t, "artifact01", "Build")),
    Case("nic.set-vlan", "build01", {"mode": "trunk", "native": "3", "vlans": "10,20-22"},
         lambda t: t.the("build01", VLAN, "OperationMode", "NativeVlanId", "TrunkVlanIdArray")
         == (2, 3, (10, 20, 21, 22))),
    Case("nic.set-mac", "test-sql", {"static": True, "mac": "02-15-5d-00-11-22"},
         lambda t: t.the("test-sql", NIC, "Address", "StaticMacAddress")
         == ("02155D001122", True)),
    Case("nic.set-bandwidth", "build01", {"maximum": "250M"},
         lambda t: t.the("build01", SPEED, "Limit") == (250_000_000,)),
    Case("nic.set-guards", "build01", {"dhcp_guard": True, "mac_spoofing": True},
         lambda t: t.the("build01", GUARD, "EnableDhcpGuard", "AllowMacSpoofing")
         == (True, True)),
    Case("switch.create", "", {"name": "New01", "kind": "private"},
         lambda t: "New01" in t.names(SWITCH)),
    Case("switch.create", "", {"name": "Wire", "kind": "external", "uplink": "Broadcom"},
         lambda t: "Wire" in t.names(SWITCH) and host_ports(t, "Wire") == 1),
    Case("switch.set", "New01", {"shared": True}, lambda t: host_ports(t, "New01") == 1),
    Case("switch.rename", "New01", {"name": "100% new <1>"},
         lambda t: "100% new <1>" in t.names(SWITCH)),
    Case("switch.delete", "Wire", {}, lambda t: "Wire" not in t.names(SWITCH)),
    Case("host.set", "", {"max_migrations": "7", "numa_spanning": False},
         lambda t: t("SELECT * FROM Msvm_VirtualSystemMigrationServiceSettingData")[0][
             "MaximumActiveVirtualSystemMigration"] == 7
         and t("SELECT * FROM Msvm_VirtualSystemManagementServiceSettingData")[0][
             "NumaSpanningEnabled"] is False),
)  # fmt: skip

POINT = (
    Case("checkpoint.create", "installer", {"name": "one", "type": "standard"},
         lambda t: t.checkpoints("installer") == {"one"}),
    Case("checkpoint.rename", "installer", {"checkpoint": "one", "name": "two"},
         lambda t: t.checkpoints("installer") == {"two"}),
    Case("checkpoint.apply", "installer", {"checkpoint": "two", "stop": "turn it off"},
         lambda t: t.checkpoints("installer") == {"two", "Before applying two"}
         and t.state("installer") in (3, 6)),
    Case("checkpoint.delete", "win10-ltsc", {"checkpoint": "sdk installed"},
         lambda t: len(t.checkpoints("win10-ltsc")) == 2
         and "sdk installed" not in t.checkpoints("win10-ltsc")),
    Case("checkpoint.delete-tree", "win10-ltsc", {"checkpoint": "base"},
         lambda t: t.checkpoints("win10-ltsc") == set()),
    Case("checkpoint.enable-merge", "git01", {},
         lambda t: t.the("git01", "Msvm_DiskMergeSettingData", "EnabledState") == (1,)),
    Case("integration.disable", "build01", {"service": "data exchange"},
         lambda t: t.the("build01", KVP, "EnabledState") == (3,)),
    Case("integration.enable", "build01", {"service": "data exchange"},
         lambda t: t.the("build01", KVP, "EnabledState") == (2,)),
)  # fmt: skip

CASES: Final = {"machines": VM, "disks": DISK, "networks": NET, "checkpoints": POINT}
"""In this order: later ones use what earlier ones made."""

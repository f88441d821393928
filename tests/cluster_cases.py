"""A case for every verb on clusters, in the scene ``cluster``; truth is asked of another node."""

from __future__ import annotations

from typing import Final

from tests.verb_story_kit import Case, Truth
from tui.wsman.cim import CimValue

CSV: Final = "C:\\ClusterStorage\\"
TRUTH: Final = "NODE2"


def value(truth: Truth, kind: str, name: str, column: str) -> CimValue:
    """One property of a thing of the cluster; KeyError when it is not there."""
    found = {row["Name"]: row for row in truth(f"SELECT * FROM MSCluster_{kind}")}
    return found[name][column]


def owner(truth: Truth, role: str) -> CimValue:
    return value(truth, "ResourceGroup", role, "OwnerNode")


def stands(truth: Truth, role: str) -> CimValue:
    return value(truth, "ResourceGroup", role, "State")


def preferred(truth: Truth, role: str) -> list[str]:
    rows = truth("SELECT * FROM MSCluster_ResourceGroupToPreferredNode")
    return [str(row["PartComponent"]) for row in rows if f'"{role}"' in str(row["GroupComponent"])
            or f"'{role}'" in str(row["GroupComponent"])]  # fmt: skip


def case(action: str, on: str, given: dict[str, str | bool], proof: object, host: str = "") -> Case:
    assert callable(proof)
    return Case(action, on, given, proof, host=host or TRUTH)


CASES: Final = (
    case("role.move", "git", {"node": "NODE4"}, lambda t: owner(t, "git") == "NODE4"),
    case("role.move", "wiki", {}, lambda t: owner(t, "wiki") != "NODE1"),
    case("role.move", "print1", {"node": "NODE3", "how": "quick"},
         lambda t: owner(t, "print1") == "NODE3" and stands(t, "print1") == 0),
    case("role.move", "Cluster Group", {"node": "NODE2"},
         lambda t: owner(t, "Cluster Group") == "NODE2"),
    case("role.offline", "proxy", {"how": "turn off"}, lambda t: stands(t, "proxy") == 1),
    case("role.online", "proxy", {}, lambda t: stands(t, "proxy") == 0),
    case("role.fail-over", "radius", {"node": "NODE4"},
         lambda t: owner(t, "radius") == "NODE4" and stands(t, "radius") == 0),
    case("role.set-owners", "git", {"nodes": "NODE4, NODE2"},
         lambda t: len(preferred(t, "git")) == 2),
    case("role.remove", "lab-vm", {},
         lambda t: "lab-vm" in t.names()
         and not t("SELECT * FROM MSCluster_ResourceGroup WHERE Name = 'lab-vm'")),
    case("role.add", "lab-vm", {}, lambda t: owner(t, "lab-vm") == "NODE2"),
    case("node.pause", "NODE3", {}, lambda t: value(t, "Node", "NODE3", "State") == 2),
    case("node.resume", "NODE3", {"failback": "stay"},
         lambda t: value(t, "Node", "NODE3", "State") == 0),
    case("node.drain", "NODE4", {},
         lambda t: value(t, "Node", "NODE4", "NodeDrainStatus") == 2
         and not t("SELECT * FROM MSCluster_ResourceGroup WHERE OwnerNode = 'NODE4'")),
    case("node.resume", "NODE4", {"failback": "come back now"},
         lambda t: value(t, "Node", "NODE4", "State") == 0),
    case("csv.move", f"{CSV}Volume1", {"node": "NODE3"},
         lambda t: value(t, "Resource", "Cluster Disk 1", "OwnerNode") == "NODE3"),
    case("csv.maintenance", f"{CSV}Volume3", {"mode": "on"},
         lambda t: value(t, "ClusterSharedVolume", f"{CSV}Volume3", "FaultState") == 4),
    case("csv.maintenance", f"{CSV}Volume3", {"mode": "off"},
         lambda t: value(t, "ClusterSharedVolume", f"{CSV}Volume3", "FaultState") == 0),
)  # fmt: skip
"""In this order: later ones use what earlier ones did."""

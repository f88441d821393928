"""Writes tui/wsman/schema.json, the codec's class table, from a dump of the CIM classes.

Usage: ``python tests/make_schema.py cim-schema.json [tui/wsman/schema.json]``. The dump maps
namespace to class to its flattened shape; the table keeps what a class adds to its superclass.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

NAMESPACES = (
    "root/virtualization/v2",
    "root/cimv2",
    "root/MSCluster",
    "root/StandardCimv2",
    "root/Microsoft/Windows/Storage",
    "root/Microsoft/Windows/HGS",
)
MISSING: dict[str, dict[str, Any]] = {
    "root/cimv2": {
        "Win32_ComputerSystemProcessor": {
            "superclass": "CIM_Component",
            "kind": "association",
            "key": ["GroupComponent", "PartComponent"],
            "properties": {
                "GroupComponent": "ref:Win32_ComputerSystem",
                "PartComponent": "ref:Win32_Processor",
            },
        }
    }
}
"""Classes of Windows that clients ask for and the dump lacks."""
KINDS = {"class": 0, "abstract": 1, "association": 2}
TABLE = Path(__file__).parents[1] / "tui" / "wsman" / "schema.json"

Dump = dict[str, Any]


def returns_of(method: Dump) -> dict[str, str]:
    """Only the numbered return values; a range or remark of the source has no number."""
    return {key: text for key, text in (method.get("returns") or {}).items() if key.isdecimal()}


class Writer:
    """Packs classes; equal return-value tables are written once and shared by index."""

    def __init__(self) -> None:
        self.returns: list[dict[str, str]] = []
        self._seen: dict[str, int] = {}

    def _share(self, table: dict[str, str]) -> int:
        key = json.dumps(table, sort_keys=True)
        if key not in self._seen:
            self._seen[key] = len(self.returns)
            self.returns.append(table)
        return self._seen[key]

    def _method(self, method: Dump) -> list[Any]:
        return [method.get("in") or {}, method.get("out") or {}, self._share(returns_of(method))]

    def row(self, cls: Dump, parent: Dump) -> list[Any]:
        """Superclass, kind, singleton, keys, own properties, own methods."""
        gone = set(cls.get("only_2019", ()))
        inherited = parent.get("properties", {})
        own = {
            name: kind
            for name, kind in cls["properties"].items()
            if name not in gone and inherited.get(name) != kind
        }
        above = parent.get("methods", {})
        methods = {
            name: self._method(method)
            for name, method in cls.get("methods", {}).items()
            if name not in above or self._method(above[name]) != self._method(method)
        }
        superclass = cls.get("superclass") or ""
        kind = KINDS[cls["kind"]]
        return [superclass, kind, int(bool(cls.get("singleton"))), cls["key"], own, methods]


def build(dump: Dump) -> Dump:
    """The whole table as plain data."""
    writer = Writer()
    namespaces: Dump = {}
    for namespace in NAMESPACES:
        classes = {**dump[namespace], **MISSING.get(namespace, {})}
        namespaces[namespace] = {
            name: writer.row(cls, classes.get(cls.get("superclass") or "", {}))
            for name, cls in sorted(classes.items())
        }
    return {"returns": writer.returns, "namespaces": namespaces}


def main(arguments: list[str]) -> None:
    source = Path(arguments[0])
    target = Path(arguments[1]) if len(arguments) > 1 else TABLE
    table = build(json.loads(source.read_text(encoding="utf-8")))
    target.write_text(
        json.dumps(table, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main(sys.argv[1:])

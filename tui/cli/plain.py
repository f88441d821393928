"""CIM values as JSON and CSV have them: what a raw query prints."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tui.rows.column import Column
from tui.rows.column import plain as plain_cell
from tui.wsman.cim import CimInstance, CimRef, CimValue


def value(found: CimValue | bytes) -> Any:
    """A typed value as JSON: times in ISO 8601, intervals in seconds, bytes in base64."""
    if isinstance(found, (bytes, bytearray)):
        return base64.b64encode(found).decode()
    if isinstance(found, datetime):
        return found.isoformat()
    if isinstance(found, timedelta):
        return found.total_seconds()
    if isinstance(found, CimRef):
        return {"class": found.class_name, "keys": dict(found.keys)}
    if isinstance(found, CimInstance):
        return instance(found)
    if isinstance(found, tuple):
        return [value(one) for one in found]
    return found


def instance(found: CimInstance) -> dict[str, Any]:
    """Class, namespace and every property as it came."""
    return {
        "class": found.class_name,
        "namespace": found.namespace,
        "properties": {name: value(one) for name, one in found.values.items()},
    }


def columns_of(instances: Sequence[CimInstance]) -> list[Column[CimInstance]]:
    """The class, and one column for every property any of them has."""
    names = dict.fromkeys(name for found in instances for name in found.values)
    kind: Column[CimInstance] = Column(
        "class",
        "Class",
        lambda r: r.class_name,
        plain_cell(lambda r: r.class_name),
        20,
        8,
        priority=1,
    )
    return [kind, *(_column(name) for name in names)]


def _column(name: str) -> Column[CimInstance]:
    def raw(row: CimInstance) -> Any:
        return value(row.get(name))

    def shown(row: CimInstance) -> str:
        found = raw(row)
        return "" if found is None else str(found)

    return Column(name, name, raw, plain_cell(shown), 12, 4)

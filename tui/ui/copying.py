"""What can be copied of a row or a table, as plain text."""

from __future__ import annotations

from typing import Any

from tui.hyperv.plans.words import several
from tui.rows import export, text
from tui.rows.columns import find
from tui.store import HostRow, JobRow, NodeRow, RoleRow, SwitchRow, VmRow, VolumeRow
from tui.ui.rowline import clean
from tui.ui.tables import TablePane


def copies(table: TablePane, row: Any) -> list[tuple[str, str, str]]:
    """Key, title and text of everything that can be copied now; what is empty is left out."""
    found: list[tuple[str, str, str]] = []
    if isinstance(row, VmRow):
        found += _machine(row)
    elif isinstance(row, HostRow):
        found += [("n", "Name", row.name), ("u", "Address", row.host.url)]
    elif isinstance(row, SwitchRow):
        found += [("n", "Name", row.name), ("h", "Host", row.host.id),
                  ("g", "GUID", row.switch.guid)]  # fmt: skip
    elif isinstance(row, JobRow):
        found += [
            ("n", "Name", row.name),
            ("h", "Host", row.host.id),
            ("e", "Error", row.job.error),
        ]
    elif isinstance(row, RoleRow | NodeRow | VolumeRow):
        found += [("n", "Name", row.name), ("c", "Cluster", row.cluster.name)]
    columns = [find(table.subject.columns, column) for column in table.columns]
    if row is not None:
        cells = [column.cell(row).text for column in columns]
        found.append(("r", "Row, separated by tabs", "\t".join(clean(cell) for cell in cells)))
    rows = [table.row(key) for key in table.grid.keys if key in table.rows]
    found.append(("t", f"Table as shown, {several(len(rows), 'row')}", export.table(columns, rows)))
    return [(key, title, words) for key, title, words in found if words]


def _machine(row: VmRow) -> list[tuple[str, str, str]]:
    vm = row.vm
    return [
        ("n", f"Name   {vm.name}", clean(vm.name)),
        ("h", f"Host   {row.host.id}", row.host.id),
        ("g", f"GUID   {vm.id}", vm.id),
        ("i", f"IP     {text.ip(vm.nics)}", next(iter(text.addresses(vm.nics)), "")),
        ("p", "Path of the first disk", next((d.path for d in vm.disks if d.path), "")),
        ("m", "MAC of the first adapter", next((text.mac(nic.mac) for nic in vm.nics), "")),
    ]

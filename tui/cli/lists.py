"""Commands that list: hosts, virtual machines, networks, jobs, audits, and a raw query."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tui.cli import exits
from tui.cli.reach import host_tags, names_of, reached, watched
from tui.cli.speak import narrate, prepare_glyphs, tell_troubles
from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.collector.messages import HostLink
    from tui.hyperv.model import Trouble


def list_rows(arguments: argparse.Namespace) -> int:
    """``hosts``, ``vms``, ``networks``, ``jobs``, and what clusters are made of."""
    from tui.cli.batch import rows_of
    from tui.rows import columns
    from tui.rows.filter import parse

    kind = arguments.kind
    every, usual = columns.BY_KIND[kind]
    shown = columns.select(every, arguments.columns, usual)
    by = columns.find(every, arguments.sort.lstrip("-") or "name")
    ordered = columns.order(by, reverse=arguments.sort.startswith("-"))
    parse(arguments.filter, kind)
    prepare_glyphs(arguments)
    with reached(arguments) as links:
        store, troubles = _read(links, rates=kind in ("host", "node"))
        store.watches.name(watched(arguments), (*store.vms, *store.host_rows))
        wanted = parse(arguments.filter, kind, host_tags(arguments))
    rows = ordered(wanted.select(rows_of(store, kind).values()))
    emit(arguments.output, shown, rows)
    if troubles and len(troubles) == len(links):
        return exits.NO_HOST
    return exits.FAILED if troubles and kind not in ("host", "node") else exits.DONE


def refresh(arguments: argparse.Namespace) -> int:
    """``host refresh``: read the hosts named now, and tell how they are."""
    from tui.actions import Kind
    from tui.cli.batch import resolve
    from tui.cli.gather import store_of
    from tui.hyperv.plans.words import several
    from tui.rows import columns
    from tui.rows.filter import parse

    prepare_glyphs(arguments)
    with reached(arguments) as links:
        named = resolve(store_of(links, {}, {}), Kind.HOST, arguments.names, parse("", "host"))
        wanted = {target.id for target in named}
        chosen = tuple(link for link in links if link.id in wanted)
        store, troubles = _read(chosen, rates=True)
    rows = list(store.host_rows.values())
    for row in rows:
        if row.key not in troubles:
            machines = several(row.total, "machine") + (" runs" if row.running == 1 else " run")
            narrate(f"{row.host.id}: read again, {row.running} of {machines}")
    emit(arguments.output, columns.select(columns.HOST_COLUMNS, "", columns.HOST_DEFAULT), rows)
    if len(troubles) == len(chosen):
        return exits.NO_HOST
    return exits.FAILED if troubles else exits.DONE


def audit(arguments: argparse.Namespace) -> int:
    """``audit``: what is wrong between the networks of the hosts, or one of the tables behind."""
    from tui.rows import columns, matrix
    from tui.rows.filter import parse

    wanted = parse(arguments.filter, "audit")
    table = next(one for one in matrix.AUDITS if one.id == arguments.table)
    prepare_glyphs(arguments)
    with reached(arguments) as links:
        store, troubles = _read(links)
    every = table.columns(matrix.audit_hosts(store))
    usual = list(table.default) or [column.id for column in every]
    shown = columns.select(every, arguments.columns, usual)
    rows = wanted.select(table.lines(store))
    if arguments.sort:
        by = columns.find(every, arguments.sort.lstrip("-"))
        rows = columns.order(by, reverse=arguments.sort.startswith("-"))(rows)
    emit(arguments.output, shown, rows)
    if troubles and len(troubles) == len(links):
        return exits.NO_HOST
    return exits.FAILED if troubles else exits.DONE


def _read(links: tuple[HostLink, ...], *, rates: bool = False) -> tuple[Any, dict[str, Trouble]]:
    """Read hosts once, or, for rates, twice; say which could not be read."""
    from tui.cli.gather import read
    from tui.collector.session import Session

    with Session(links) as session:
        store = read(session, rates=rates)
        troubles = dict(session.troubles)
    tell_troubles(troubles)
    return store, troubles


def emit(form: str, columns: Any, rows: Sequence[Any]) -> None:
    from tui.rows.export import render

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    sys.stdout.write(render(form, columns, rows, width=width))


def query(arguments: argparse.Namespace) -> int:
    """A WQL query against one host; only reading is possible with it."""
    from tui.cli import plain
    from tui.collector.session import Session

    with reached(arguments) as links:
        if len(links) != 1:
            raise UsageError("A query goes to one host", hint=f"--host NAME; {names_of(links)}")
        with Session(links) as session:
            found = session.client(links[0].id).query(arguments.namespace, arguments.query)
    if arguments.output == "json":
        import json

        data = [plain.instance(one) for one in found]
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    else:
        emit(arguments.output, plain.columns_of(found), found)
    return exits.DONE

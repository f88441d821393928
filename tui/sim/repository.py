"""All CIM instances of one simulated host, stored or computed, found as WMI would find them.

Knows class shapes from the schema table; knows nothing of virtual machines or of the wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tui.sim import where, wql
from tui.sim.table import (
    Identity,
    Near,
    Source,
    Table,
    Write,
    fold,
    has,
    identity,
    key_text,
    selectors,
)
from tui.wsman import schema
from tui.wsman.cim import CimClass, CimInstance, CimRef, CimType, CimValue
from tui.wsman.fault import Refusal, fault, refuse
from tui.wsman.values import Wsman

WMI = 3
"""The shape of faults that come from WMI and not from the WS-Management stack."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a query gave. ``columns`` is empty when whole instances were asked for."""

    cls: CimClass
    columns: tuple[str, ...]
    items: list[CimInstance]


class Repository:
    """Namespaces, classes and instances of one host. Names and key values ignore case."""

    def __init__(self, server: str = "localhost") -> None:
        self.server = server
        self._tables: dict[tuple[str, str], Table] = {}
        self._deep: dict[tuple[str, str], list[Table]] = {}
        self._ends: dict[Identity, dict[int, tuple[Table, CimInstance]]] = {}

    # -- writing ---------------------------------------------------------------------------

    def add(self, instance: CimInstance) -> CimInstance:
        """Store an instance, replacing one with the same key; returns what is stored.

        Its ``values`` are filled up with null and stay the very same dict.
        """
        table = self._table(instance.namespace, instance.class_name)
        stored = table.fill(instance)
        key = table.key(stored)
        if key in table.rows:
            self._unlink(table, table.rows[key])
        table.rows[key] = stored
        for end in table.ends:
            value = stored.values[end]
            if isinstance(value, CimRef):
                here = self._ends.setdefault(identity(value, stored.namespace), {})
                here[id(stored.values)] = (table, stored)
        return stored

    def remove(self, instance: CimInstance) -> None:
        """Forget a stored instance; nothing happens when it is not stored."""
        table = self._table(instance.namespace, instance.class_name)
        key = table.key(instance)
        if key not in table.rows:
            same = (k for k, row in table.rows.items() if row.values is instance.values)
            key = next(same, key)
        stored = table.rows.pop(key, None)
        if stored is not None:
            self._unlink(table, stored)

    def provide(
        self, namespace: str, class_name: str, source: Source, near: Near | None = None
    ) -> None:
        """Compute the instances of a class whenever somebody asks.

        ``near``, for an association, yields only the instances that touch one endpoint, so that
        ASSOCIATORS OF one object does not build every association of the host.
        """
        table = self._table(namespace, class_name)
        table.source = source
        table.near = near

    def provide_writer(self, namespace: str, class_name: str, write: Write) -> None:
        """What Put does to the computed instances of a class."""
        self._table(namespace, class_name).write = write

    def put(self, instance: CimInstance, values: dict[str, CimValue]) -> CimInstance:
        """Change an instance; as it is then."""
        table = self._table(instance.namespace, instance.class_name)
        if table.write is None:
            instance.values.update(values)
            return instance
        table.write(instance, values)
        return self.find(self.ref_of(instance))

    def provide_association(
        self, namespace: str, class_name: str, source: Source, near: Near
    ) -> None:
        """``provide`` for an association that can answer for one endpoint cheaply."""
        self.provide(namespace, class_name, source, near)

    # -- reading ---------------------------------------------------------------------------

    def instances(self, namespace: str, class_name: str) -> Iterator[CimInstance]:
        """Every instance of a class and its subclasses."""
        self.class_of(namespace, class_name)
        for table in self._tables_of(namespace, class_name):
            yield from table

    def lacks(self, namespace: str, class_name: str) -> bool:
        """Whether this host has no such class although the schema does; for hosts to override."""
        return False

    def lacking(self, class_name: str) -> frozenset[str]:
        """Properties, in lower case, this host's class lacks although the schema has them; for
        hosts to override."""
        return frozenset()

    def class_of(self, namespace: str, class_name: str) -> CimClass:
        """The class, or the refusal of an operation on a class that is not there."""
        cls = self._schema(namespace, class_name)
        if cls is None:
            raise refuse(
                Wsman.RESOURCE_NOT_FOUND,
                f"The resource URI names no class: {namespace}/{class_name}.",
                shape=WMI,
            )
        return cls

    def get(self, ref: CimRef, namespace: str = "") -> CimInstance | None:
        """The instance with exactly these keys, or None."""
        try:
            return self.find(ref, namespace)
        except Refusal:
            return None

    def find(self, ref: CimRef, namespace: str = "") -> CimInstance:
        """The one instance the selectors match; they need not name every key.

        Wrong, too few or ambiguous selectors are refused as wsman-wire.md 4 says.
        """
        space = ref.namespace or namespace
        cls = self.class_of(space, ref.class_name)
        wanted = selectors(cls, ref)
        if not wanted and not cls.singleton:
            raise refuse(
                Wsman.WMI_SINGLETON,
                f"{cls.name} has more than one instance and needs its keys as selectors.",
                shape=WMI,
            )
        found = list(self._matches(space, cls, wanted))
        if not found:
            raise refuse(
                Wsman.RESOURCE_NOT_FOUND,
                f"No instance of {cls.name} matches the selectors.",
                shape=WMI,
            )
        if len(found) > 1:
            raise refuse(
                Wsman.INSUFFICIENT_SELECTORS,
                f"{len(found)} instances of {cls.name} match the selectors.",
            )
        return found[0]

    def ref_of(self, instance: CimInstance) -> CimRef:
        """The full reference of an instance, in proper casing."""
        cls = self.class_of(instance.namespace, instance.class_name)
        keys = tuple((name, key_text(instance.values[name])) for name in cls.keys)
        return CimRef(cls.name, keys, cls.namespace)

    # -- queries ---------------------------------------------------------------------------

    def query(self, namespace: str, text: str) -> Rows:
        """Answer WQL; anything wrong with it is refused as CannotProcessFilter."""
        try:
            statement = wql.parse(text)
            if isinstance(statement, wql.Select):
                return self._select(namespace, statement)
            if statement.schema_only or statement.class_defs_only:
                raise wql.BadQuery("class definitions cannot be enumerated")
            return self._walk(namespace, statement)
        except wql.BadQuery as bad:
            raise _unprocessable(text, str(bad)) from bad

    def _select(self, namespace: str, statement: wql.Select) -> Rows:
        cls = self._known(namespace, statement.class_name)
        names = {name.lower(): name for name in cls.properties}
        columns = tuple(dict.fromkeys(_column(cls, names, column) for column in statement.columns))
        scope = where.Scope(cls, self.server, self.ref_of)
        keep = where.compile(statement.where, scope) if statement.where else None
        if "__PATH" in columns:
            # A real host answers no rows at all, and no error (hyperv-cim.md 1.2).
            return Rows(cls, columns, [])
        rows: Iterable[CimInstance] = self._candidates(namespace, cls, statement.where)
        if keep is not None:
            rows = (row for row in rows if keep(row))
        if not columns:
            return Rows(cls, (), self._whole(cls, rows))
        readers = [(column, where.column(column, scope)) for column in columns]
        items = [
            CimInstance(cls.name, {name: read(row) for name, read in readers}, cls.namespace)
            for row in rows
        ]
        return Rows(cls, columns, items)

    def _whole(self, cls: CimClass, rows: Iterable[CimInstance]) -> list[CimInstance]:
        if not self.lacking(cls.name):
            return list(rows)
        return [
            replace(row, values={k: v for k, v in row.values.items() if k in cls.properties})
            for row in rows
        ]

    def _candidates(
        self, namespace: str, cls: CimClass, condition: wql.Condition | None
    ) -> Iterator[CimInstance]:
        """The rows worth testing: one per table when the condition pins the only key."""
        pinned = where.pinned(condition, cls.keys[0]) if len(cls.keys) == 1 else None
        if pinned is None:
            return self.instances(namespace, cls.name)
        return self._matches(namespace, cls, {cls.keys[0].lower(): pinned.lower()})

    def _walk(self, namespace: str, statement: wql.Walk) -> Rows:
        space = statement.source.namespace or namespace
        for name in (statement.result_class, statement.assoc_class):
            if name:
                self._known(space, name)
        cls = self._known(space, statement.source.class_name)
        if statement.impossible:
            return Rows(cls, (), [])
        source = _spelled(cls, statement.source)
        if statement.references:
            items = self.references(
                source, space, result_class=statement.result_class, role=statement.role
            )
        else:
            items = self.associators(
                source,
                space,
                assoc_class=statement.assoc_class,
                result_class=statement.result_class,
                role=statement.role,
                result_role=statement.result_role,
            )
        return Rows(cls, (), items)

    def associators(
        self,
        ref: CimRef,
        namespace: str = "",
        *,
        assoc_class: str = "",
        result_class: str = "",
        role: str = "",
        result_role: str = "",
    ) -> list[CimInstance]:
        """The objects at the other ends of the associations that touch ``ref``."""
        space = ref.namespace or namespace
        found: dict[Identity, CimInstance] = {}
        for _, link, end in self._links(ref, space, assoc_class, role):
            for name, value in link.values.items():
                if name == end or not isinstance(value, CimRef):
                    continue
                if result_role and name.lower() != result_role.lower():
                    continue
                self._collect(found, value, space, result_class)
        return list(found.values())

    def references(
        self, ref: CimRef, namespace: str = "", *, result_class: str = "", role: str = ""
    ) -> list[CimInstance]:
        """The association instances that touch ``ref``."""
        space = ref.namespace or namespace
        links = self._links(ref, space, result_class, role)
        return list({id(link.values): link for _, link, _ in links}.values())

    # -- inner workings --------------------------------------------------------------------

    def _table(self, namespace: str, class_name: str) -> Table:
        place = (fold(namespace), class_name.lower())
        table = self._tables.get(place)
        if table is None:
            cls = schema.cim_class(namespace, class_name)
            if cls is None:
                raise ValueError(f"no class {class_name} in {namespace or 'no namespace'}")
            ends = [p.name for p in cls.properties.values() if p.type is CimType.REFERENCE]
            table = Table(
                cls,
                dict.fromkeys(cls.properties),
                tuple(ends) if cls.kind == "association" else (),
            )
            self._tables[place] = table
            self._deep.clear()
        return table

    def _tables_of(self, namespace: str, class_name: str) -> list[Table]:
        place = (fold(namespace), class_name.lower())
        tables = self._deep.get(place)
        if tables is None:
            family = {name.lower() for name in schema.subclasses(namespace, class_name)}
            tables = [
                table
                for (space, name), table in self._tables.items()
                if space == place[0] and name in family
            ]
            self._deep[place] = tables
        return tables

    def _matches(
        self, namespace: str, cls: CimClass, wanted: dict[str, str]
    ) -> Iterator[CimInstance]:
        for table in self._tables_of(namespace, cls.name):
            names = [name.lower() for name in table.cls.keys]
            if names and len(wanted) == len(names):
                row = table.rows.get(tuple(wanted.get(name, "\0") for name in names))
                rows: Iterable[CimInstance] = () if row is None else (row,)
                if table.source is not None:
                    rows = (*rows, *map(table.fill, table.source()))
            else:
                rows = table
            yield from (row for row in rows if has(row, table.cls.keys, wanted))

    def _schema(self, namespace: str, class_name: str) -> CimClass | None:
        if self.lacks(namespace, class_name):
            return None
        cls = schema.cim_class(namespace, class_name)
        lacking = self.lacking(class_name)
        if cls is None or not lacking:
            return cls
        kept = {k: p for k, p in cls.properties.items() if k.lower() not in lacking}
        return replace(cls, properties=kept)

    def _known(self, namespace: str, class_name: str) -> CimClass:
        cls = self._schema(namespace, class_name)
        if cls is None:
            raise wql.BadQuery(f"class {class_name} is not in {namespace}")
        return cls

    def _links(
        self, ref: CimRef, namespace: str, assoc_class: str, role: str
    ) -> Iterator[tuple[Table, CimInstance, str]]:
        """Associations touching an instance: table, association, name of the touching end."""
        source = self.ref_of(self.find(ref, namespace))
        here = identity(source, namespace)
        space = fold(namespace)
        base = assoc_class.lower()
        for (place, _), table in list(self._tables.items()):
            if place != space or not table.ends:
                continue
            if base and not schema.is_a(namespace, table.cls.name, assoc_class):
                continue
            for link in self._near(table, source, here):
                for end in table.ends:
                    value = link.values[end]
                    if not isinstance(value, CimRef) or (role and end.lower() != role.lower()):
                        continue
                    if identity(value, namespace) == here:
                        yield table, link, end

    def _near(self, table: Table, source: CimRef, here: Identity) -> Iterable[CimInstance]:
        for owner, link in list(self._ends.get(here, {}).values()):
            if owner is table:
                yield link
        if table.near is not None:
            yield from map(table.fill, table.near(source))
        elif table.source is not None:
            yield from map(table.fill, table.source())

    def _collect(
        self, found: dict[Identity, CimInstance], ref: CimRef, namespace: str, result_class: str
    ) -> None:
        place = identity(ref, namespace)
        if place in found:
            return
        space = ref.namespace or namespace
        if result_class and not schema.is_a(space, ref.class_name, result_class):
            return
        instance = self.get(ref, namespace)
        if instance is not None:
            found[place] = instance

    def _unlink(self, table: Table, instance: CimInstance) -> None:
        for end in table.ends:
            value = instance.values[end]
            if isinstance(value, CimRef):
                self._ends.get(identity(value, instance.namespace), {}).pop(
                    id(instance.values), None
                )


def _spelled(cls: CimClass, ref: CimRef) -> CimRef:
    """A path such as ``Class="x"`` names its only key by leaving the name out."""
    if len(ref.keys) == 1 and ref.keys[0][0] == "" and len(cls.keys) == 1:
        return replace(ref, keys=((cls.keys[0], ref.keys[0][1]),))
    return ref


def _column(cls: CimClass, names: dict[str, str], column: str) -> str:
    proper = names.get(column.lower()) or where.system_name(column)
    if proper is None:
        raise wql.BadQuery(f"{cls.name} has no property {column}")
    return proper


def _unprocessable(text: str, why: str) -> Refusal:
    reply = fault(
        Wsman.CANNOT_PROCESS_FILTER,
        f"The filter cannot be processed: {why}.",
        shape=WMI,
        operation="ExecQuery",
        parameter=text,
    )
    return Refusal(reply)

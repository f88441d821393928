"""WQL as text: tokens, grammar, and the statements it can hold. Knows no class and no instance.

SELECT with conditions, ASSOCIATORS OF and REFERENCES OF; event queries and schema queries are
refused like any other text that cannot be processed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, Union

from tui.errors import WireError
from tui.wsman.cim import CimRef, from_path


class BadQuery(ValueError):
    """The text is not WQL, or asks for something that is not there."""


class Op(StrEnum):
    """Comparison operators."""

    EQ = "="
    NE = "<>"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    LIKE = "LIKE"
    ISA = "ISA"


Constant: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Compare:
    """``name op constant``; a constant on the left has been turned round by the parser."""

    name: str
    op: Op
    constant: Constant


@dataclass(frozen=True, slots=True)
class IsNull:
    """``name IS NULL``."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """``NOT condition``."""

    term: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """Terms joined by AND; flat, so that a thousand of them nest no deeper than two."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Terms joined by OR."""

    terms: tuple[Condition, ...]


Condition: TypeAlias = Union[Compare, IsNull, Not, Both, Either]  # noqa: UP007 - recursive


@dataclass(frozen=True, slots=True)
class Select:
    """``SELECT columns FROM class WHERE condition``; no columns means ``*``."""

    columns: tuple[str, ...]
    class_name: str
    where: Condition | None


@dataclass(frozen=True, slots=True)
class Walk:
    """``ASSOCIATORS OF`` or, with ``references``, ``REFERENCES OF``."""

    source: CimRef
    references: bool
    assoc_class: str = ""
    result_class: str = ""
    role: str = ""
    result_role: str = ""
    class_defs_only: bool = False
    schema_only: bool = False
    impossible: bool = False
    """A required qualifier that no class has."""


Statement: TypeAlias = Select | Walk

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    | (?P<path>\{(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^{}"'])*\})
    | (?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+|\d+(?:[eE][-+]?\d+)?))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<op><=|>=|<>|!=|[=<>(),*])
    )""",
    re.VERBOSE | re.DOTALL,
)
_FLIPPED = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}
_RESERVED = frozenset(
    {"select", "from", "where", "and", "or", "not", "is", "null", "like", "isa", "true", "false"}
)
_QUALIFIERS = frozenset({"association", "dynamic", "provider"})
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Token:
    """One lexical element and where it stands."""

    kind: str
    text: str
    at: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords."""
        return self.kind == "word" and self.text.lower() in words


def parse(text: str) -> Statement:
    """The statement a text holds; raises BadQuery."""
    return _Parser(text).statement()


def unquote(literal: str) -> str:
    r"""The value of a quoted literal: ``\\``, ``\'`` and ``\"`` are the only escapes."""
    body = literal[1:-1]
    if "\\" not in body:
        return body
    stray = re.search(r"\\(.)", re.sub(r"\\[\\'\"]", "", body), re.DOTALL)
    if stray:
        raise BadQuery(f"a backslash before {stray[1]!r} must be doubled")
    return re.sub(r"\\(.)", r"\1", body, flags=re.DOTALL)


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise BadQuery(f"unexpected character at position {at + 1}")
        found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    found.append(Token("end", "end of the query", end))
    return found


class _Parser:
    """Recursive descent; one look-ahead."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def statement(self) -> Statement:
        first = self._next()
        if first.is_word("select"):
            found: Statement = self._select()
        elif first.is_word("associators", "references"):
            found = self._walk(references=first.is_word("references"))
        else:
            raise self._wrong(first, "SELECT, ASSOCIATORS OF or REFERENCES OF")
        if self._peek().kind != "end":
            raise self._wrong(self._peek(), "the end of the query")
        return found

    # -- SELECT ----------------------------------------------------------------------------

    def _select(self) -> Select:
        columns: list[str] = []
        if self._peek().text == "*":
            self._next()
        else:
            columns.append(self._name())
            while self._peek().text == ",":
                self._next()
                columns.append(self._name())
        self._expect("from")
        class_name = self._name()
        if class_name.lower() == "meta_class" or "." in class_name:
            raise BadQuery(f"{class_name} cannot be queried")
        condition = None
        if self._peek().is_word("where"):
            self._next()
            condition = self._either()
        return Select(tuple(columns), class_name, condition)

    def _either(self) -> Condition:
        terms = [self._both()]
        while self._peek().is_word("or"):
            self._next()
            terms.append(self._both())
        return Either(tuple(terms)) if len(terms) > 1 else terms[0]

    def _both(self) -> Condition:
        terms = [self._term()]
        while self._peek().is_word("and"):
            self._next()
            terms.append(self._term())
        return Both(tuple(terms)) if len(terms) > 1 else terms[0]

    def _term(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadQuery("conditions are nested too deeply")
        token = self._peek()
        if token.is_word("not"):
            self._next()
            found: Condition = Not(self._term())
        elif token.text == "(" and token.kind == "op":
            self._next()
            found = self._either()
            self._expect(")")
        else:
            found = self._comparison()
        self._depth -= 1
        return found

    def _comparison(self) -> Condition:
        if not self._at_name():
            constant = self._constant()
            op = self._operator()
            if op in (Op.LIKE, Op.ISA):
                raise self._wrong(self._peek(), f"a property to the left of {op}")
            return self._compare(self._name(), _FLIPPED.get(op, op), constant)
        name = self._name()
        if self._peek().is_word("is"):
            return self._is(name)
        negated = self._peek().is_word("not")
        if negated:
            self._next()
        op = self._operator()
        if negated and op is not Op.LIKE:
            raise self._wrong(self._peek(), "LIKE after NOT")
        if op is Op.ISA and self._at_name():
            return Compare(name, op, self._name())
        found = self._compare(name, op, self._constant())
        return Not(found) if negated else found

    def _compare(self, name: str, op: Op, constant: Constant) -> Condition:
        if constant is not None:
            return Compare(name, op, constant)
        if op is Op.EQ:
            return IsNull(name)
        if op is Op.NE:
            return Not(IsNull(name))
        raise BadQuery(f"NULL cannot be compared by {op}")

    def _is(self, name: str) -> Condition:
        self._next()
        negated = self._peek().is_word("not")
        if negated:
            self._next()
        self._expect("null")
        return Not(IsNull(name)) if negated else IsNull(name)

    def _operator(self) -> Op:
        token = self._next()
        text = token.text.upper()
        if token.kind == "word" and text in (Op.LIKE, Op.ISA):
            return Op(text)
        if token.kind == "op" and text == "!=":
            return Op.NE
        if token.kind == "op" and text not in "(),*":
            return Op(text)
        raise self._wrong(token, "an operator")

    def _constant(self) -> Constant:
        token = self._next()
        if token.kind == "string":
            return unquote(token.text)
        if token.kind == "number":
            return _number(token.text)
        if token.is_word("null"):
            return None
        if token.is_word("true", "false"):
            return token.is_word("true")
        raise self._wrong(token, "a constant")

    # -- ASSOCIATORS OF, REFERENCES OF -----------------------------------------------------

    def _walk(self, *, references: bool) -> Walk:
        self._expect("of")
        token = self._next()
        if token.kind != "path":
            raise self._wrong(token, "an object path in braces")
        source = path_ref(token.text[1:-1].strip())
        if not self._peek().is_word("where"):
            return Walk(source, references)
        self._next()
        named: dict[str, str] = {}
        flags: set[str] = set()
        while self._peek().kind != "end":
            word = self._name().lower()
            if word in named or word in flags:
                raise BadQuery(f"{word} is given twice")
            if self._peek().text == "=":
                self._next()
                named[word] = self._goal()
            else:
                flags.add(word)
        if not named and not flags:
            raise self._wrong(self._peek(), "a restriction")
        return _restricted(source, references, named, flags)

    def _goal(self) -> str:
        """A class or role; scripts quote them now and then, and WMI lets them."""
        if self._peek().kind == "string":
            return unquote(self._next().text)
        return self._name()

    # -- tokens ----------------------------------------------------------------------------

    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def _at_name(self) -> bool:
        token = self._peek()
        return token.kind == "word" and token.text.lower() not in _RESERVED

    def _name(self) -> str:
        if not self._at_name():
            raise self._wrong(self._peek(), "a name")
        return self._next().text

    def _expect(self, text: str) -> None:
        token = self._next()
        if token.text.lower() != text or token.kind == "string":
            raise self._wrong(token, text.upper())

    def _wrong(self, token: Token, wanted: str) -> BadQuery:
        return BadQuery(f"expected {wanted} at position {token.at + 1}, found {token.text}")


def _number(text: str) -> int | float:
    if "x" in text.lower():
        return int(text, 16)
    return float(text) if re.search(r"[.eE]", text) else int(text)


def _restricted(source: CimRef, references: bool, named: dict[str, str], flags: set[str]) -> Walk:
    allowed = {"resultclass", "role", "requiredqualifier"}
    if not references:
        allowed |= {"assocclass", "resultrole", "requiredassocqualifier"}
    for word in named.keys() - allowed:
        raise BadQuery(f"{word} is not a restriction here")
    for word in flags - {"classdefsonly", "schemaonly", "keysonly"}:
        raise BadQuery(f"{word} needs a value or is not a restriction")
    qualifiers = {value.lower() for word, value in named.items() if word.startswith("required")}
    return Walk(
        source,
        references,
        assoc_class=named.get("assocclass", ""),
        result_class=named.get("resultclass", ""),
        role=named.get("role", ""),
        result_role=named.get("resultrole", ""),
        class_defs_only="classdefsonly" in flags,
        schema_only="schemaonly" in flags,
        impossible=bool(qualifiers - _QUALIFIERS),
    )


def path_ref(text: str) -> CimRef:
    """The reference an object path in a query names; raises BadQuery."""
    try:
        return from_path(text)
    except WireError as error:
        raise BadQuery(f"{text} is not an object path") from error

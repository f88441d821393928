"""The filter grammar: one language for ``/``, the command line and saved views.

::

    term            substring of name, host, address, tag or note (smart case)
    !term           not
    /re/  ~term     regular expression; fuzzy on the name
    field:value     contains, or a whole match when it holds * or ?; field=value is equality
    field>number    with units where they apply: mem>4G cpu>80 free<10% age>3d
    a b   a | b     and; or; ( ) groups
    @host #tag is:problem

What a field is comes from ``fields``; this module reads words and knows no row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, TypeAlias

from tui.errors import UsageError
from tui.rows import compare
from tui.rows.fields import VOCABULARIES
from tui.rows.vocabulary import FilterField, Unit, Vocabulary

Test: TypeAlias = Callable[[Any], bool]

LIMIT: Final = 500
"""Characters a filter may have."""
_DEPTH: Final = 20
_FIELD: Final = re.compile(r"([A-Za-z][\w-]*)(:|<=|>=|!=|=|<|>)(.*)", re.DOTALL)
_STOPS: Final = frozenset(" \t()|")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text. ``kind`` is an operator itself, or ``word``, ``quoted``, ``regex``."""

    kind: str
    text: str
    at: int
    quoted: bool = False
    """Part of the word was in quotes, so nothing in it is a wildcard."""


class Filter:
    """A compiled filter. An empty one matches everything."""

    def __init__(self, text: str, test: Test | None) -> None:
        self.text = text
        self._test = test

    def __bool__(self) -> bool:
        return self._test is not None

    def matches(self, row: Any) -> bool:
        return self._test is None or self._test(row)

    def select(self, rows: Iterable[Any]) -> list[Any]:
        """The rows that match, in their order."""
        test = self._test
        return list(rows) if test is None else [row for row in rows if test(row)]


def parse(text: str, kind: str, host_tags: Mapping[str, Sequence[str]] | None = None) -> Filter:
    """Compile a filter for rows of one kind (a ``Kind``, ``call`` or ``exchange``).

    ``host_tags`` are the tags the configuration gives hosts, by host id; what runs on a host
    carries them too. Raises UsageError saying what is wrong and what would be right.
    """
    if len(text) > LIMIT:
        raise UsageError("The filter is too long", cause=f"more than {LIMIT} characters")
    vocabulary = VOCABULARIES[kind]
    tokens = tokenize(text)
    if not tokens:
        return Filter(text, None)
    return Filter(text, _Parser(tokens, vocabulary, host_tags or {}).all())


# -- words ---------------------------------------------------------------------------------


def tokenize(text: str) -> list[Token]:
    """Cut a filter into tokens. Raises UsageError for a quote or ``/`` that is not closed."""
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character in " \t":
            at += 1
        elif character in "()|!":
            tokens.append(Token(character, character, at))
            at += 1
        elif character == "/":
            end = _closing(text, at)
            tokens.append(Token("regex", text[at + 1 : end], at))
            at = end + 1
        else:
            token, at = _word(text, at)
            tokens.append(token)
    return tokens


def _closing(text: str, at: int) -> int:
    """Position of the ``/`` or quote that closes the one at ``at``."""
    mark, position = text[at], at + 1
    while position < len(text):
        if text[position] == "\\" and mark == "/":
            position += 1
        elif text[position] == mark:
            return position
        position += 1
    what = "regular expression" if mark == "/" else "quotation"
    raise UsageError(f"The {what} is not closed", hint=f"end it with {mark}")


def _word(text: str, at: int) -> tuple[Token, int]:
    start, parts, quoted = at, [], False
    while at < len(text) and text[at] not in _STOPS:
        if text[at] == '"':
            end = _closing(text, at)
            parts.append(text[at + 1 : end])
            quoted, at = True, end + 1
        elif text[at] == "/" and parts and parts[-1] in (":", "="):
            end = _closing(text, at)
            parts.append(text[at : end + 1])
            at = end + 1
        else:
            parts.append(text[at])
            at += 1
    kind = "quoted" if text[start] == '"' else "word"
    return Token(kind, "".join(parts), start, quoted), at


# -- structure -----------------------------------------------------------------------------


class _Parser:
    """Recursive descent: or over and over not over single terms."""

    def __init__(
        self, tokens: list[Token], vocabulary: Vocabulary, host_tags: Mapping[str, Sequence[str]]
    ) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._words = _Words(vocabulary, host_tags)

    def all(self) -> Test:
        test = self._any_of()
        if self._at < len(self._tokens):
            raise UsageError("The filter has a ) without a (")
        return test

    def _peek(self) -> str:
        return self._tokens[self._at].kind if self._at < len(self._tokens) else ""

    def _any_of(self) -> Test:
        tests = [self._all_of()]
        while self._peek() == "|":
            self._at += 1
            tests.append(self._all_of())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _all_of(self) -> Test:
        tests: list[Test] = []
        while self._peek() not in ("", "|", ")"):
            tests.append(self._single())
        if not tests:
            raise UsageError("The filter has nothing to look for beside | or inside ( )")
        if len(tests) == 1:
            return tests[0]
        if len(tests) == 2:
            first, second = tests
            return lambda row: first(row) and second(row)
        return lambda row: all(test(row) for test in tests)

    def _single(self) -> Test:
        token = self._tokens[self._at]
        self._at += 1
        if token.kind not in ("!", "("):
            return self._words.test(token)
        self._depth += 1
        if self._depth > _DEPTH:
            raise UsageError("The filter is nested too deeply")
        if token.kind == "!":
            test = self._negated()
        else:
            test = self._any_of()
            if self._peek() != ")":
                raise UsageError("The filter has a ( that is not closed")
            self._at += 1
        self._depth -= 1
        return test

    def _negated(self) -> Test:
        if self._peek() in ("", "|", ")"):
            raise UsageError("! stands alone", hint="write what shall not match after it")
        test = self._single()
        return lambda row: not test(row)


# -- meaning -------------------------------------------------------------------------------


class _Words:
    """Turns one token into a test of a row."""

    def __init__(self, vocabulary: Vocabulary, host_tags: Mapping[str, Sequence[str]]) -> None:
        self._vocabulary = vocabulary
        self._host_tags = host_tags

    def test(self, token: Token) -> Test:
        if token.kind == "regex":
            return self._somewhere(compare.regex(token.text))
        if token.kind == "word":
            if found := _FIELD.fullmatch(token.text):
                return self._field(*found.groups(), quoted=token.quoted)
            if len(token.text) > 1 and token.text[0] in "@#~":
                return self._sigil(token.text[0], token.text[1:], quoted=token.quoted)
        if "*" in token.text and not token.quoted:
            return self._somewhere(compare.glob_inside(token.text))
        return self._plain(token.text)

    def _plain(self, term: str) -> Test:
        pieces = self._vocabulary.pieces
        if term != term.lower():
            return lambda row: term in "\n".join(pieces(row))
        return lambda row: term in "\n".join(pieces(row)).lower()

    def _somewhere(self, matches: Callable[[str], bool]) -> Test:
        pieces = self._vocabulary.pieces
        return lambda row: any(matches(piece) for piece in pieces(row))

    def _sigil(self, sign: str, term: str, *, quoted: bool) -> Test:
        if sign == "~":
            pieces, fuzzy = self._vocabulary.pieces, compare.fuzzy(term)
            return lambda row: fuzzy(pieces(row)[0])
        matches = compare.words(term, quoted=quoted)
        if sign == "#":
            return self._tagged(compare.words(term, quoted=quoted, whole=True))
        place = self._vocabulary.place
        return lambda row: any(matches(name) for name in place(row))

    def _tagged(self, matches: Callable[[str], bool]) -> Test:
        tags, host = self._vocabulary.tags, self._vocabulary.host
        if not (known := self._host_tags):
            return lambda row: any(matches(tag) for tag in tags(row))
        return lambda row: any(matches(tag) for tag in (*tags(row), *known.get(host(row), ())))

    def _field(self, name: str, sign: str, value: str, *, quoted: bool) -> Test:
        lowered = name.lower()
        if lowered == "is":
            return self._flag(value)
        if sign == ":" and not quoted and (inner := re.match(r"(<=|>=|!=|=|<|>)(.+)", value)):
            sign, value = inner.groups()
        if not value and not quoted:
            raise UsageError(f"{name}{sign} needs a value", hint=f'{name}:"" finds an empty one')
        if lowered in ("tag", "tags"):
            test = self._tagged(_wanted("tag", sign, value, quoted=quoted))
        else:
            test = self._by(self._known(lowered), sign, value, quoted=quoted)
        return (lambda row: not test(row)) if sign == "!=" else test

    def _known(self, name: str) -> FilterField:
        field = self._vocabulary.fields.get(name)
        if field is not None:
            return field
        names = [*self._vocabulary.fields, "tag", "is"]
        near = get_close_matches(name, names, 1, 0.5)
        raise UsageError(
            f"No field named {name}",
            cause=f"did you mean {near[0]}?" if near else "",
            hint="Put text that holds : < = > in quotes. Fields: "
            + ", ".join(field_names(self._vocabulary)),
        )

    def _by(self, field: FilterField, sign: str, value: str, *, quoted: bool) -> Test:
        get = field.get
        if field.unit is Unit.TEXT:
            matches = _wanted(field.names[0], sign, value, quoted=quoted)
            return lambda row: any(matches(text) for text in get(row) or ("",))
        if field.unit is Unit.VERSION:
            of_version = compare.version(field.names[0], sign, value)
            return lambda row: of_version(get(row))
        number, percent = compare.number(field.names[0], field.unit, value, field.share is not None)
        holds = compare.numeric(sign, number)
        if percent and field.share is not None:
            get = field.share
        return lambda row: holds(get(row))

    def _flag(self, value: str) -> Test:
        flags = self._vocabulary.flags
        found = flags.get(value.lower())
        if found is not None:
            return found
        near = get_close_matches(value.lower(), list(flags), 1, 0.5)
        raise UsageError(
            f"is:{value} is not known",
            cause=f"did you mean is:{near[0]}?" if near else "",
            hint="is: " + ", ".join(flags),
        )


def _wanted(name: str, sign: str, value: str, *, quoted: bool) -> Callable[[str], bool]:
    if sign in ("<", ">", "<=", ">="):
        raise UsageError(f"{name} is text", cause=f"it cannot be compared with {sign}")
    if len(value) > 1 and value[0] == value[-1] == "/" and not quoted:
        return compare.regex(value[1:-1])
    return compare.words(value, quoted=quoted, whole=sign != ":" or name == "tag")


# -- completion ----------------------------------------------------------------------------


def field_names(vocabulary: Vocabulary) -> list[str]:
    """The name each field is shown by."""
    return list(dict.fromkeys(field.names[0] for field in vocabulary.fields.values()))


def complete(text: str, kind: str, rows: Iterable[Any], limit: int = 50) -> list[str]:
    """What ``text`` may be continued to: whole filters, so that one can be put in its place."""
    vocabulary = VOCABULARIES[kind]
    start = max((text.rfind(stop) for stop in _STOPS), default=-1) + 1
    if text[start : start + 1] == "!":
        start += 1
    head, word = text[:start], text[start:]
    options = _options(vocabulary, word, rows)
    lowered = word.lower()
    found = sorted({o for o in options if o.lower().startswith(lowered) and o != word})
    return [head + option for option in found[:limit]]


def _options(vocabulary: Vocabulary, word: str, rows: Iterable[Any]) -> Iterable[str]:
    if word.startswith("@"):
        return {"@" + _quote(name) for row in rows for name in vocabulary.place(row) if name}
    if word.startswith("#"):
        return {"#" + tag for row in rows for tag in vocabulary.tags(row)}
    name, sign, _ = word.partition(":")
    if not sign:
        names = [f"{field}:" for field in field_names(vocabulary)]
        return [*names, "tag:", "is:"] if word else [*names, "tag:", "is:", "@", "#"]
    if name.lower() == "is":
        return [f"{name}:{flag}" for flag in vocabulary.flags]
    if name.lower() == "tag":
        return {f"{name}:{_quote(tag)}" for row in rows for tag in vocabulary.tags(row)}
    field = vocabulary.fields.get(name.lower())
    if field is None or field.unit not in (Unit.TEXT, Unit.VERSION):
        return ()
    values = (field.get(row) for row in rows)
    texts = (text for value in values for text in ((value,) if isinstance(value, str) else value))
    return {f"{name}:{_quote(text)}" for text in texts if text and len(text) <= 60}


def _quote(text: str) -> str:
    special = any(character in _STOPS or character in '*?<>=!:"/' for character in text)
    return '"' + text.replace('"', "") + '"' if special else text

"""What of an entry may stand in a recording: no arguments of calls, no account, no password."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import structs, to_builtins

from tui.collector.framing import frame
from tui.collector.hiding import secrets_of, without
from tui.collector.messages import Answer, Batch, CallUpdate, HostLink, Update
from tui.collector.tape import Entry, Spot, Took

SHORTEST: Final = 6
"""Letters from which a password is looked for in texts; a shorter one is in many words."""
_KEPT: Final = ("destination",)
"""Arguments a question is told by."""


class Seal:
    """Makes frames of entries. Knows the passwords, to leave them out wherever they stand."""

    def __init__(self, links: Iterable[HostLink] = ()) -> None:
        self._secrets = secrets_of(links, SHORTEST)

    def __call__(self, entry: Entry) -> bytes:
        bare = (
            structs.replace(entry, batch=bared(entry.batch)) if isinstance(entry, Took) else entry
        )
        body = frame(bare)
        if any(secret.encode(errors="surrogatepass") in body for secret in self._secrets):
            return frame(self._without(to_builtins(bare)))
        return body

    def _without(self, thing: Any) -> Any:
        if isinstance(thing, str):
            return without(thing, self._secrets)
        if isinstance(thing, dict):
            return {key: self._without(value) for key, value in thing.items()}
        if isinstance(thing, list | tuple):
            return [self._without(value) for value in thing]
        return thing


def bared(batch: Batch) -> Batch:
    """The batch without arguments of calls and without accounts in addresses."""
    return structs.replace(
        batch,
        updates=tuple(_update(update) for update in batch.updates),
        calls=tuple(_call(call) for call in batch.calls),
        answers=tuple(_answer(answer) for answer in batch.answers),
    )


def address(url: str) -> str:
    """A URL without the account in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def spot(link: HostLink) -> Spot:
    """Where a host is, and nothing else of how it is reached."""
    return Spot(link.id, address(link.url), link.read_only, link.demo)


def _update(update: Update) -> Update:
    if update.info is None or "@" not in update.info.url:
        return update
    info = structs.replace(update.info, url=address(update.info.url))
    return structs.replace(update, info=info)


def _call(call: CallUpdate) -> CallUpdate:
    if call.undo is None:
        return call
    return structs.replace(call, undo=structs.replace(call.undo, arguments={}))


def _answer(answer: Answer) -> Answer:
    kept = {name: answer.arguments[name] for name in _KEPT if name in answer.arguments}
    return structs.replace(answer, arguments=kept)

"""A recording on disk: what the deck took in and when, framed, compressed in blocks, versioned.

A file is a mark, a form number, a header frame and blocks. A block is its head and a zlib body of
entries; every minute one of them is a picture: all that was known, so that a reader can begin
there. Only whole blocks count: what a crash cuts off is the seconds since the last one.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TypeAlias

import msgspec

from tui import __version__
from tui.collector.framing import frame, read_frame
from tui.collector.messages import Batch
from tui.errors import UsageError, WireError

MARK: Final = b"hvdeck tape\n"
FORM: Final = 1
"""What this code writes, and the newest it reads."""
FULL: Final = 4 * 1024 * 1024
"""Bytes of entries that make a block."""
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one block's body; more is no block."""
SPREAD: Final = 1 << 30
"""Bytes a body may unpack to: a small file must not fill the memory."""
LATEST: Final = 250_000_000_000.0
"""Unix time beyond which no calendar goes."""
_FORM: Final = struct.Struct("<H")
_HEAD: Final = struct.Struct("<BddII")
"""Sort, first and last time, length and CRC-32 of the body."""
STEPS, PICTURE = 0, 1


class Spot(msgspec.Struct, frozen=True):
    """A host of the recording; nothing that would let anyone in."""

    id: str
    url: str
    read_only: bool = False
    demo: bool = False


class Header(msgspec.Struct, frozen=True):
    """What was recorded, by what, since when."""

    hosts: tuple[Spot, ...]
    begun: float
    made_by: str = __version__


class Took(msgspec.Struct, frozen=True, tag=True):
    """A batch was taken in."""

    at: float
    batch: Batch


class Begun(msgspec.Struct, frozen=True, tag=True):
    """A call left the deck. Its arguments are not told: they may be secret."""

    at: float
    call: str
    action: str
    host: str
    target: str
    key: str
    """Of the row that said so."""
    text: str
    doubted: bool = False
    """The row would go on telling of an unknown outcome."""


class Lost(msgspec.Struct, frozen=True, tag=True):
    """The collector of these hosts ended."""

    at: float
    hosts: tuple[str, ...]


Entry: TypeAlias = Took | Begun | Lost


class Block(NamedTuple):
    """Where a block is, and the time it spans."""

    sort: int
    first: float
    last: float
    offset: int
    length: int
    crc: int


class NoTape(UsageError):
    """A file that cannot be played."""


class Writer:
    """Appends to a stream of its own. Raises OSError; whole blocks stay readable."""

    def __init__(
        self, stream: BinaryIO, header: Header, seal: Callable[[Entry], bytes] = frame
    ) -> None:
        """``seal`` makes a frame of an entry, without what nobody should read."""
        self.written = 0
        self.last = header.begun
        """No entry is older than the one before, whatever the clock does."""
        self._stream = stream
        self._seal = seal
        self._frames: list[bytes] = []
        self._size = 0
        self._first = header.begun
        self._put(MARK + _FORM.pack(FORM) + frame(header))

    def add(self, entry: Entry) -> None:
        """Keep an entry for the next block."""
        self.last = max(self.last, entry.at)
        if not self._frames:
            self._first = self.last
        sealed = self._seal(msgspec.structs.replace(entry, at=self.last))
        self._frames.append(sealed)
        self._size += len(sealed)
        if self._size > FULL:
            self.flush()

    def flush(self) -> None:
        """End the block."""
        if self._frames:
            self._block(STEPS, self._first, b"".join(self._frames))
            self._frames.clear()
            self._size = 0

    def picture(self, entries: Iterable[Entry]) -> None:
        """All that is known once what was added is taken in."""
        self.flush()
        self._block(PICTURE, self.last, b"".join(self._seal(entry) for entry in entries))

    def _block(self, sort: int, first: float, body: bytes) -> None:
        packed = zlib.compress(body)
        self._put(_HEAD.pack(sort, first, self.last, len(packed), zlib.crc32(packed)) + packed)

    def _put(self, octets: bytes) -> None:
        rest = memoryview(octets)
        while rest:  # a stream without a buffer may take only a part
            rest = rest[self._stream.write(rest) :]
        self.written += len(octets)


class Tape:
    """An open recording. What is read was written by others: it is checked, never trusted."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self._stream = stream
        self._decoder = msgspec.msgpack.Decoder(Entry)
        self.header, start = _header(path, stream)
        self.blocks: list[Block] = []
        self.cut = ""
        """What is wrong with its end."""
        self._scan(start)
        self._pictures = [at for at, one in enumerate(self.blocks) if one.sort == PICTURE]
        if not self._pictures or self._pictures[0] != 0:
            raise NoTape(
                f"{path} holds nothing to play",
                cause=self.cut or "there is nothing behind its header",
                hint="a recording of some seconds can be played up to where it was cut off",
            )

    def close(self) -> None:
        self._stream.close()

    @property
    def begun(self) -> float:
        """When its first picture was taken."""
        return self.blocks[0].first

    @property
    def end(self) -> float:
        """When the last thing on it was."""
        return self.blocks[-1].last

    def before(self, at: float) -> int:
        """The block of the last picture that was taken by then; the first one when none was."""
        times = [self.blocks[index].last for index in self._pictures]
        return self._pictures[max(0, bisect_right(times, at) - 1)]

    def picture(self, index: int) -> list[Entry]:
        """What was known then. Raises WireError."""
        return list(self._entries(self.blocks[index]))

    def steps(self, index: int) -> Iterator[Entry]:
        """Everything that came after a picture. Raises WireError where it is damaged."""
        for block in self.blocks[index + 1 :]:
            if block.sort == STEPS:
                yield from self._entries(block)

    def _scan(self, at: int) -> None:
        """Find the blocks by their heads alone; the last body is tried, too."""
        size, last = self._stream.seek(0, os.SEEK_END), 0.0
        while at < size:
            self._stream.seek(at)
            head = self._stream.read(_HEAD.size)
            block = _block(head, at + _HEAD.size) if len(head) == _HEAD.size else None
            if block is None or block.first < last or block.offset + block.length > size:
                self.cut = "its end was cut off"
                break
            self.blocks.append(block)
            at, last = block.offset + block.length, block.last
        if self.blocks and self._body(self.blocks[-1]) is None:
            self.blocks.pop()
            self.cut = "its end is damaged"

    def _body(self, block: Block) -> bytes | None:
        self._stream.seek(block.offset)
        packed = self._stream.read(block.length)
        if zlib.crc32(packed) != block.crc:
            return None
        try:
            unpacking = zlib.decompressobj()
            body = unpacking.decompress(packed, SPREAD)
        except zlib.error:
            return None
        return body if unpacking.eof else None

    def _entries(self, block: Block) -> Iterator[Entry]:
        body = self._body(block)
        if body is None:
            raise self._damaged(block)
        stream = BytesIO(body)
        while stream.tell() < len(body):
            found = read_frame(stream)
            try:
                entry = self._decoder.decode(found or b"")
            except msgspec.DecodeError as error:
                raise self._damaged(block) from error
            if not 0 <= entry.at <= LATEST:
                raise self._damaged(block)
            yield entry

    def _damaged(self, block: Block) -> WireError:
        return WireError(
            f"{self.path} is damaged", cause=f"what it holds at byte {block.offset} cannot be read"
        )


def _block(head: bytes, offset: int) -> Block | None:
    """A block by its head; None for what cannot be one."""
    sort, first, last, length, crc = _HEAD.unpack(head)
    dated = 0 <= first <= last <= LATEST
    sound = sort in (STEPS, PICTURE) and dated and 0 < length <= LARGEST
    return Block(sort, first, last, offset, length, crc) if sound else None


def _header(path: Path, stream: BinaryIO) -> tuple[Header, int]:
    """The header, and where the blocks begin."""
    if stream.read(len(MARK)) != MARK:
        raise NoTape(
            f"{path} is no recording of hvdeck",
            cause="it does not begin like one",
            hint="hvdeck record FILE makes one",
        )
    form = stream.read(_FORM.size)
    if len(form) == _FORM.size and (number := _FORM.unpack(form)[0]) > FORM:
        raise NoTape(
            f"{path} was recorded by a newer hvdeck",
            cause=f"it has form {number}, and this hvdeck ({__version__}) plays up to {FORM}",
            hint="replay it with the hvdeck that made it, or update this one",
        )
    try:
        header = msgspec.msgpack.decode(read_frame(stream) or b"", type=Header)
    except (msgspec.DecodeError, WireError) as error:
        raise NoTape(
            f"{path} holds nothing to play",
            cause="its header was cut off or is damaged",
            hint="a recording of some seconds can be played up to where it was cut off",
        ) from error
    return header, stream.tell()


def open_tape(path: Path) -> Tape:
    """A recording to play. Raises NoTape for what is none, is too new, or cannot be opened."""
    with contextlib.ExitStack() as closing:
        try:
            tape = Tape(path, closing.enter_context(path.open("rb")))
        except OSError as error:
            raise NoTape(f"{path} cannot be opened", cause=error.strerror or str(error)) from error
        closing.pop_all()
        return tape

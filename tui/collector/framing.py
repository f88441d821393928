"""Frames on a byte stream: a four-byte little-endian length and a msgpack body. Sans IO."""

from __future__ import annotations

from typing import Any, BinaryIO

import msgspec

from tui.errors import WireError

LENGTH = 4
LARGEST = 256 * 1024 * 1024
"""A frame larger than this is a broken stream, not an inventory."""

_encoder = msgspec.msgpack.Encoder()


def frame(message: Any) -> bytes:
    """One message as bytes, its length in front."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH, "little") + body


def length_of(head: bytes) -> int:
    """The length that ``head`` announces. Raises WireError when it cannot be one."""
    length = int.from_bytes(head, "little")
    if length > LARGEST:
        raise WireError("The pipe is out of step", cause=f"a frame of {length} bytes is announced")
    return length


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next body from a blocking stream; None at its end, also in the middle of a frame."""
    head = stream.read(LENGTH)
    if len(head) < LENGTH:
        return None
    length = length_of(head)
    body = stream.read(length)
    return body if len(body) == length else None

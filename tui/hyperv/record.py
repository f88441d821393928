"""What every noun is made of."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of everything that flows: immutable, compact on the pipe."""

"""Ending a child process of the deck."""

from __future__ import annotations

import asyncio
import contextlib

GRACE = 2.0
"""Seconds a child has to end by itself once it is told."""


async def ended(process: asyncio.subprocess.Process) -> None:
    """Wait for a child that was told to end; one that does not is killed."""
    try:
        await asyncio.wait_for(process.wait(), GRACE)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

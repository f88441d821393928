"""``python -m tui.sim``: the simulated fabric on its own."""

from __future__ import annotations

import sys

from tui.sim.command import main

sys.exit(main())

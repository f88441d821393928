"""``python -m tui`` is the ``hvdeck`` command."""

import sys

from tui.cli import main

sys.exit(main())

"""``python -m tui.collector``: started by the deck, spoken to over its standard streams."""

import os
import signal
import sys
import threading

from tui.collector.logfile import no_log, open_log
from tui.collector.serve import serve
from tui.wsman.transport import preload


def main() -> None:
    """Serve until standard input ends, then leave at once: requests under way are the host's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    path = os.environ.get("HVDECK_LOG")
    log = None
    if path:
        log = open_log(path)
    else:
        no_log()
    batches = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    threading.Thread(target=preload, name="preload", daemon=True).start()
    serve(sys.stdin.buffer, batches, log=log)
    os._exit(0)


main()

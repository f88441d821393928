"""``hvdeck sim``: serve a scene on loopback until told to stop.

The one line on stdout is for programs; everything else goes to the log.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import sys
import threading
from functools import partial

from tui.errors import HvError, UsageError
from tui.sim import faults, outages, scenes
from tui.sim.answer import Enumerations, answer
from tui.sim.auth import BASIC, NEGOTIATE, AuthSettings
from tui.sim.http import Endpoint, serve
from tui.sim.world import Clock, Fabric, RunningClock, SimHost

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``hvdeck sim``."""
    add = parser.add_argument
    add("--scene", default="datacenter", help=f"one of {', '.join(scenes.SCENES)}")
    add("--hosts", type=int, default=0, metavar="N", help="hosts of the scene 'large'")
    add("--vms", type=int, default=0, metavar="N", help="VMs per host of the scene 'large'")
    add("--port", type=int, default=0, metavar="P", help="host i listens on P+i; 0: any")
    add("--bind", default="127.0.0.1", metavar="ADDRESS", help="address to listen on")
    add("--auth", default="negotiate,basic", metavar="LIST", help="basic, negotiate or both")
    add("--allow-unencrypted", action="store_true", help="answer clear text over http")
    add("--user", default="administrator", help="the account that may sign in")
    add("--password-env", default="", metavar="VAR", help="its password; random without this")
    add("--seed", type=int, default=1, metavar="N", help="the same seed, the same world")
    add("--latency", type=float, default=0.0, metavar="MS", help="added to every answer")
    add("--speed", type=float, default=1.0, metavar="X", help="how much faster the clock runs")
    add(
        "--fault",
        action="append",
        default=[],
        metavar="HOST:KNOB=VALUE",
        help="something that goes wrong, such as HV02:refuse_auth, *:latency=200 or "
        "NODE3:dies_after=30; repeatable",
    )
    add("--stop-with-stdin", action="store_true", help="stop at the end of standard input")


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM, or the end of stdin when asked for."""
    fabric = furnish(options)
    settings, user, password = _auth(options)
    return asyncio.run(_serve(fabric, settings, user, password, options))


def furnish(options: argparse.Namespace, clock: Clock | None = None) -> Fabric:
    """The scene, with its faults."""
    if options.speed <= 0:
        raise UsageError(f"the speed cannot be {options.speed:g}", hint="--speed 10")
    fabric = scenes.build(
        options.scene,
        clock=clock or RunningClock(options.speed),
        seed=options.seed,
        hosts=options.hosts,
        vms=options.vms,
    )
    for host in fabric.hosts.values():
        host.faults.http.latency += options.latency / 1000.0
    for text in options.fault:
        name, colon, knob = text.partition(":")
        chosen = [h for h in fabric.hosts.values() if name in ("*", h.name)]
        if not colon or not chosen:
            raise UsageError(
                f"no host {name!r} to have the fault {text!r}",
                cause=f"there are {', '.join(fabric.hosts)}",
                hint="--fault HV02:refuse_auth",
            )
        for host in chosen:
            faults.apply(host.faults, knob)
    for host in fabric.hosts.values():
        outages.schedule(fabric, host)
    return fabric


def _auth(options: argparse.Namespace) -> tuple[AuthSettings, str, str]:
    schemes = tuple(word.strip().lower() for word in options.auth.split(",") if word.strip())
    unknown = [word for word in schemes if word not in (BASIC, NEGOTIATE)]
    if unknown or not schemes:
        raise UsageError(
            f"no sign-in {', '.join(unknown) or 'named'}", hint="--auth basic,negotiate"
        )
    password = secrets.token_urlsafe(12)
    if options.password_env:
        password = os.environ.get(options.password_env, "")
        if not password:
            raise UsageError(
                f"the variable {options.password_env} is not set", hint="it holds the password"
            )
    allowed = bool(options.allow_unencrypted)
    settings = AuthSettings({options.user: password}, schemes, allow_unencrypted=allowed)
    return settings, options.user, password


def endpoint(host: SimHost, bind: str, port: int) -> Endpoint:
    """A listener for one host."""
    sessions = Enumerations()
    return Endpoint(
        partial(answer, host, sessions),
        name=host.name,
        host=bind,
        port=port,
        faults=host.faults.http,
        present=host.present,
    )


async def _serve(
    fabric: Fabric, settings: AuthSettings, user: str, password: str, options: argparse.Namespace
) -> int:
    stop = asyncio.Event()
    _stop_on(stop, with_stdin=options.stop_with_stdin)
    wanted = [
        endpoint(host, options.bind, options.port + index if options.port else 0)
        for index, host in enumerate(fabric.hosts.values())
    ]
    async with serve(wanted, settings) as served:
        ready = {
            "ready": True,
            "user": user,
            "password": password,
            "endpoints": [{"name": one.name, "url": one.url} for one in served],
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()
    return 0


def _stop_on(stop: asyncio.Event, *, with_stdin: bool) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:  # Windows: SIGINT arrives as KeyboardInterrupt instead
            log.debug("no handler for %s here", name)

    def watch() -> None:
        with contextlib.suppress(OSError, ValueError):
            while sys.stdin.buffer.read(4096):
                pass
        with contextlib.suppress(RuntimeError):  # the loop may be gone already
            loop.call_soon_threadsafe(stop.set)

    if with_stdin:
        threading.Thread(target=watch, name="stdin", daemon=True).start()


def main(argv: list[str] | None = None) -> int:
    """``python -m tui.sim``."""
    parser = argparse.ArgumentParser(prog="python -m tui.sim", description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(argv)
    try:
        return run(options)
    except HvError as error:
        parser.exit(2, f"{error}\n{error.hint}\n")
    except KeyboardInterrupt:
        return 130

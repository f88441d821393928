"""The ``hvdeck`` command. Standard output is data, standard error is narration.

Everything heavy (the deck, WinRM, the simulator) is imported by the branch that needs it.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui.errors import ConfigError, HvError, LinkError, Refused, UsageError
from tui.rows import exits, language

if TYPE_CHECKING:
    from tui.actions import Action
    from tui.collector.messages import CallUpdate, HostLink
    from tui.config import Config, HostEntry
    from tui.hyperv.model import Trouble
    from tui.rows.batch import Plan


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; answers the exit code."""
    words = language.normal(list(sys.argv[1:] if argv is None else argv))
    _tolerant_output()
    try:
        arguments = language.build_parser(words).parse_args(words)
        code = HANDLERS[arguments.command](arguments)
        sys.stdout.flush()
    except HvError as error:
        complain(error)
        return code_of(error)
    except KeyboardInterrupt:
        narrate("interrupted; what a host has accepted goes on there")
        return exits.INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has enough; the interpreter must not fail once more when it flushes.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.DONE
    return code


# -- which hosts ---------------------------------------------------------------------------


def given(arguments: argparse.Namespace, name: str, default: Any = None) -> Any:
    """An option that may not have been given at all."""
    return getattr(arguments, name, default)


def configuration(arguments: argparse.Namespace) -> Config:
    """The configuration the command line points at."""
    from tui.config import load

    path = given(arguments, "config")
    return load(Path(path).expanduser() if path else None)


def entries(arguments: argparse.Namespace, config: Config) -> tuple[HostEntry, ...]:
    """The hosts the command line means, with what it says of their accounts."""
    from tui.config import choose

    named, groups = given(arguments, "host", ()), given(arguments, "group", ())
    return choose(config, named, groups, _overrides(arguments))


def _overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    found = {name: given(arguments, name) for name in ("user", "auth") if given(arguments, name)}
    if given(arguments, "ca_trust"):
        found["ca_trust_path"] = arguments.ca_trust
    if given(arguments, "ignore_certificate"):
        found["server_cert_validation"] = "ignore"
    if given(arguments, "allow_cleartext_basic"):
        found["allow_cleartext_basic"] = True
    if given(arguments, "password_env"):
        found["password"] = f"env:{arguments.password_env}"
    elif given(arguments, "keyring"):
        found["password"] = f"keyring:{arguments.keyring}"
    return found


def links_to(found: Iterable[HostEntry]) -> tuple[HostLink, ...]:
    """Entries with their secrets resolved; one account is asked for once."""
    from tui.collector.messages import HostLink
    from tui.config import resolve_secret

    secrets: dict[tuple[str, str], str] = {}
    links = []
    for entry in found:
        key = (entry.user, entry.password)
        if key not in secrets:
            secrets[key] = resolve_secret(
                entry.password, prompt=ask_secret, user=entry.user, host=entry.id
            )
        links.append(HostLink(**entry.link_fields(secrets[key])))
    return tuple(links)


def ask_secret(text: str) -> str:
    """A password from the terminal."""
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask for a password on", hint="--password-env VAR")
    return getpass.getpass(text)


@contextlib.contextmanager
def reached(arguments: argparse.Namespace) -> Iterator[tuple[HostLink, ...]]:
    """Links to the hosts meant, for a ``with`` block; a demo's fabric lives as long."""
    if given(arguments, "demo"):
        from tui.collector.fabric import start_fabric

        wanted = {name.casefold() for name in given(arguments, "host", ())}
        with start_fabric(arguments.demo) as links:
            chosen = [link for link in links if not wanted or link.id.casefold() in wanted]
            if not chosen:
                raise UsageError(f"No such host in {arguments.demo}", hint=_names(links))
            yield tuple(chosen)
        return
    found = entries(arguments, configuration(arguments))
    if not found:
        raise UsageError(
            "No hosts are configured", hint="--host ADDRESS --user USER, a configuration, or --demo"
        )
    yield links_to(found)


def _names(links: Iterable[HostLink]) -> str:
    return "hosts: " + ", ".join(link.id for link in links)


def is_read_only(arguments: argparse.Namespace, config: Config | None) -> bool:
    """The flag, else the configuration."""
    said = given(arguments, "read_only")
    return bool(config and config.settings.read_only) if said is None else bool(said)


# -- the deck ------------------------------------------------------------------------------


def deck(arguments: argparse.Namespace) -> int:
    """Open the deck."""
    from tui.actions import ACTIONS, keys
    from tui.config import key_map

    config = configuration(arguments)
    chosen = () if given(arguments, "demo") else entries(arguments, config)
    table = [(action.id, action.kind.value, keys(action)) for action in ACTIONS]
    mapped = key_map(config, table)
    fast = given(arguments, "refresh", config.settings.refresh.fast)
    if not 1 <= fast <= 86_400:
        raise UsageError("--refresh takes seconds, at least 1")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The deck needs a terminal", hint="`hvdeck vms` and others work without")
    from tui.ui.options import DeckOptions, calm

    options = DeckOptions(
        links=links_to(chosen),
        scene=given(arguments, "demo", language.DEFAULT_SCENE),
        theme=given(arguments, "theme", config.settings.theme),
        ascii=bool(given(arguments, "ascii", config.settings.ascii)),
        read_only=is_read_only(arguments, config),
        fast=fast,
        slow=max(fast, config.settings.refresh.slow),
        keys={id_: ",".join(mapped[id_]) for id_ in config.settings.keys},
        host_tags={entry.id: entry.tags for entry in chosen if entry.tags},
        mouse=config.settings.mouse and not given(arguments, "no_mouse", False),
    )
    calm(os.environ)
    from tui.ui.app import run

    return run(options)


# -- lists ---------------------------------------------------------------------------------


def list_rows(arguments: argparse.Namespace) -> int:
    """``hosts``, ``vms``, ``networks``, ``jobs``."""
    from tui.rows import columns
    from tui.rows.batch import rows_of
    from tui.rows.filter import parse

    kind = arguments.kind
    every, usual = columns.BY_KIND[kind]
    shown = columns.select(every, arguments.columns, usual)
    by = columns.find(every, arguments.sort.lstrip("-") or "name")
    ordered = columns.order(by, reverse=arguments.sort.startswith("-"))
    parse(arguments.filter, kind)
    _prepare_glyphs(arguments)
    with reached(arguments) as links:
        store, troubles = _read(links, rates=kind == "host")
        wanted = parse(arguments.filter, kind, _host_tags(arguments))
    rows = ordered(wanted.select(rows_of(store, kind).values()))
    _emit(arguments.output, shown, rows)
    if troubles and len(troubles) == len(links):
        return exits.NO_HOST
    return exits.FAILED if troubles and kind != "host" else exits.DONE


def _host_tags(arguments: argparse.Namespace) -> dict[str, tuple[str, ...]]:
    if given(arguments, "demo"):
        return {}
    return {entry.id: entry.tags for entry in entries(arguments, configuration(arguments))}


def _read(links: tuple[HostLink, ...], *, rates: bool = False) -> tuple[Any, dict[str, Trouble]]:
    """Read hosts once, or, for rates, twice; say which could not be read."""
    from tui.collector.session import Session
    from tui.rows.gather import read

    with Session(links) as session:
        store = read(session, rates=rates)
        troubles = dict(session.troubles)
    _tell_troubles(troubles)
    return store, troubles


def _emit(form: str, columns: Any, rows: Sequence[Any]) -> None:
    from tui.rows.export import render

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    sys.stdout.write(render(form, columns, rows, width=width))


# -- verbs ---------------------------------------------------------------------------------


def act(arguments: argparse.Namespace) -> int:
    """One action on everything named."""
    from tui.collector.session import Session
    from tui.rows import batch
    from tui.rows.filter import parse
    from tui.rows.gather import read

    action: Action = arguments.action
    parse(arguments.filter, action.kind)
    fields = {name.removeprefix("field_"): value for name, value in vars(arguments).items()
              if name.startswith("field_")}  # fmt: skip
    config = None if given(arguments, "demo") else configuration(arguments)
    _prepare_glyphs(arguments)
    with reached(arguments) as links, Session(links) as session:
        store = read(session)
        _tell_troubles(session.troubles)
        if len(session.troubles) == len(links):
            return exits.NO_HOST
        wanted = parse(arguments.filter, action.kind, _host_tags(arguments))
        targets = batch.resolve(store, action.kind, arguments.names, wanted)
        made = batch.plan(action, targets, fields, read_only=is_read_only(arguments, config))
        if arguments.dry_run:
            return _rehearse(arguments.output, made)
        if made.calls and not arguments.yes:
            _confirm(made)
        last = session.run(
            made.calls, tell, wait=arguments.wait, timeout=arguments.timeout
        ) if made.calls else {}  # fmt: skip
    results = [*batch.lost(made, last), *made.refused]
    _emit_results(arguments.output, results)
    return batch.verdict(results, waited=arguments.wait)


def _rehearse(form: str, made: Plan) -> int:
    import json

    from tui.rows.batch import rehearsal

    calls = rehearsal(made)
    if form == "json":
        sys.stdout.write(json.dumps(calls, indent=2, ensure_ascii=False) + "\n")
    else:
        for call in calls:
            said = "".join(f" {name}={value!r}" for name, value in call["arguments"].items())
            sys.stdout.write(f"{call['host']}: {call['call']} on {call['name']}{said}\n")
    for refused in made.refused:
        tell(refused)
    return exits.REFUSED if made.refused else exits.DONE


def _confirm(made: Plan) -> None:
    """Ask; anything but the answer wanted ends it. Without a terminal ``--yes`` is needed."""
    from tui.rows.batch import question

    text, yes = question(made)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{made.action.title} asks first", hint="--yes says you mean it")
    sys.stderr.write(text)
    sys.stderr.flush()
    if sys.stdin.readline().strip() != yes:
        raise Refused("Nothing was done")


def tell(update: CallUpdate) -> None:
    """One line of progress."""
    from tui.rows.columns import PHASES

    word = PHASES[update.phase][0].lower()
    done = f" {update.percent}%" if update.percent is not None else ""
    why = f": {_trouble_line(update.trouble)}" if update.trouble else ""
    narrate(f"{update.name or update.target} on {update.host}: {word}{done}{why}")


def _emit_results(form: str, results: Sequence[CallUpdate]) -> None:
    if form == "json":
        import json

        from tui.rows.batch import result_record

        data = [result_record(result) for result in results]
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        return
    from tui.rows import columns

    wanted = ("action", "name", "host", "phase", "trouble")
    _emit(form, columns.select(columns.CALL_COLUMNS, "", wanted), results)


# -- the rest ------------------------------------------------------------------------------


def list_actions(arguments: argparse.Namespace) -> int:
    """The action table."""
    from tui.actions import ACTIONS
    from tui.rows.catalogue import ACTION_COLUMNS, record

    if arguments.output == "json":
        import json

        sys.stdout.write(json.dumps([record(action) for action in ACTIONS], indent=2) + "\n")
    else:
        _emit(arguments.output, ACTION_COLUMNS, ACTIONS)
    return exits.DONE


def query(arguments: argparse.Namespace) -> int:
    """A WQL query against one host; only reading is possible with it."""
    from tui.collector.session import Session
    from tui.rows import plain

    with reached(arguments) as links:
        if len(links) != 1:
            raise UsageError("A query goes to one host", hint=f"--host NAME; {_names(links)}")
        with Session(links) as session:
            found = session.client(links[0].id).query(arguments.namespace, arguments.query)
    if arguments.output == "json":
        import json

        data = [plain.instance(one) for one in found]
        sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    else:
        _emit(arguments.output, plain.columns_of(found), found)
    return exits.DONE


def config_check(arguments: argparse.Namespace) -> int:
    """Everything that can be checked without the network, and what would be connected."""
    from tui.actions import ACTIONS, keys
    from tui.config import config_path, key_map, masked

    config = configuration(arguments)
    key_map(config, [(action.id, action.kind.value, keys(action)) for action in ACTIONS])
    found = entries(arguments, config)
    narrate(f"{config.file} is good" if config.file else f"{config_path()} does not exist")
    if arguments.output == "json":
        import json

        names = ("id", "url", "auth", "user", "read_only")
        data = [{**{name: getattr(entry, name) for name in names},
                 "password": masked(entry.password)} for entry in found]  # fmt: skip
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return exits.DONE
    for entry in found:
        who = f" as {entry.user}" if entry.user else ""
        secret = f", password from {masked(entry.password)}" if entry.password else ""
        lock = ", read-only" if entry.read_only else ""
        sys.stdout.write(f"{entry.id}: {entry.url} by {entry.auth}{who}{secret}{lock}\n")
    return exits.DONE


def config_show(arguments: argparse.Namespace) -> int:
    """Every value in force and where it came from."""
    import json

    from tui.config.show import effective

    values = effective(configuration(arguments))
    if arguments.output == "json":
        data = [{"key": v.key, "value": v.value, "origin": v.origin} for v in values]
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return exits.DONE
    for value in values:
        shown = json.dumps(value.value, ensure_ascii=False)
        sys.stdout.write(f"{value.key} = {shown}  # {value.origin}\n")
    return exits.DONE


def explain_code(arguments: argparse.Namespace) -> int:
    """A number in words."""
    from tui.wsman.explain import find

    found = find(arguments.number)
    if found is None:
        raise UsageError(f"{arguments.number} is not a number hvdeck knows")
    hint = f"\n{found.hint}" if found.hint else ""
    sys.stdout.write(f"{found.text}: {found.meaning}{hint}\n")
    return exits.DONE


def simulate(arguments: argparse.Namespace) -> int:
    """Only the simulated fabric."""
    from tui.sim import command

    return command.run(arguments)


HANDLERS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "deck": deck,
    "list": list_rows,
    "act": act,
    "actions": list_actions,
    "wql": query,
    "config check": config_check,
    "config show": config_show,
    "explain": explain_code,
    "sim": simulate,
}
"""By the name the language gives each command."""


# -- speaking ------------------------------------------------------------------------------


def narrate(line: str) -> None:
    """One line for the person, never for the program that reads our output."""
    safe = "".join(c if c.isprintable() else " " for c in line)
    sys.stderr.write(f"hvdeck: {safe}\n")


def complain(error: HvError) -> None:
    """An error in at most three lines: what, why, and the way out."""
    narrate(str(error))
    if error.hint:
        narrate(f"  {error.hint}")


def _trouble_line(trouble: Trouble) -> str:
    from tui.rows.text import trouble as line

    return f"{line(trouble)} ({trouble.hint})" if trouble.hint else line(trouble)


def _tell_troubles(troubles: Mapping[str, Trouble]) -> None:
    for host, trouble in troubles.items():
        line = _trouble_line(trouble)
        narrate(line if line.startswith(host) else f"{host}: {line}")


def code_of(error: HvError) -> int:
    """The exit code an error ends the command with."""
    if isinstance(error, (ConfigError, UsageError)):
        return exits.USAGE
    if isinstance(error, Refused):
        return exits.REFUSED
    return exits.NO_HOST if isinstance(error, LinkError) else exits.FAILED


def _prepare_glyphs(arguments: argparse.Namespace) -> None:
    from tui.rows.text import use_ascii

    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    use_ascii(bool(given(arguments, "ascii", not encoding.startswith("utf"))))


def _tolerant_output() -> None:
    # A name in a script the terminal's encoding lacks must not end the command.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

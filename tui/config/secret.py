"""Secrets: what a reference may be, and how it becomes the secret at the last moment."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from typing import Final

from tui.errors import ConfigError

_REFERENCES: Final = "prompt, env:VARIABLE, keyring:SERVICE[/USER] or command:PROGRAM ARGUMENTS"
_SECRET_TIMEOUT: Final = 60.0


def check_reference(reference: str, file: str = "", key: str = "password") -> None:
    """Refuse anything that is not a reference, without repeating it: it may be the secret."""
    kind, _, rest = reference.partition(":")
    if reference == "prompt" or (kind in ("env", "keyring", "command") and rest.strip()):
        return
    where = f"{file}: " if file else ""
    raise ConfigError(
        f"{where}{key} is not a reference to a secret",
        file=file,
        key=key,
        cause="passwords are not kept in the configuration",
        hint=f"write {_REFERENCES}",
    )


def resolve_secret(
    reference: str,
    *,
    prompt: Callable[[str], str],
    user: str = "",
    host: str = "",
    environ: Mapping[str, str] | None = None,
) -> str:
    """The secret behind a reference; ``prompt`` is asked with a text to show.

    Raises ConfigError that names the reference's kind and place, never what it gave.
    """
    if not reference:
        return ""
    check_reference(reference)
    kind, _, rest = reference.partition(":")
    if kind == "prompt":
        return prompt(f"Password of {user} on {host}: ")
    if kind == "env":
        value = (os.environ if environ is None else environ).get(rest.strip())
        if value is None:
            raise ConfigError(f"The environment variable {rest.strip()} is not set", key="password")
        return value
    return _from_keyring(rest.strip(), user) if kind == "keyring" else _from_command(rest)


def _from_keyring(place: str, user: str) -> str:
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        raise ConfigError(
            "The keyring package is not installed", hint="pip install 'hvdeck[keyring]'"
        ) from error
    service, _, account = place.rpartition("/") if "/" in place else (place, "", user)
    try:
        value = keyring.get_password(service, account)
    except keyring.errors.KeyringError as error:
        raise ConfigError("The keyring cannot be read", cause=type(error).__name__) from error
    if value is None:
        raise ConfigError(
            f"The keyring holds no password of {account} for {service}",
            hint=f"keyring set {shlex.quote(service)} {shlex.quote(account)}",
        )
    return str(value)


def _from_command(line: str) -> str:
    """First line of what a program prints; no shell is involved."""
    try:
        command = shlex.split(line)
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=_SECRET_TIMEOUT, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        # The arguments may be secret, and a TimeoutExpired would print them.
        name = line.split()[0]
        cause = error.strerror if isinstance(error, OSError) and error.strerror else "no answer"
        raise ConfigError(f"{name} did not give a password", cause=cause) from None
    if done.returncode:
        raise ConfigError(f"{command[0]} did not give a password", cause=f"exit {done.returncode}")
    return done.stdout.decode(errors="replace").split("\n", 1)[0].rstrip("\r")


def masked(reference: str) -> str:
    """A reference fit to be shown: the arguments of a command may be nobody's business."""
    kind, _, rest = reference.partition(":")
    return f"command:{rest.split()[0]} …" if kind == "command" and rest.split() else reference

"""From a host's link to a CIM client: the one place where the two vocabularies meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tui.collector.messages import Exchange, HostLink
from tui.wsman.client import CimClient, OnExchange, Throttle, Trip
from tui.wsman.transport import WinRMSettings, WinRMTransport

Connect: TypeAlias = Callable[[HostLink, Throttle, OnExchange], CimClient]
"""Opens nothing yet: the first request does."""


def connect(link: HostLink, throttle: Throttle, on_exchange: OnExchange) -> CimClient:
    """A client over a connection of its own."""
    settings = WinRMSettings(
        url=link.url,
        user=link.user,
        password=link.password,
        auth=link.auth,
        message_encryption=link.message_encryption,
        server_cert_validation=link.server_cert_validation,
        ca_trust_path=link.ca_trust_path,
        proxy=link.proxy,
        cert_pem=link.cert_pem,
        cert_key_pem=link.cert_key_pem,
        kerberos_delegation=link.kerberos_delegation,
        allow_cleartext=link.allow_cleartext,
        operation_timeout=link.operation_timeout,
    )
    return CimClient(
        WinRMTransport(settings),
        url=link.url,
        name=link.id,
        throttle=throttle,
        operation_timeout=link.operation_timeout,
        on_exchange=on_exchange,
    )


def exchange(trip: Trip, host: str, lane: str, at: float) -> Exchange:
    """A round trip as a line of the log."""
    return Exchange(
        at, host, lane, trip.operation, trip.seconds, trip.octets, trip.outcome,
        trip.messages, trip.waited,
    )  # fmt: skip

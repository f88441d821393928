"""Integration services: what the host shows afterwards, by class and not by localised name."""

from __future__ import annotations

import pytest

from tests.action_kit import objection, only, perform, rows
from tests.hyperv_kit import bench
from tui.errors import Refused
from tui.hyperv.ops import integration
from tui.wsman.request import Invoke

ON = "sql01"


@pytest.mark.parametrize(
    ("service", "class_name"),
    [
        ("heartbeat", "Msvm_HeartbeatComponentSettingData"),
        ("kvp", "Msvm_KvpExchangeComponentSettingData"),
        ("shutdown", "Msvm_ShutdownComponentSettingData"),
        ("timesync", "Msvm_TimeSyncComponentSettingData"),
        ("vss", "Msvm_VssComponentSettingData"),
        ("guest-services", "Msvm_GuestServiceInterfaceComponentSettingData"),
    ],
)
def test_a_service_is_withdrawn_and_offered(service: str, class_name: str) -> None:
    at = bench()
    perform(at, "integration.disable", ON, service=service)
    assert only(rows(at, class_name, ON))["EnabledState"] == 3
    perform(at, "integration.enable", ON, service=service)
    assert only(rows(at, class_name, ON))["EnabledState"] == 2


def test_a_service_that_is_so_already_is_not_asked_for() -> None:
    at = bench()
    at.wire.take()
    perform(at, "integration.enable", ON, service="shutdown")
    assert not [a for a in at.wire.take() if isinstance(a, Invoke) and "Modify" in a.method]


def test_a_service_nobody_knows() -> None:
    at = bench()
    assert "does not offer rdv to sql01" in objection(at, "integration.enable", ON, service="rdv")


def test_a_machine_that_is_gone_has_no_services() -> None:
    at = bench()
    gone = "00000000-1111-2222-3333-444444444444"
    with pytest.raises(Refused, match="sql99 has no vss service"):
        integration.offer_service(at.client, gone, "sql99", "vss", on=True)

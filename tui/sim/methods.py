"""TABLE: what the methods of each class do. The nouns are in ``methods_*``.

A method that fails still answers with a return value; only what the wire refuses is a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.sim import (
    methods_chain,
    methods_cluster,
    methods_collection,
    methods_console,
    methods_export,
    methods_failover,
    methods_features,
    methods_files,
    methods_guest,
    methods_image,
    methods_job,
    methods_lifecycle,
    methods_migration,
    methods_replica,
    methods_replica_service,
    methods_resources,
    methods_security,
    methods_service,
    methods_settings,
    methods_snapshot,
    methods_state,
    methods_switch,
    services,
)
from tui.sim.jobs import JobError, Work
from tui.sim.outcome import Call, Method, Stop, returned
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.fault import refuse
from tui.wsman.reply import MethodOutput
from tui.wsman.values import Wsman

if TYPE_CHECKING:
    from tui.sim.world import SimHost

METHODS: Mapping[tuple[str, str], Method] = {
    **methods_state.METHODS,
    **methods_settings.METHODS,
    **methods_resources.METHODS,
    **methods_features.METHODS,
    **methods_service.METHODS,
    **methods_security.METHODS,
    **methods_collection.METHODS,
    **methods_snapshot.METHODS,
    **methods_switch.METHODS,
    **methods_files.METHODS,
    **methods_image.METHODS,
    **methods_chain.METHODS,
    **methods_export.METHODS,
    **methods_replica.METHODS,
    **methods_replica_service.METHODS,
    **methods_failover.METHODS,
    **methods_lifecycle.METHODS,
    **methods_migration.METHODS,
    **methods_guest.METHODS,
    **services.METHODS,
    **methods_console.METHODS,
    **methods_job.METHODS,
    **methods_cluster.METHODS,
}
STEPS = {
    "DefineSystem": (1, "Defining Virtual Machine"),
    "AddResourceSettings": (30, "Adding Virtual Machine Resources"),
    "ModifyResourceSettings": (31, "Modifying Virtual Machine Resources"),
}
"""JobType and words of the steps that may find something wrong."""


def invoke(
    host: SimHost, instance: CimInstance, method: str, parameters: dict[str, CimValue]
) -> MethodOutput:
    """Run a method; 32770 when this host knows it but does not do it."""
    found = METHODS.get((instance.class_name, method))
    if found is None:
        if instance.namespace.lower() != "root/virtualization/v2":
            raise refuse(Wsman.ACTION_NOT_SUPPORTED, f"{instance.class_name} has no {method}.")
        return returned(32770)
    try:
        return found(Call(host, instance, parameters))
    except Stop as stop:
        return returned(stop.code)
    except JobError as error:
        # What a host finds wrong only once it has begun: it answers with a job that fails.
        kind, words = STEPS.get(method, (0, method))
        return Call(host, instance, parameters).job(Work(kind, words, 0.5, error=error))

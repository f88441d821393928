"""The one request that tells how every machine of a host is, whichever way this host allows.

``GetSummaryInformation`` is asked first; where it is refused, or its answer would not fit an
envelope, the summaries are queried instead, which pages. A host that knows no summaries still
tells name, state and uptime by its systems. What works is remembered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.errors import Dropped, Fault, HvError, MethodFailed
from tui.hyperv import meanings, queries
from tui.hyperv.ask import Asker
from tui.hyperv.ops import service_ref
from tui.hyperv.paths import guid
from tui.wsman.cim import CimInstance
from tui.wsman.schema import VIRTUALIZATION
from tui.wsman.values import ReturnValue

if TYPE_CHECKING:
    from tui.wsman.client import CimClient

_METHOD = "Msvm_VirtualSystemManagementService.GetSummaryInformation"


class Summaries:
    """Reads all summaries; ``spent`` counts the questions of the last reading."""

    def __init__(self, client: CimClient, asker: Asker, host: str) -> None:
        self._client = client
        self._asker = asker
        self._host = host
        self._by_query = False
        self._by_class = False
        self.by_systems = False
        """The host has no summaries: its systems alone tell how machines are."""
        self.spent = 0

    def read(self, *, tasks: bool = False) -> list[CimInstance]:
        """One embedded Msvm_SummaryInformation per machine, perhaps with its jobs."""
        self.spent = 1
        if self.by_systems:
            return self._systems()
        if self._by_query:
            return self._query()
        try:
            return self._call_or_repeat(tasks=tasks)
        except (Fault, MethodFailed) as error:
            if not _other_way_may_work(error):
                raise
            refusal = error
        self.spent += 1
        rows, missing = self._query_if_there()
        found = None if rows else self._fall_back()
        if found or (found is not None and missing is not None):
            self.by_systems = True
            return found
        if missing is not None:
            raise self._no_role(missing) from missing
        if not rows:
            self._check_visible(refusal)
        self._by_query = True
        return rows

    def _call_or_repeat(self, *, tasks: bool) -> list[CimInstance]:
        """The method changes nothing, so a call whose answer was lost is simply made again."""
        try:
            return self._call(tasks=tasks)
        except Dropped:
            self.spent += 1
        try:
            return self._call(tasks=tasks)
        except Dropped as error:
            # The client's own hint is about requests that may have changed something.
            error.hint = "did the host just restart? Otherwise something between cuts connections"
            raise

    def _call(self, *, tasks: bool) -> list[CimInstance]:
        codes = queries.SUMMARY_CODES + ((queries.TASKS_CODE,) if tasks else ())
        output = self._client.invoke(
            service_ref(), "GetSummaryInformation", RequestedInformation=codes
        )
        if output.return_value != ReturnValue.COMPLETED:
            cause, hint = meanings.of_return(output.return_value)
            raise MethodFailed(
                f"{self._host}: the list of machines was refused",
                method=_METHOD,
                code=output.return_value,
                cause=cause,
                hint=hint,
            )
        found = output.values.get("SummaryInformation")
        items = found if isinstance(found, tuple) else ()
        return [item for item in items if isinstance(item, CimInstance)]

    def _query(self) -> list[CimInstance]:
        rows, missing = self._query_if_there()
        if missing is not None:
            raise self._no_role(missing) from missing
        return rows

    def _query_if_there(self) -> tuple[list[CimInstance], Fault | None]:
        """The summaries, or why there is no such class here."""
        try:
            return self._asker.required(queries.SUMMARY), None
        except Fault as fault:
            if meanings.is_missing(fault):
                return [], fault
            raise

    def _no_role(self, fault: Fault) -> HvError:
        return HvError(
            f"{self._host}: no Hyper-V role",
            cause="the namespace root/virtualization/v2 is not there",
            hint="install the Hyper-V role on this host (Windows Server 2012 or newer), "
            "or take it out of the configuration",
            code=fault.code,
        )

    # -- without summaries -----------------------------------------------------------------

    def _fall_back(self) -> list[CimInstance] | None:
        """Machines by their systems; None when the systems are not there either."""
        self.spent += 1
        try:
            return [row for row in self._systems() if guid(row.get("Name"))]
        except Fault as fault:
            if meanings.is_missing(fault):
                return None
            raise

    def _systems(self) -> list[CimInstance]:
        """One row per system, the host's own included, worded as a summary."""
        if not self._by_class:
            try:
                return [_as_summary(row) for row in self._asker.required(queries.STATES)]
            except Fault as fault:
                if not meanings.is_missing(fault):
                    raise
            self.spent += 1
        rows = self._client.enumerate(VIRTUALIZATION, queries.STATES.class_name)
        self._by_class = True
        return [_as_summary(row) for row in rows]

    def _check_visible(self, refusal: Fault | MethodFailed) -> None:
        """No machines, and the service refused: without rights Hyper-V shows an empty world."""
        if not (isinstance(refusal, Fault) and meanings.is_gone(refusal)):
            return
        self.spent += 1
        if self._asker.required(queries.SERVICE):
            return
        raise HvError(
            f"{self._host}: this account sees nothing of Hyper-V",
            cause="the host answers, and hides its management service and machines",
            hint=meanings.rights_hint(),
            code=refusal.code,
        ) from refusal


def _as_summary(row: CimInstance) -> CimInstance:
    values = {name: row.get(name) for name in queries.STATES.columns}
    return replace(row, values={**values, "UpTime": values["OnTimeInMilliseconds"]})


def _other_way_may_work(error: Fault | MethodFailed) -> bool:
    if isinstance(error, MethodFailed):
        return error.code != ReturnValue.ACCESS_DENIED
    return not (meanings.is_denied(error) or meanings.is_busy(error))

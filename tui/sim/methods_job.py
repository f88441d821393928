"""Methods: jobs (cancel, errors) and the wording of errors."""

from __future__ import annotations

from tui.sim import shapes
from tui.sim.outcome import INVALID, STATE, Call, Method, returned
from tui.wsman.cim import CimInstance
from tui.wsman.embedded import to_text
from tui.wsman.reply import MethodOutput

TERMINATE, KILL = 4, 5
JOBS = ("Msvm_ConcreteJob", "Msvm_StorageJob", "Msvm_MigrationJob")


def request_state_change(call: Call) -> MethodOutput:
    job = call.host.jobs.known.get(shapes.text(call.instance, "InstanceID"))
    if job is None or call.number("RequestedState") not in (TERMINATE, KILL):
        return returned(INVALID)
    return returned(0 if call.host.jobs.cancel(job) else STATE)


def _error(job: CimInstance) -> str | None:
    code = shapes.number(job, "ErrorCode")
    if code == 0:
        return None
    return error_text(shapes.text(job, "InstanceID"), code, shapes.text(job, "ErrorDescription"))


def error_text(source: str, code: int, words: str) -> str:
    """An Msvm_Error as CIM-XML text."""
    error = CimInstance(
        "Msvm_Error",
        {
            "CIMStatusCode": 1,
            "ErrorSource": source,
            "ErrorSourceFormat": 2,
            "ErrorType": 4,
            "Message": words,
            "MessageID": str(code),
            "OwningEntity": "Hyper-V",
            "PerceivedSeverity": 5,
            "ProbableCause": 1,
        },
        shapes.VIRTUALIZATION,
    )
    return to_text(error)


def get_error(call: Call) -> MethodOutput:
    return returned(0, Error=_error(call.instance))


def get_error_ex(call: Call) -> MethodOutput:
    """What went wrong as a whole, and then each reason with its own MessageID."""
    identity = shapes.text(call.instance, "InstanceID")
    error, job = _error(call.instance), call.host.jobs.known.get(identity)
    if error is None:
        return returned(0, Errors=None)
    reasons = job.reasons if job is not None else ()
    return returned(0, Errors=(error, *(error_text(identity, r.message, r.text) for r in reasons)))


def format_error(call: Call) -> MethodOutput:
    """The messages of CIM-XML errors, one under the other."""
    lines = []
    for text in call.many("Errors"):
        error = call.embedded(text)
        lines.append(shapes.text(error, "Message"))
    return returned(0, ErrorMessage="\n\n".join(lines))


METHODS: dict[tuple[str, str], Method] = {
    ("Msvm_VirtualSystemManagementService", "FormatError"): format_error,
}
for _name in JOBS:
    METHODS[(_name, "RequestStateChange")] = request_state_change
    METHODS[(_name, "GetError")] = get_error
    METHODS[(_name, "GetErrorEx")] = get_error_ex

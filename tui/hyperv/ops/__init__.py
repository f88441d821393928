"""One function per verb, by noun. Plain values in, ``Outcome`` or ``Steps`` out.

Knows the methods of root/virtualization/v2 and what their return values mean; keeps nothing and
follows no job.
"""

from tui.hyperv.ops.calling import (
    job_ref,
    modify_settings,
    outcome,
    service_ref,
    settings_id,
    vm_ref,
)
from tui.hyperv.ops.state import (
    cancel_job,
    pause,
    read_state,
    reboot,
    rename,
    reset,
    resume,
    save,
    set_notes,
    shut_down,
    start,
    turn_off,
)

__all__ = [
    "cancel_job",
    "job_ref",
    "modify_settings",
    "outcome",
    "pause",
    "read_state",
    "reboot",
    "rename",
    "reset",
    "resume",
    "save",
    "service_ref",
    "set_notes",
    "settings_id",
    "shut_down",
    "start",
    "turn_off",
    "vm_ref",
]

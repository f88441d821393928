"""Why the simulated host refuses: a WS-Management code, words, and who said no."""

from __future__ import annotations

ACCESS_DENIED = 5
NOT_FOUND = 2150858752
INVALID_HEADER = 2150858767
ACTION_NOT_SUPPORTED = 2150858771
INVALID_REPRESENTATION = 2150858773
FILTERING_NOT_SUPPORTED = 2150858776
DIALECT_UNAVAILABLE = 2150858777
CANNOT_PROCESS_FILTER = 2150858778
INVALID_CONTEXT = 2150858779
INVALID_PARAMETER = 2150858810
INVALID_SELECTORS = 2150858813
SCHEMA_VALIDATION = 2150858817
UNSUPPORTED_FEATURE = 2150858818
INTERNAL_ERROR = 2150858819
ENVELOPE_EXCEEDED = 2150858824
PARAMETER_TYPE = 2150858836
PARAMETER_NAME = 2150858837
INVALID_VALUES = 2150858838
INVALID_NAMESPACE = 2150858840
INSUFFICIENT_SELECTORS = 2150858842
UNEXPECTED_SELECTORS = 2150858843
SELECTOR_TYPE = 2150858844
DUPLICATE_SELECTORS = 2150858847
MINIMUM_ENVELOPE = 2150858878
MODE_UNSUPPORTED = 2150858886
KEYS_NEEDED = 2150859002
WQL_NEEDS_STAR = 2150859003
NOT_SUPPORTED = 2150859064
QUOTA_OPERATIONS = 2150859174


class Refusal(Exception):
    """A fault to be sent instead of an answer (wsman-wire.md 12.3).

    ``wmi`` tells that WMI, not the WS-Management stack, refused: such faults carry a CIM error
    instance, or a provider fault on older hosts (12.2). ``hresult`` is the raw WMI number behind
    it, 0 when there is none.
    """

    def __init__(self, code: int, text: str, *, wmi: bool = False, hresult: int = 0) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.wmi = wmi
        self.hresult = hresult

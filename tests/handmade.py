"""A host of five machines and a client that writes envelopes by hand and reads them plainly.

Nothing of our codec reads here: it would agree with itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from tui.sim.answer import Enumerations, answer
from tui.sim.repository import Repository
from tui.wsman import schema
from tui.wsman.cim import CimInstance, CimRef, CimValue
from tui.wsman.fault import refuse
from tui.wsman.reply import MethodOutput

V2 = schema.VIRTUALIZATION
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
SYSTEM = f"{WMI}{V2}/Msvm_ComputerSystem"
JOB = f"{WMI}{V2}/Msvm_ConcreteJob"
ALL = f"{WMI}{V2}/*"
S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
N = "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
F = "{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}"
E = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError}"
I = "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}"  # noqa: E741
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
USER = "HV01\\admin"


@dataclass
class Knobs:
    access_denied: bool = False
    shape: int = 3
    quota: int = 0

    def take(self, name: str) -> bool:
        assert name == "quota"
        left, self.quota = self.quota, max(0, self.quota - 1)
        return left > 0


@dataclass
class Host:
    repository: Repository
    name: str = "HV01"
    os_version: str = "10.0.20348"
    faults: Knobs = field(default_factory=Knobs)
    clock: datetime = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
    advanced: int = 0
    called: list[tuple[CimInstance, str, dict[str, CimValue]]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock

    def advance(self) -> None:
        self.advanced += 1

    def invoke(
        self, instance: CimInstance, method: str, parameters: dict[str, CimValue]
    ) -> MethodOutput:
        self.called.append((instance, method, parameters))
        if parameters.get("RequestedState") == 99:
            raise refuse(2147942405, "The provider says no.", shape=3)
        instance.values["EnabledState"] = parameters.get("RequestedState")
        job = CimRef("Msvm_ConcreteJob", (("InstanceID", "J1"),), V2)
        return MethodOutput(4096, {"Job": job})


def guid(number: int) -> str:
    return f"AAAAAAAA-0000-0000-0000-{number:012d}"


def machine(number: int) -> CimInstance:
    values: dict[str, CimValue] = {
        "CreationClassName": "Msvm_ComputerSystem",
        "Name": guid(number),
        "Caption": "Virtual Machine",
        "ElementName": f"vm-{number:03d}",
        "EnabledState": 2,
        "OperationalStatus": (2,),
        "StatusDescriptions": ("Operating normally",),
        "InstallDate": datetime(2025, 3, 4, 5, 6, 7, 890000, tzinfo=UTC),
        "OnTimeInMilliseconds": 6138293824,
    }
    return CimInstance("Msvm_ComputerSystem", values, V2)


def five_machines() -> Host:
    repository = Repository("HV01")
    for number in range(1, 6):
        repository.add(machine(number))
    repository.add(
        CimInstance(
            "Msvm_ConcreteJob",
            {
                "InstanceID": "J1",
                "JobState": 7,
                "ElapsedTime": timedelta(seconds=1, microseconds=4170),
                "ErrorDescription": "",
            },
            V2,
        )
    )
    repository.add(
        CimInstance(
            "Win32_OperatingSystem",
            {"CreationClassName": "Win32_OperatingSystem", "Name": "Windows", "CSName": "HV01"},
            schema.CIMV2,
        )
    )
    return Host(repository)


@dataclass
class Answer:
    status: int
    text: str

    @property
    def body(self) -> Element:
        found = ElementTree.fromstring(self.text).find(f"{S}Body")
        assert found is not None
        return found

    def header(self, name: str) -> str:
        return ElementTree.fromstring(self.text).findtext(f"{S}Header/{name}") or ""

    @property
    def fault(self) -> tuple[int, str, str]:
        """Code, subcode without prefix, last word of the detail."""
        assert self.status == 500, self.text
        fault = self.body.find(f"{S}Fault")
        assert fault is not None
        codes = [e.get("Code", "") for e in fault.iter(f"{F}WSManFault")]
        codes += [e.text or "" for e in fault.iter(f"{E}error_Code")]
        sub = fault.findtext(f"{S}Code/{S}Subcode/{S}Value") or ""
        detail = fault.findtext(f"{S}Detail/{W}FaultDetail") or ""
        return int(codes[-1]), sub.partition(":")[2], detail.rpartition("/")[2]

    @property
    def action(self) -> str:
        return self.header(f"{A}Action")

    @property
    def items(self) -> list[Element]:
        found = next((e for e in self.body.iter() if e.tag in (f"{W}Items", f"{N}Items")), None)
        assert found is not None, self.text
        return list(found)

    @property
    def context(self) -> str | None:
        return self.body.findtext(f".//{N}EnumerationContext")

    @property
    def ended(self) -> bool:
        return any(e.tag.endswith("EndOfSequence") for e in self.body.iter())


class Client:
    """Writes envelopes by hand."""

    def __init__(self, host: Host, *, user: str = USER) -> None:
        self.host = host
        self.user = user
        self.enumerations = Enumerations()

    def send(self, envelope: str) -> Answer:
        status, body = answer(self.host, self.enumerations, envelope.encode(), self.user)
        return Answer(status, body.decode())

    def call(
        self,
        action: str,
        resource: str,
        body: str = "",
        *,
        keys: tuple[tuple[str, str], ...] = (),
        extra: str = "",
        message_id: str = "",
        max_envelope: int = 512000,
    ) -> Answer:
        selectors = "".join(f'<w:Selector Name="{k}">{escape(v)}</w:Selector>' for k, v in keys)
        selector_set = f"<w:SelectorSet>{selectors}</w:SelectorSet>" if keys else ""
        return self.send(
            f'<s:Envelope xmlns:s="{S[1:-1]}" xmlns:a="{A[1:-1]}" xmlns:w="{W[1:-1]}"'
            f' xmlns:n="{N[1:-1]}"><s:Header><a:To>http://x:5985/wsman</a:To>'
            f'<w:ResourceURI s:mustUnderstand="true">\n {resource} </w:ResourceURI>'
            f"<a:ReplyTo><a:Address>{ANONYMOUS}</a:Address></a:ReplyTo>"
            f'<a:Action s:mustUnderstand="true">{action}</a:Action>'
            f"<a:MessageID>{message_id or f'uuid:{uuid4()}'}</a:MessageID>"
            f"<w:MaxEnvelopeSize>{max_envelope}</w:MaxEnvelopeSize>"
            f"<w:OperationTimeout>PT20S</w:OperationTimeout>{selector_set}{extra}"
            f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )

    def enumerate(
        self,
        wql: str = "",
        resource: str = ALL,
        *,
        optimize: bool = True,
        elements: int | None = 32000,
        mode: str = "",
        dialect: str = WQL,
        max_envelope: int = 512000,
    ) -> Answer:
        body = "<w:OptimizeEnumeration/>" if optimize else ""
        body += f"<w:MaxElements>{elements}</w:MaxElements>" if elements is not None else ""
        body += f"<w:EnumerationMode>{mode}</w:EnumerationMode>" if mode else ""
        body += f'<w:Filter Dialect="{dialect}">{escape(wql)}</w:Filter>' if wql else ""
        body = f"<n:Enumerate>{body}</n:Enumerate>"
        return self.call(f"{ENUMERATION}Enumerate", resource, body, max_envelope=max_envelope)

    def pull(self, context: str | None, elements: int | None = 32000) -> Answer:
        body = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext>"
        body += f"<n:MaxElements>{elements}</n:MaxElements>" if elements is not None else ""
        return self.call(f"{ENUMERATION}Pull", ALL, f"{body}</n:Pull>")

    def get(self, resource: str, *keys: tuple[str, str], extra: str = "") -> Answer:
        return self.call(f"{TRANSFER}Get", resource, keys=keys, extra=extra)

    def put(self, resource: str, body: str, *keys: tuple[str, str]) -> Answer:
        return self.call(f"{TRANSFER}Put", resource, body, keys=keys)

    def invoke(
        self, method: str, body: str, *, resource: str = SYSTEM, keys: tuple[tuple[str, str], ...]
    ) -> Answer:
        body = f'<p:{method}_INPUT xmlns:p="{resource}">{body}</p:{method}_INPUT>'
        return self.call(f"{resource}/{method}", resource, body, keys=keys)


def names(elements: list[Element]) -> list[str]:
    return [e.tag.rpartition("}")[2] for e in elements]


FIRST = (("Name", guid(1)),)

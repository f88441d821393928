"""A small WS-Man server by another hand: templates and a dozen bad habits, nothing of ours.

It serves a few classes of one Hyper-V host over Basic. ``Manner`` says how it writes what it
serves: everything there is something a server has been seen to do, or is allowed to.
"""

from __future__ import annotations

import base64
import contextlib
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.sax.saxutils import escape, quoteattr

USER, PASSWORD = "stranger", "pa:ss"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSEN = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
V2, CIMV2 = "root/virtualization/v2", "root/cimv2"
ANONYMOUS = f"{WSA}/role/anonymous"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
COMMON = "http://schemas.dmtf.org/wbem/wscim/1/common"
IDS = tuple(f"{n}0000000-AAAA-4BBB-8CCC-0000000000{n}F" for n in (1, 2, 3))
NAMES = ("web", "db", "spare")

Row = dict[str, Any]


@dataclass(frozen=True)
class Time:
    """A moment or a span, to be written in the manner of the server."""

    iso: str
    dmtf: str
    tag: str = "Datetime"


BORN = Time("2025-03-04T05:06:07.5Z", "20250304050607.500000+000")


@dataclass
class Manner:
    """How the server behaves."""

    odd_prefixes: bool = False
    pretty: bool = False
    content_type: str = "application/soap+xml;charset=UTF-8"
    chunked: bool = False
    fault_status: int = 500
    fault_shape: int = 1
    one_item: bool = False
    optimizes: bool = True
    items: str = ""
    """``n`` or ``w``: the same wrapper in every answer; otherwise as Windows."""
    no_items_when_empty: bool = False
    empty_pages: int = 0
    same_context: bool = False
    null_array: str = ""
    """What stands for an array without value: nothing, ``nil`` or ``flag``."""
    true: str = "true"
    times: str = "iso"
    lower_guids: bool = False
    missing: frozenset[str] = frozenset()
    extra: bool = False
    projects: bool = True
    knows: frozenset[str] | None = None
    """The only classes there are; all of them by default."""
    unknown_is_empty: bool = False
    wql: bool = True
    relates: str = "uuid:{}"
    """How RelatesTo repeats the MessageID."""
    wraps_items: bool = False
    summary_form: str = "nested"
    """``nested`` as Windows, ``wrapped`` in an element of the class, or CIM-XML ``text``."""
    summary: str = "works"
    """``works``, ``fault``, ``returns 1`` or ``no method``."""
    changes: int = 4096
    """What RequestStateChange returns when it works."""
    wrapped_job: bool = False
    job_vanishes: bool = False
    job_fails: bool = False


@dataclass
class Estate:
    """Three machines."""

    states: list[int] = field(default_factory=lambda: [2, 2, 3])
    asked: list[str] = field(default_factory=list)
    changed: list[tuple[str, int]] = field(default_factory=list)
    refused: int = 0


def systems(estate: Estate) -> list[Row]:
    rows: list[Row] = [
        {
            "CreationClassName": "Msvm_ComputerSystem",
            "Name": "FOREIGN1",
            "ElementName": "FOREIGN1",
            "EnabledState": 2,
            "OperationalStatus": [2],
            "Caption": "Hosting Computer System",
        }
    ]
    for identity, name, state in zip(IDS, NAMES, estate.states, strict=True):
        rows.append(
            {
                "CreationClassName": "Msvm_ComputerSystem",
                "Name": identity,
                "ElementName": name,
                "EnabledState": state,
                "HealthState": 5,
                "OperationalStatus": [2],
                "OnTimeInMilliseconds": 3_600_000 if state == 2 else 0,
                "InstallDate": BORN,
                "OtherEnabledState": None,
                "IdentifyingDescriptions": [],
                "Caption": "Virtual Machine",
            }
        )
    return rows


def summaries(estate: Estate) -> list[Row]:
    return [
        {
            "Name": identity,
            "ElementName": name,
            "EnabledState": state,
            "HealthState": 5,
            "OperationalStatus": [2],
            "NumberOfProcessors": 2,
            "ProcessorLoad": 7 if state == 2 else None,
            "MemoryUsage": 2048 if state == 2 else None,
            "UpTime": 3_600_000 if state == 2 else 0,
            "Heartbeat": 2 if state == 2 else None,
            "CreationTime": BORN,
            "GuestOperatingSystem": "Strange OS & Sons",
        }
        for identity, name, state in zip(IDS, NAMES, estate.states, strict=True)
    ]


def settings(estate: Estate) -> list[Row]:
    return [
        {
            "InstanceID": f"Microsoft:{identity}",
            "ElementName": name,
            "VirtualSystemIdentifier": identity,
            "VirtualSystemType": "Microsoft:Hyper-V:System:Realized",
            "VirtualSystemSubType": "Microsoft:Hyper-V:SubType:2",
            "Version": "10.0",
            "CreationTime": BORN,
            "Notes": ["kept by others"],
            "Parent": None,
            "SecureBootEnabled": True,
            "IsSaved": False,
            "AutomaticStartupDelay": Time("P0DT0H0M30S", "00000000000030.000000:000", "Interval"),
            "BootSourceOrder": [],
        }
        for identity, name in zip(IDS, NAMES, strict=True)
    ]


CLASSES: dict[str, Any] = {
    "Msvm_ComputerSystem": systems,
    "Msvm_SummaryInformation": summaries,
    "Msvm_VirtualSystemSettingData": settings,
    "Msvm_VirtualSystemManagementService": lambda _: [
        {"CreationClassName": "Msvm_VirtualSystemManagementService", "Name": "vmms"}
    ],
    "Win32_ComputerSystem": lambda _: [
        {"Name": "FOREIGN1", "TotalPhysicalMemory": 1 << 36, "PartOfDomain": False}
    ],
    "Win32_OperatingSystem": lambda _: [
        {"Caption": "Another Windows", "BuildNumber": "20348", "LastBootUpTime": BORN}
    ],
}


class Refused(Exception):
    """Answered by a fault."""

    def __init__(self, subcode: str, code: int) -> None:
        super().__init__(subcode)
        self.subcode = subcode
        self.code = code


NO_CLASS = ("n:CannotProcessFilter", 2150858778)
GONE = ("a:DestinationUnreachable", 2150858752)


class Writer:
    """XML in the manner of the server."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        odd = manner.odd_prefixes
        self.s, self.a, self.n, self.w, self.p = (
            ("env", "wsadr", "enum8", "mgmt", "ns7") if odd else ("s", "a", "n", "w", "p")
        )

    def envelope(self, action: str, relates: str, body: str) -> bytes:
        s, a, n, w = self.s, self.a, self.n, self.w
        text = (
            f'<{s}:Envelope xmlns:{s}="{SOAP}" xmlns:{a}="{WSA}" xmlns:{n}="{WSEN}" '
            f'xmlns:{w}="{WSMAN}"><{s}:Header><{a}:To>{ANONYMOUS}</{a}:To>'
            f"<{a}:RelatesTo>{relates}</{a}:RelatesTo><{a}:Action>{action}</{a}:Action>"
            f"<{a}:MessageID>uuid:1</{a}:MessageID></{s}:Header>"
            f"<{s}:Body>{body}</{s}:Body></{s}:Envelope>"
        )
        if self.manner.pretty:
            root = ET.fromstring(text)
            ET.indent(root, "\t")
            text = '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n'
            text += ET.tostring(root, encoding="unicode") + "\r\n"
        return text.encode()

    def value(self, name: str, value: Any, prefix: str) -> str:
        tag = f"{prefix}:{name}" if prefix else name
        if value is None:
            return f'<{tag} xsi:nil="true"/>'
        if isinstance(value, list) and not value:
            flag = (
                ' m:IsNullArray="true" xmlns:m="urn:flags"'
                if self.manner.null_array == "flag"
                else ""
            )
            return f'<{tag} xsi:nil="true"{flag}/>' if self.manner.null_array else ""
        if isinstance(value, list):
            return "".join(self.value(name, one, prefix) for one in value)
        if isinstance(value, Time):
            return f"<{tag}>{self.time(value, prefix)}</{tag}>"
        if isinstance(value, bool):
            truth = self.manner.true
            value = truth if value else {"true": "false", "True": "False", "1": "0"}[truth]
        text = str(value)
        if self.manner.lower_guids:
            text = re.sub("|".join(IDS), lambda found: found[0].lower(), text)
        return f"<{tag}>{escape(text)}</{tag}>"

    def time(self, value: Time, prefix: str) -> str:
        text = value.iso
        if self.manner.times == "dmtf":
            return value.dmtf
        if value.tag == "Datetime":
            text = {
                "iso": value.iso,
                "offset": "2025-03-04T13:06:07.5000000+08:00",
                "naked": "2025-03-04T05:06:07.5",
                "long": "2025-03-04T05:06:07.500000000Z",
            }[self.manner.times]
        if not prefix:
            return f"<{value.tag}>{text}</{value.tag}>"
        return f'<cim:{value.tag} xmlns:cim="{COMMON}">{text}</cim:{value.tag}>'

    def values(self, row: Row, prefix: str) -> str:
        kept = {k: v for k, v in row.items() if k not in self.manner.missing}
        if self.manner.extra:
            kept |= {"Zz_Strange": "<&>", "AaNumbers": [1, 2, 3], "Deep": None}
        return "".join(self.value(name, value, prefix) for name, value in kept.items())

    def instance(self, space: str, class_name: str, row: Row, tag: str = "") -> str:
        uri = f"{WMI}{space}/{class_name}"
        name = tag or f"{self.p}:{class_name}"
        return (
            f'<{name} xmlns:{self.p}="{uri}" xmlns:xsi="{XSI}" '
            f'xsi:type="{self.p}:{class_name}_Type">'
            f"{self.values(row, self.p)}</{name}>"
        )

    def fragment(self, row: Row, columns: list[str]) -> str:
        lowered = {name.lower(): name for name in row}
        chosen = {
            lowered[c.lower()]: row[lowered[c.lower()]] for c in columns if c.lower() in lowered
        }
        tag, inner = f"{self.w}:XmlFragment", self.values(chosen, "")
        return f'<{tag} xmlns:xsi="{XSI}">{inner}</{tag}>'

    def fault(self, refused: Refused) -> str:
        s, word = self.s, refused.subcode
        for known, used in (("n", self.n), ("a", self.a), ("w", self.w)):
            if word.startswith(f"{known}:"):
                word = f"{used}:{word[2:]}"
                break
        return (
            f"<{s}:Fault><{s}:Code><{s}:Value>{s}:Sender</{s}:Value><{s}:Subcode>"
            f"<{s}:Value>{word}</{s}:Value></{s}:Subcode></{s}:Code><{s}:Reason>"
            f'<{s}:Text xml:lang="de-DE">Das geht hier nicht. </{s}:Text></{s}:Reason>'
            f"<{s}:Detail>{self.detail(refused.code)}</{s}:Detail></{s}:Fault>"
        )

    def detail(self, code: int) -> str:
        flt = 'xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"'
        if self.manner.fault_shape == 1:
            return (
                f'<f:WSManFault {flt} Code="{code}" Machine="x"><f:Message>Nein.</f:Message>'
                "</f:WSManFault>"
            )
        if self.manner.fault_shape == 2:
            return (
                f'<f:WSManFault {flt} Code="2150858843" Machine="x"><f:Message><f:ProviderFault '
                f'provider="WMI Provider" path="x.dll"><f:WSManFault Code="{code}" Machine="y">'
                "<f:Message>Nein. </f:Message></f:WSManFault></f:ProviderFault></f:Message>"
                "</f:WSManFault>"
            )
        uri = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
        return (
            f'<q:MSFT_WmiError xmlns:q="{uri}"><q:Message>Nein. </q:Message>'
            f"<q:error_Code>{code}</q:error_Code></q:MSFT_WmiError>"
        )


class Service:
    """Requests in, bodies out."""

    def __init__(self, manner: Manner, estate: Estate) -> None:
        self.manner = manner
        self.estate = estate
        self.write = Writer(manner)
        self._open: dict[str, tuple[list[str], int]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def answer(self, envelope: bytes) -> tuple[int, bytes]:
        root = ET.fromstring(envelope)
        identify = "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}Identify"
        if root.find(f"{{{SOAP}}}Body/{identify}") is not None:
            return 200, self.write.envelope("", "", self._identity())
        action = root.findtext(f".//{{{WSA}}}Action", "")
        relates = root.findtext(f".//{{{WSA}}}MessageID", "")
        relates = self.manner.relates.format(relates.rpartition(":")[2])
        with self._lock:
            try:
                body = self._serve(action, root)
            except Refused as refused:
                fault = self.write.envelope(f"{WSA}/fault", relates, self.write.fault(refused))
                return self.manner.fault_status, fault
        return 200, self.write.envelope(f"{action}Response", relates, body)

    def _identity(self) -> str:
        uri = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
        return (
            f'<i:IdentifyResponse xmlns:i="{uri}"><i:ProtocolVersion>{WSMAN}</i:ProtocolVersion>'
            "<i:ProductVendor>Somebody</i:ProductVendor><i:ProductVersion>0.1</i:ProductVersion>"
            "</i:IdentifyResponse>"
        )

    def _serve(self, action: str, root: ET.Element) -> str:
        uri = root.findtext(f".//{{{WSMAN}}}ResourceURI", "").removeprefix(WMI)
        space, _, class_name = uri.rpartition("/")
        keys = {e.get("Name", ""): e.text or "" for e in root.iter(f"{{{WSMAN}}}Selector")}
        verb = action.rpartition("/")[2]
        self.estate.asked.append(f"{verb} {class_name}")
        if verb == "Enumerate":
            return self._enumerate(space, class_name, root)
        if verb == "Pull":
            return self._pull(root)
        if verb == "Release":
            return f"<{self.write.n}:ReleaseResponse/>"
        if verb == "Get":
            return self._get(space, class_name, keys)
        return self._invoke(space, class_name, verb, keys, root)

    def _rows(self, class_name: str) -> tuple[str, list[Row]]:
        proper = {name.lower(): name for name in CLASSES}.get(class_name.lower(), "")
        knows = self.manner.knows
        if not proper or (knows is not None and proper not in knows):
            if self.manner.unknown_is_empty:
                return class_name, []
            raise Refused(*NO_CLASS)
        return proper, CLASSES[proper](self.estate)

    def _enumerate(self, space: str, class_name: str, root: ET.Element) -> str:
        found = root.find(f".//{{{WSMAN}}}Filter")
        columns = ["*"]
        if found is not None:
            if not self.manner.wql:
                raise Refused("n:FilterDialectRequestedUnavailable", 2150858777)
            select = re.match(r"\s*SELECT\s+(.+?)\s+FROM\s+(\w+)", found.text or "", re.I | re.S)
            if select is None:
                raise Refused(*NO_CLASS)
            columns, class_name = [c.strip() for c in select[1].split(",")], select[2]
            self.estate.asked.append(f"SELECT {class_name}")
        proper, rows = self._rows(class_name)
        if columns == ["*"] or not self.manner.projects:
            texts = [self.write.instance(space, proper, row) for row in rows]
        else:
            texts = [self.write.fragment(row, columns) for row in rows]
        if self.manner.wraps_items:
            w = self.write.w
            texts = [f"<{w}:Item>{text}</{w}:Item>" for text in texts]
        optimize = root.find(f".//{{{WSMAN}}}OptimizeEnumeration") is not None
        most = root.findtext(f".//{{{WSMAN}}}MaxElements", "1")
        if optimize and self.manner.optimizes:
            return self._page("Enumerate", texts, int(most), self.manner.empty_pages)
        self._count += 1
        context = f"c{self._count}"
        self._open[context] = (texts, self.manner.empty_pages)
        n = self.write.n
        inner = f"<{n}:EnumerationContext>{context}</{n}:EnumerationContext>"
        return f"<{n}:EnumerateResponse>{inner}</{n}:EnumerateResponse>"

    def _pull(self, root: ET.Element) -> str:
        context = root.findtext(f".//{{{WSEN}}}EnumerationContext", "").strip()
        if context not in self._open:
            raise Refused("n:InvalidEnumerationContext", 2150858779)
        texts, empty = self._open.pop(context)
        most = root.findtext(f".//{{{WSEN}}}MaxElements", "1")
        return self._page("Pull", texts, int(most), empty, context)

    def _page(self, verb: str, texts: list[str], most: int, empty: int, context: str = "") -> str:
        n, w = self.write.n, self.write.w
        count = 0 if empty > 0 else 1 if self.manner.one_item else most
        now, rest = texts[:count], texts[count:]
        over = not rest and empty <= 0
        wrapper = {"n": n, "w": w}.get(self.manner.items, w if verb == "Enumerate" else n)
        told = ""
        if not over:
            if not (self.manner.same_context and context):
                self._count += 1
                context = f"c{self._count}"
            self._open[context] = (rest, empty - 1)
            told = f"<{n}:EnumerationContext>{context}</{n}:EnumerationContext>"
        elif verb == "Enumerate":
            told = f"<{n}:EnumerationContext/>"
        items = f"<{wrapper}:Items>{''.join(now)}</{wrapper}:Items>"
        if not now and self.manner.no_items_when_empty:
            items = ""
        end = f"<{wrapper}:EndOfSequence/>" if over else ""
        return f"<{n}:{verb}Response>{told}{items}{end}</{n}:{verb}Response>"

    def _get(self, space: str, class_name: str, keys: dict[str, str]) -> str:
        if class_name == "Msvm_ConcreteJob":
            if self.manner.job_vanishes:
                raise Refused(*GONE)
            job: Row = {
                "InstanceID": keys.get("InstanceID", ""),
                "JobState": 10 if self.manner.job_fails else 7,
                "PercentComplete": 100,
                "ErrorCode": 32775 if self.manner.job_fails else 0,
                "ErrorDescription": "Falscher Zustand" if self.manner.job_fails else None,
                "StartTime": BORN,
                "ElapsedTime": Time("P0DT0H0M1S", "00000000000001.000000:000", "Interval"),
                "OperationalStatus": [2],
            }
            return self.write.instance(space, class_name, job)
        proper, rows = self._rows(class_name)
        for row in rows:
            texts = {k: str(v).lower() for k, v in row.items()}
            if all(texts.get(k) == v.lower() for k, v in keys.items()):
                return self.write.instance(space, proper, row)
        raise Refused(*GONE)

    def _invoke(
        self, space: str, class_name: str, verb: str, keys: dict[str, str], root: ET.Element
    ) -> str:
        if verb == "GetSummaryInformation":
            return self._summary(space, class_name)
        if verb != "RequestStateChange" or class_name != "Msvm_ComputerSystem":
            raise Refused("a:ActionNotSupported", 2150858771)
        which = next(i for i, one in enumerate(IDS) if one.lower() == keys["Name"].lower())
        wanted = int(root.findtext(".//{*}RequestedState", "0"))
        self.estate.changed.append((NAMES[which], wanted))
        if not self.manner.job_fails:
            self.estate.states[which] = wanted
        return self._output(space, class_name, verb, self.manner.changes, self._job())

    def _summary(self, space: str, class_name: str) -> str:
        told = self.manner.summary
        if told == "fault":
            raise Refused("w:InternalError", 2147944122)
        if told == "no method":
            raise Refused("a:ActionNotSupported", 2150858771)
        rows = CLASSES["Msvm_SummaryInformation"](self.estate) if told == "works" else []
        items = "".join(self._embedded(space, row) for row in rows)
        return self._output(space, class_name, "GetSummaryInformation", int(told != "works"), items)

    def _embedded(self, space: str, row: Row) -> str:
        kind = "Msvm_SummaryInformation"
        form, p = self.manner.summary_form, self.write.p
        if form == "wrapped":
            inner = self.write.instance(space, kind, row).replace(" xsi:type=", " kind=")
            return f"<o:SummaryInformation>{inner}</o:SummaryInformation>"
        if form == "text":
            inner = "".join(
                f'<PROPERTY NAME="{name}" TYPE="string">'
                f"<VALUE>{escape(str(value))}</VALUE></PROPERTY>"
                for name, value in row.items()
                if not isinstance(value, list | Time) and value is not None
            )
            text = f'<INSTANCE CLASSNAME="{kind}">{inner}</INSTANCE>'
            return f"<o:SummaryInformation>{escape(text)}</o:SummaryInformation>"
        return (
            f"<o:SummaryInformation xmlns:{p}={quoteattr(f'{WMI}{space}/{kind}')} "
            f'xsi:type="{p}:{kind}_Type">{self.write.values(row, p)}</o:SummaryInformation>'
        )

    def _output(self, space: str, class_name: str, verb: str, code: int, inner: str) -> str:
        uri = f"{WMI}{space}/{class_name}"
        return (
            f'<o:{verb}_OUTPUT xmlns:o="{uri}" xmlns:xsi="{XSI}">'
            f"<o:ReturnValue>{code}</o:ReturnValue>{inner}</o:{verb}_OUTPUT>"
        )

    def _job(self) -> str:
        if self.manner.changes != 4096:
            return ""
        parts = (
            f'<z:Address xmlns:z="{WSA}">{ANONYMOUS}</z:Address>'
            f'<z:ReferenceParameters xmlns:z="{WSA}" xmlns:y="{WSMAN}">'
            f"<y:ResourceURI>{WMI}{V2}/Msvm_ConcreteJob</y:ResourceURI>"
            '<y:SelectorSet><y:Selector Name="__cimnamespace">root/virtualization/v2</y:Selector>'
            '<y:Selector Name="InstanceID">J-1</y:Selector></y:SelectorSet></z:ReferenceParameters>'
        )
        if self.manner.wrapped_job:
            parts = f'<r:EndpointReference xmlns:r="{WSA}">{parts}</r:EndpointReference>'
        return f"<o:Job>{parts}</o:Job>"


def handler(service: Service) -> type[BaseHTTPRequestHandler]:
    manner = service.manner
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.headers.get("Authorization", "") != f"Basic {basic}":
                service.estate.refused += 1
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="elsewhere"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            status, answer = service.answer(body)
            self.send_response(status, "As it happens")
            self.send_header("Content-Type", manner.content_type)
            if manner.chunked:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for at in range(0, len(answer), 700):
                    piece = answer[at : at + 700]
                    self.wfile.write(b"%X\r\n%b\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")
            else:
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Silence."""

    return Handler


@contextlib.contextmanager
def foreign(**manner: Any) -> Iterator[tuple[str, Estate]]:
    """A server in a thread: its URL, and what happens there."""
    estate = Estate()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(Service(Manner(**manner), estate)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/wsman", estate
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

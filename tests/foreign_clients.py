"""WS-Man clients as others have written them: their prefixes, headers, order and white space.

Written from what those programs send, byte by byte; nothing of ours reads or writes here.
"""

from __future__ import annotations

import base64
import http.client
import re
import struct
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import spnego

WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
V2 = f"{WMI}root/virtualization/v2"
CIMV2 = f"{WMI}root/cimv2"
VSMS = "Msvm_VirtualSystemManagementService"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSEN = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MSFT = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ANONYMOUS = f"{WSA}/role/anonymous"
NS = {"s": SOAP, "a": WSA, "n": WSEN, "w": WSMAN, "p": MSFT}
UTF8 = "application/soap+xml;charset=UTF-8"


@dataclass
class Reply:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-16" if self.body[:2] == b"\xff\xfe" else "utf-8")

    @property
    def xml(self) -> ET.Element:
        return ET.fromstring(self.text)

    def ok(self) -> ET.Element:
        assert self.status == 200, (self.status, self.text)
        return self.xml


def local(tag: str) -> str:
    return tag.rpartition("}")[2]


def row(item: ET.Element) -> dict[str, Any]:
    """Property texts by name; what is repeated becomes a list."""
    told: dict[str, list[str]] = {}
    for child in item:
        told.setdefault(local(child.tag), []).append("".join(child.itertext()))
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in told.items()}


@dataclass
class Line:
    """A keep-alive connection that sends exactly the headers it is given."""

    url: str
    user: str
    password: str
    agent: str = ""
    _http: http.client.HTTPConnection | None = field(default=None, repr=False)

    def send(self, body: bytes, headers: dict[str, str], path: str = "/wsman") -> Reply:
        parts = urlsplit(self.url)
        if self._http is None:
            self._http = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        wire = self._http
        wire.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": parts.netloc, **headers}.items():
            wire.putheader(name, value)
        wire.putheader("Content-Length", str(len(body)))
        wire.endheaders(body)
        answer = wire.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, told, answer.read())

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None


class Libvirt:
    """libvirt's Hyper-V driver over openwsman and curl."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def _post(self, action: str, uri: str, body: str, selectors: dict[str, str]) -> Reply:
        chosen = "".join(
            f'<wsman:Selector Name="{k}">{v}</wsman:Selector>' for k, v in selectors.items()
        )
        chosen = f"<wsman:SelectorSet>{chosen}</wsman:SelectorSet>" if selectors else ""
        must = 's:mustUnderstand="true"'
        envelope = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<s:Envelope xmlns:s="{SOAP}" xmlns:wsa="{WSA}" xmlns:wsman="{WSMAN}" '
            f'xmlns:wsen="{WSEN}">'
            f"<s:Header><wsa:Action {must}>{action}</wsa:Action>"
            f"<wsa:To {must}>{self.line.url}</wsa:To>"
            f"<wsman:ResourceURI {must}>{uri}</wsman:ResourceURI>"
            f"<wsa:MessageID {must}>uuid:{uuid.uuid4()}</wsa:MessageID>"
            f"<wsa:ReplyTo><wsa:Address>{ANONYMOUS}</wsa:Address></wsa:ReplyTo>"
            f"{chosen}</s:Header><s:Body>{body}</s:Body></s:Envelope>\n"
        )
        headers = {
            "Authorization": self.line.basic,
            "User-Agent": "Openwsman",
            "Accept": "*/*",
            "Content-Type": UTF8,
        }
        return self.line.send(envelope.encode(), headers)

    def _enumerate(self, space: str, query: str, mode: str = "") -> str:
        mode = f"<wsman:EnumerationMode>{mode}</wsman:EnumerationMode>" if mode else ""
        body = (
            f'<wsen:Enumerate>{mode}<wsman:Filter Dialect="{WQL}">{escape(query)}'
            "</wsman:Filter></wsen:Enumerate>"
        )
        answer = self._post(f"{WSEN}/Enumerate", f"{space}/*", body, {}).ok()
        return answer.findtext(".//n:EnumerationContext", "", NS)

    def _pull(self, uri: str, context: str) -> ET.Element:
        body = (
            f"<wsen:Pull><wsen:EnumerationContext>{context}</wsen:EnumerationContext></wsen:Pull>"
        )
        found = self._post(f"{WSEN}/Pull", uri, body, {}).ok().find(".//n:PullResponse", NS)
        assert found is not None
        return found

    def query(self, class_name: str, query: str, space: str = V2) -> list[dict[str, Any]]:
        """One object to a Pull, until an answer has no context or no item of the class."""
        context, found = self._enumerate(space, query), []
        while context:
            page = self._pull(f"{space}/{class_name}", context)
            items = page.find("n:Items", NS)
            assert items is not None
            item = items.find(f"{{{space}/{class_name}}}{class_name}")
            if item is None:
                break
            found.append(row(item))
            context = page.findtext("n:EnumerationContext", "", NS)
        return found

    def reference(self, parameter: str, query: str) -> str:
        """A reference parameter: the children of the first endpoint reference a query finds."""
        page = self._pull(f"{V2}/{VSMS}", self._enumerate(V2, query, "EnumerateEPR"))
        found = page.find("n:Items/a:EndpointReference", NS)
        assert found is not None
        parts = "".join(ET.tostring(part, encoding="unicode") for part in found)
        return f'<p:{parameter} xmlns:a="{WSA}" xmlns:w="{WSMAN}">{parts}</p:{parameter}>'

    def invoke(
        self, class_name: str, method: str, selectors: dict[str, str], body: str
    ) -> ET.Element:
        uri = f"{V2}/{class_name}"
        text = f'<p:{method}_INPUT xmlns:p="{uri}">{body}</p:{method}_INPUT>'
        return self._post(f"{uri}/{method}", uri, text, selectors).ok()

    def simple(
        self, class_name: str, method: str, selectors: dict[str, str], **values: str
    ) -> ET.Element:
        """The way of plain properties: prefixes the library makes up."""
        uri = f"{V2}/{class_name}"
        inner = "".join(f"<n1:{name}>{value}</n1:{name}>" for name, value in values.items())
        text = f'<n1:{method}_INPUT xmlns:n1="{uri}">{inner}</n1:{method}_INPUT>'
        return self._post(f"{uri}/{method}", uri, text, selectors).ok()

    def service(self, method: str, body: str) -> ET.Element:
        return self.invoke(VSMS, method, {"CreationClassName": VSMS}, body)

    def finish(self, answer: ET.Element) -> ET.Element:
        """Return value, then the job by WQL until it is over."""
        code = answer.findtext(".//{*}ReturnValue", "")
        assert code in ("0", "4096"), ET.tostring(answer)
        if code == "4096":
            path = ".//{*}Job/a:ReferenceParameters/"
            job = answer.findtext(f"{path}w:SelectorSet/w:Selector[@Name='InstanceID']", "", NS)
            kind = answer.findtext(f"{path}w:ResourceURI", "", NS).rpartition("/")[2]
            assert job
            state = 0
            while state < 7:
                wql = f"SELECT * FROM {kind} WHERE InstanceID = '{job}'"
                (found,) = self.query(kind, wql)
                state = int(found["JobState"])
            assert state == 7, found
        return answer


def cdata(parameter: str, class_name: str, *properties: tuple[str, str, str | list[str]]) -> str:
    """An embedded instance as libvirt and go-wsman put it: pretty-printed, inside CDATA."""
    lines = []
    for name, kind, value in properties:
        if isinstance(value, list):
            inner = "".join(f"<VALUE>{escape(one)}</VALUE>" for one in value)
            inner = f"<VALUE.ARRAY>\n      {inner}\n    </VALUE.ARRAY>"
            lines.append(
                f'<PROPERTY.ARRAY NAME="{name}" TYPE="{kind}">\n    {inner}\n  </PROPERTY.ARRAY>'
            )
        else:
            lines.append(
                f'<PROPERTY NAME="{name}" TYPE="{kind}">\n    '
                f"<VALUE>{escape(value)}</VALUE>\n  </PROPERTY>"
            )
    inner = "\n  ".join(lines)
    text = f'<INSTANCE CLASSNAME="{class_name}">\n  {inner}\n</INSTANCE>'
    return f"<p:{parameter}><![CDATA[{text}]]></p:{parameter}>"


class VirtWho:
    """virt-who: NTLM of its own, sealed from the message that signs in, no tabs in the framing."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._context: Any = None

    def post(self, envelope: str, code: str = "utf-8") -> Reply:
        plain = envelope.encode(code)
        headers = {"Content-Type": UTF8, "Connection": "Keep-Alive"}
        if self._context is not None:
            return self._sealed(plain, headers)
        refused = self.line.send(b"", headers)
        assert refused.status == 401
        assert "negotiate" in refused.headers["www-authenticate"].lower()
        context = spnego.client(self.line.user, self.line.password, protocol="ntlm")
        first = base64.b64encode(context.step() or b"").decode()
        challenge = self.line.send(b"", {**headers, "Authorization": f"Negotiate {first}"})
        assert challenge.status == 401
        word, _, blob = challenge.headers["www-authenticate"].partition(" ")
        assert word == "Negotiate"
        last = base64.b64encode(context.step(base64.b64decode(blob)) or b"").decode()
        self._context = context
        return self._sealed(plain, {**headers, "Authorization": f"Negotiate {last}"})

    def _sealed(self, plain: bytes, headers: dict[str, str]) -> Reply:
        wrapped = self._context.wrap_winrm(plain)
        body = (
            "--Encrypted Boundary\r\n"
            "Content-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
            f"OriginalContent: type={UTF8};Length={len(plain)}\r\n"
            "--Encrypted Boundary\r\n"
            "Content-Type: application/octet-stream\r\n"
        ).encode() + struct.pack("<I", len(wrapped.header))
        body += wrapped.header + wrapped.data + b"--Encrypted Boundary--\r\n"
        headers["Content-Type"] = (
            'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";'
            'boundary="Encrypted Boundary"'
        )
        answer = self.line.send(body, headers)
        assert "multipart/encrypted" in answer.headers.get("content-type", ""), answer
        parts = re.split(rb"-- ?Encrypted Boundary", answer.body)
        data = parts[2].lstrip(b"\r\n").split(b"\r\n", 1)[1]
        size = struct.unpack("<I", data[:4])[0]
        opened = self._context.unwrap_winrm(data[4 : 4 + size], data[4 + size :])
        return Reply(answer.status, answer.headers, bytes(opened))

    def _envelope(self, space: str, action: str, class_name: str, more: str, body: str) -> str:
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="{SOAP}" xmlns:wsa="{WSA}" xmlns:wsman="{WSMAN}" xmlns:wsen="{WSEN}">
    <s:Header>
            <wsa:Action s:mustUnderstand="true">{action}</wsa:Action>
            <wsa:To s:mustUnderstand="true">{self.line.url}</wsa:To>
            <wsman:ResourceURI s:mustUnderstand="true">
                {WMI}{space}/{class_name}
            </wsman:ResourceURI>
            <wsa:MessageID s:mustUnderstand="true">uuid:{uuid.uuid1()}</wsa:MessageID>
            <wsa:ReplyTo>
                <wsa:Address>{ANONYMOUS}</wsa:Address>
            </wsa:ReplyTo>{more}
        </s:Header>
    <s:Body>
        {body}
    </s:Body>
</s:Envelope>"""

    def enumerate(self, query: str, space: str) -> Reply:
        body = f"""<wsen:Enumerate>
            <wsman:Filter Dialect="{WQL}">{query}</wsman:Filter>
        </wsen:Enumerate>"""
        return self.post(self._envelope(space, f"{WSEN}/Enumerate", "*", "", body))

    def pull(self, context: str, space: str) -> ET.Element:
        body = f"""<wsen:Pull>
            <wsen:EnumerationContext>{context}</wsen:EnumerationContext>
        </wsen:Pull>"""
        return self.post(self._envelope(space, f"{WSEN}/Pull", "*", "", body)).ok()

    def summaries(self, space: str) -> ET.Element:
        service = f"{WMI}{space}/{VSMS}"
        more = f"""
        <wsman:SelectorSet>
            <wsman:Selector Name="CreationClassName">{VSMS}</wsman:Selector>
            <wsman:Selector Name="SystemCreationClassName">Msvm_ComputerSystem</wsman:Selector>
        </wsman:SelectorSet>"""
        body = f"""<wsman:GetSummaryInformation_INPUT xmlns:p="{service}">
            <p:RequestedInformation>0</p:RequestedInformation>
            <p:RequestedInformation>1</p:RequestedInformation>
            <p:RequestedInformation>100</p:RequestedInformation>
        </wsman:GetSummaryInformation_INPUT>"""
        action = f"{service}/GetSummaryInformation"
        return self.post(self._envelope(space, action, VSMS, more, body)).ok()


class Glpi:
    """GLPI's agent: class names in lower case, an OperationID it wants back, an End at the end."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.session = f"uuid:{str(uuid.uuid4()).upper()}"

    def call(self, action: str, uri: str, body: str, selectors: str = "") -> ET.Element:
        message = f"uuid:{str(uuid.uuid4()).upper()}"
        operation = f"uuid:{str(uuid.uuid4()).upper()}"
        envelope = (
            f'<s:Envelope xmlns:a="{WSA}" '
            'xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" '
            f'xmlns:n="{WSEN}" xmlns:p="{MSFT}" xmlns:s="{SOAP}" xmlns:w="{WSMAN}">\n<s:Header>\n'
            f"<a:To>{self.line.url}</a:To>\n"
            f'<w:ResourceURI s:mustUnderstand="true">{uri}</w:ResourceURI>\n'
            f'<a:ReplyTo>\n<a:Address s:mustUnderstand="true">{ANONYMOUS}</a:Address>\n'
            "</a:ReplyTo>\n"
            f'<a:Action s:mustUnderstand="true">{action}</a:Action>\n'
            f"<a:MessageID>{message}</a:MessageID>\n"
            '<w:MaxEnvelopeSize s:mustUnderstand="true">512000</w:MaxEnvelopeSize>\n'
            '<w:Locale s:mustUnderstand="false" xml:lang="en-US" />\n'
            '<p:DataLocale s:mustUnderstand="false" xml:lang="en-US" />\n'
            f'<p:SessionId s:mustUnderstand="false">{self.session}</p:SessionId>\n'
            f'<p:OperationID s:mustUnderstand="false">{operation}</p:OperationID>\n'
            '<p:SequenceId s:mustUnderstand="false">1</p:SequenceId>\n'
            f"<w:OperationTimeout>PT60.000S</w:OperationTimeout>\n{selectors}</s:Header>\n"
            f"<s:Body>\n{body}</s:Body>\n</s:Envelope>\n"
        )
        answer = self._send(envelope).ok()
        assert answer.findtext(".//a:RelatesTo", "", NS) == message
        assert answer.findtext(".//a:Action", "", NS) == f"{action}Response"
        assert answer.findtext("s:Header/p:OperationID", "", NS) == operation
        return answer

    def _send(self, envelope: str) -> Reply:
        headers = {
            "TE": "deflate,gzip;q=0.3",
            "Connection": "TE",
            "User-Agent": "GLPI-Agent_v1.7",
            "Authorization": self.line.basic,
            "Content-Type": UTF8,
        }
        return self.line.send(envelope.encode(), headers)

    def enumerate(self, class_name: str, query: str = "") -> list[ET.Element]:
        uri = V2 + "/" + (class_name.lower() if not query else "*")
        body = "<n:Enumerate></n:Enumerate>\n"
        if query:
            body = (
                "<n:Enumerate>\n<w:OptimizeEnumeration></w:OptimizeEnumeration>\n"
                "<w:MaxElements>32000</w:MaxElements>\n"
                f'<w:Filter Dialect="{WQL}">{query}</w:Filter>\n</n:Enumerate>\n'
            )
        answer = self.call(f"{WSEN}/Enumerate", uri, body)
        found = list(answer.iterfind(".//w:Items/*", NS))
        over = answer.find(".//w:EndOfSequence", NS) is not None
        while not over:
            context = answer.findtext(".//n:EnumerationContext", "", NS)
            body = (
                f"<n:Pull>\n<n:EnumerationContext>{context}</n:EnumerationContext>\n"
                "<n:MaxElements>32000</n:MaxElements>\n</n:Pull>\n"
            )
            answer = self.call(f"{WSEN}/Pull", uri, body)
            found += answer.iterfind(".//n:Items/*", NS)
            over = answer.find(".//n:EndOfSequence", NS) is not None
        return found

    def end(self) -> Reply:
        return self._send(
            f'<s:Envelope xmlns:a="{WSA}" xmlns:p="{MSFT}" xmlns:s="{SOAP}" xmlns:w="{WSMAN}">\n'
            f"<s:Header>\n<a:To>{ANONYMOUS}</a:To>\n<w:ResourceURI>{MSFT[:-4]}/FullDuplex"
            f"</w:ResourceURI>\n<a:Action>{MSFT[:-4]}/End</a:Action>\n"
            f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>\n"
            f"<p:OperationID>uuid:{uuid.uuid4()}</p:OperationID>\n</s:Header>\n<s:Body></s:Body>\n"
            "</s:Envelope>\n"
        )

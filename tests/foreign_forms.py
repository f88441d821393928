"""Envelopes in the manner of other people's programs: each a function of the same parts."""

from __future__ import annotations

from tests.foreign_clients import ANONYMOUS, MSFT, SOAP, TRANSFER, WSA, WSEN, WSMAN

MESSAGE = "5F0A2F7C-9A52-4F5C-9B1D-2B5C1E0E7A11"


def go_wsman(url: str, action: str, uri: str, body: str, selectors: str = "") -> str:
    """Indented, a declaration on top, mustUnderstand on nearly everything."""
    must = 's:mustUnderstand="true"'
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="{SOAP}" xmlns:a="{WSA}" xmlns:w="{WSMAN}">
  <s:Header>
    <a:Action {must}>{action}</a:Action>
    <w:ResourceURI {must}>{uri}</w:ResourceURI>
    <w:MaxEnvelopeSize {must}>153600</w:MaxEnvelopeSize>
    <w:OperationTimeout>PT60S</w:OperationTimeout>
    <a:MessageID>uuid:{MESSAGE.lower()}</a:MessageID>
    <a:ReplyTo>
      <a:Address {must}>{ANONYMOUS}</a:Address>
    </a:ReplyTo>
    <a:To {must}>{url}</a:To>{selectors}
  </s:Header>
  <s:Body>
    {body}
  </s:Body>
</s:Envelope>
"""


def metricshub(url: str, action: str, uri: str, body: str, selectors: str = "") -> str:
    """One line; prefixes wsa, wsman, wsen; fractions of a second."""
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:wsa="{WSA}" xmlns:wsman="{WSMAN}" xmlns:wsen="{WSEN}">'
        f'<s:Header><wsa:To>{url}</wsa:To><wsman:ResourceURI s:mustUnderstand="true">{uri}'
        f'</wsman:ResourceURI><wsa:ReplyTo><wsa:Address s:mustUnderstand="true">{ANONYMOUS}'
        f'</wsa:Address></wsa:ReplyTo><wsa:Action s:mustUnderstand="true">{action}</wsa:Action>'
        '<wsman:MaxEnvelopeSize s:mustUnderstand="true">153600</wsman:MaxEnvelopeSize>'
        f'<wsa:MessageID>uuid:{MESSAGE}</wsa:MessageID><wsman:Locale xml:lang="en-US" '
        f's:mustUnderstand="false"/>{selectors}<wsman:OperationTimeout>PT1.234S'
        f"</wsman:OperationTimeout></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def opennms(url: str, action: str, uri: str, body: str, selectors: str = "") -> str:
    """CXF: default namespaces on each header, urn:uuid, ReplyTo last, no time-out."""
    return (
        f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Header><Action xmlns="{WSA}">{action}</Action>'
        f'<MessageID xmlns="{WSA}">urn:uuid:{MESSAGE.lower()}</MessageID>'
        f'<To xmlns="{WSA}">{url}</To>'
        f'<ReplyTo xmlns="{WSA}"><Address>{ANONYMOUS}</Address></ReplyTo>'
        f'<ns2:ResourceURI xmlns:ns2="{WSMAN}">{uri}</ns2:ResourceURI>{selectors}</soap:Header>'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def pywinrm(url: str, action: str, uri: str, body: str, selectors: str = "") -> str:
    """xmltodict: every namespace there is, mustUnderstand without one, a made-up To."""
    return f"""<?xml version="1.0" encoding="utf-8"?>
<env:Envelope xmlns:xsd="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:env="{SOAP}" xmlns:a="{WSA}"
 xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" xmlns:n="{WSEN}" xmlns:x="{TRANSFER}"
 xmlns:w="{WSMAN}" xmlns:p="{MSFT}"><env:Header><a:To>http://windows-host:5985/wsman</a:To>
<a:ReplyTo><a:Address mustUnderstand="true">{ANONYMOUS}</a:Address></a:ReplyTo>
<w:MaxEnvelopeSize mustUnderstand="true">153600</w:MaxEnvelopeSize>
<a:MessageID>uuid:{MESSAGE}</a:MessageID>
<w:Locale mustUnderstand="false" xml:lang="en-US"></w:Locale>
<p:DataLocale mustUnderstand="false" xml:lang="en-US"></p:DataLocale>
<w:OperationTimeout>PT20S</w:OperationTimeout>
<w:ResourceURI mustUnderstand="true">{uri}</w:ResourceURI>
<a:Action mustUnderstand="true">{action}</a:Action>{selectors}</env:Header>
<env:Body>{body}</env:Body></env:Envelope>"""


def powershell(url: str, action: str, uri: str, body: str, selectors: str = "") -> str:
    """The native stack: session, operation and sequence, options of WMI."""
    return (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{WSA}" xmlns:w="{WSMAN}" xmlns:p="{MSFT}" '
        f'xmlns:n="{WSEN}"><s:Header><a:To>{url}</a:To><w:ResourceURI s:mustUnderstand="true">{uri}'
        f'</w:ResourceURI><a:ReplyTo><a:Address s:mustUnderstand="true">{ANONYMOUS}</a:Address>'
        f'</a:ReplyTo><a:Action s:mustUnderstand="true">{action}</a:Action>'
        f'<w:MaxEnvelopeSize s:mustUnderstand="true">512000</w:MaxEnvelopeSize>'
        f"<a:MessageID>uuid:{MESSAGE}</a:MessageID>"
        '<w:Locale xml:lang="en-US" s:mustUnderstand="false" />'
        '<p:DataLocale xml:lang="en-US" s:mustUnderstand="false" />'
        f'<p:SessionId s:mustUnderstand="false">uuid:{MESSAGE}</p:SessionId>'
        f'<p:OperationID s:mustUnderstand="false">uuid:{MESSAGE}</p:OperationID>'
        '<p:SequenceId s:mustUnderstand="false">1</p:SequenceId>'
        '<w:OptionSet xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<w:Option Name="wmi:__MI_CALLBACKMODE" Type="xs:unsignedInt">0</w:Option></w:OptionSet>'
        f"<w:OperationTimeout>PT60.000S</w:OperationTimeout>{selectors}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )


FORMS = {f.__name__: f for f in (go_wsman, metricshub, opennms, pywinrm, powershell)}

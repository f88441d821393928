"""The WS-Management service of a simulated host: bytes in, HTTP status and bytes out.

Knows the protocol and the repository; what methods do is the service's own business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from tui.sim.calls import STATIC, check, method_of
from tui.sim.enumerations import Enumeration, Enumerations
from tui.sim.limits import CONFIG, config_text
from tui.sim.repository import WMI, Repository
from tui.wsman import request as requests
from tui.wsman.cim import CimInstance, CimValue
from tui.wsman.fault import Refusal, at_machine, refuse
from tui.wsman.operations import (
    Create,
    Delete,
    Enumerate,
    Get,
    GetClass,
    Identify,
    Invoke,
    Mode,
    Pull,
    Put,
    Release,
    Request,
)
from tui.wsman.reply import (
    ClassDeclaration,
    FaultReply,
    Got,
    Identity,
    MethodOutput,
    Page,
    Released,
    Reply,
    encode,
    item_text,
)
from tui.wsman.request import Header
from tui.wsman.schema import VIRTUALIZATION
from tui.wsman.soap import TRANSFER
from tui.wsman.values import Wsman

__all__ = ["Enumerations", "Knobs", "Service", "answer"]

MAX_ENVELOPE = 500 * 1024
"""MaxEnvelopeSizekb of a current host, in bytes of UTF-16 (wsman-wire.md 8.4)."""
SECURITY = ("http/basic", "https/basic", "http/spnego-kerberos", "https/spnego-kerberos")


class Knobs(Protocol):
    """The faults to order that concern the service; HTTP has its own."""

    access_denied: bool
    shape: int
    """2 or 3: the form of what WMI refuses (wsman-wire.md 12.2)."""

    def take(self, name: str, /) -> bool:
        """Use one of a counter up (``quota``); True while there is something to use."""
        ...


class Service(Protocol):
    """The host that is asked."""

    @property
    def repository(self) -> Repository: ...
    @property
    def name(self) -> str: ...
    @property
    def os_version(self) -> str: ...
    @property
    def faults(self) -> Knobs: ...
    def now(self) -> datetime: ...
    def advance(self) -> None:
        """Bring the world up to date before a request is answered."""
        ...

    def invoke(
        self, instance: CimInstance, method: str, parameters: dict[str, CimValue], /
    ) -> MethodOutput:
        """Call a method; Refusal for what the wire tells as a fault."""
        ...


def answer(
    service: Service, enumerations: Enumerations, envelope: bytes, user: str
) -> tuple[int, bytes]:
    """The HTTP status and body for one envelope. An empty user may only identify."""
    header: Header | None = None
    with enumerations.lock:
        try:
            header, request = requests.decode(envelope)
            return 200, _Desk(service, enumerations, header, user).serve(request)
        except Refusal as refusal:
            header = header or refusal.header
            if header and user and header.action == END:
                return 204, b""
            if header and user and _asks_for_config(header):
                return 200, _config(header)
            return 500, _fault(service, refusal.reply, header)


def _fault(service: Service, reply: FaultReply, header: Header | None) -> bytes:
    if reply.shape == WMI:
        reply = replace(reply, shape=service.faults.shape)
    return encode(at_machine(reply, service.name), header=header)


def _asks_for_config(header: Header) -> bool:
    return header.resource.lower() == CONFIG and header.action == f"{TRANSFER}/Get"


def _config(header: Header) -> bytes:
    """The configuration is no CIM class: the codec carries it as a declaration's text."""
    reply = ClassDeclaration(config_text())
    return encode(reply, request=GetClass("", ""), header=header)


@dataclass(slots=True)
class _Desk:
    """One request being served."""

    service: Service
    enumerations: Enumerations
    header: Header
    user: str

    def serve(self, request: Request) -> bytes:
        if isinstance(request, Identify):
            return encode(self._identity())
        if not self.user or self.service.faults.access_denied:
            raise refuse(Wsman.ACCESS_DENIED)
        self.service.advance()
        self.enumerations.expire(self.service.now())
        if isinstance(request, Enumerate):
            return self._enumerate(request)
        if isinstance(request, Pull):
            taken = self.enumerations.take(request.context, self.user)
            return self._page(taken, request, request.max_elements or 1)
        if isinstance(request, Release):
            self.enumerations.take(request.context, self.user)
            return self._encode(Released(), request)
        return self._transfer(request)

    def _transfer(self, request: Get | GetClass | Put | Create | Delete | Invoke) -> bytes:
        repository = self.service.repository
        if isinstance(request, Invoke):
            return self._invoke(request)
        if isinstance(request, GetClass):
            cls = repository.class_of(request.namespace, request.class_name)
            return self._encode(ClassDeclaration.of(cls), request)
        if isinstance(request, Get):
            instance = repository.find(request.ref)
            if request.fragment is not None:
                request = replace(request, fragment=_fragment(instance, request.fragment))
            return self._encode(Got(instance), request)
        if isinstance(request, Put):
            return self._put(request)
        raise refuse(
            Wsman.REQUEST_NOT_SUPPORTED, "Instances of this class are made and removed by methods."
        )

    def _identity(self) -> Identity:
        """Nobody in particular is told no version and no way to sign in (MS-WSMV notes 72-73)."""
        if not self.user:
            return Identity("OS: 0.0.0 SP: 0.0 Stack: 3.0")
        return Identity(f"OS: {self.service.os_version} SP: 0.0 Stack: 3.0", security=SECURITY)

    # -- enumerations ----------------------------------------------------------------------

    def _enumerate(self, request: Enumerate) -> bytes:
        if self.service.faults.take("quota"):
            raise refuse(Wsman.QUOTA_MAX_OPERATIONS)
        self.enumerations.admit(self.user)
        repository = self.service.repository
        if request.wql is None:
            items = list(repository.instances(request.namespace, request.class_name))
            columns: tuple[str, ...] = ()
        else:
            rows = repository.query(request.namespace, request.wql)
            items, columns = rows.items, rows.columns
        if columns and request.mode is not Mode.OBJECT:
            raise refuse(
                Wsman.UNSUPPORTED_ENUMERATION_MODE, "Rows of chosen columns have no reference."
            )
        now = self.service.now()
        begun = Enumeration(self.user, deque(items), self._writer(request, columns), now)
        if not request.optimize:
            context = self.enumerations.keep(begun, now)
            return self._encode(Page((), context, end=False), request)
        count = 1 if self.enumerations.stingy else request.max_elements or 1
        return self._page(begun, request, count)

    def _writer(self, request: Enumerate, columns: tuple[str, ...]) -> Callable[[CimInstance], str]:
        namespace, mode = request.namespace, request.mode
        ref_of = self.service.repository.ref_of
        if columns:
            return lambda item: item_text(item, namespace=namespace, projection=columns)
        if mode is Mode.OBJECT:
            return lambda item: item_text(item, namespace=namespace)
        return lambda item: item_text(
            replace(item, ref=ref_of(item)), namespace=namespace, mode=mode
        )

    def _page(self, enumeration: Enumeration, request: Enumerate | Pull, count: int) -> bytes:
        """As many items as fit, and a new context while there are more."""
        now = self.service.now()
        frame = len(self._encode(Page((), _SAMPLE_CONTEXT, end=False), request))
        texts = enumeration.page(count, self._limit - 2 * (frame + _ENDING))
        if not enumeration.items:
            return self._encode(Page(texts, None, end=True), request)
        context = self.enumerations.keep(enumeration, now)
        return self._encode(Page(texts, context, end=False), request)

    # -- instances -------------------------------------------------------------------------

    def _put(self, request: Put) -> bytes:
        repository = self.service.repository
        instance = repository.find(request.ref)
        cls = repository.class_of(instance.namespace, instance.class_name)
        if cls.namespace == VIRTUALIZATION:
            raise refuse(
                _NOT_CAPABLE, "The provider changes instances by its methods only.", shape=WMI
            )
        for name, value in request.values.items():
            if name not in cls.properties or (name in cls.keys and value != instance[name]):
                raise refuse(Wsman.REPRESENTATION_INVALID_VALUES, f"{name} cannot be changed.")
        changed = repository.put(instance, dict(request.values))
        return self._encode(Got(changed), request)

    def _invoke(self, request: Invoke) -> bytes:
        repository = self.service.repository
        cls = repository.class_of(request.ref.namespace, request.ref.class_name)
        method = method_of(cls, request.method)
        static = method.name in STATIC.get(cls.name, ()) and not request.ref.keys
        blank = CimInstance(cls.name, {}, cls.namespace)
        instance = blank if static else repository.find(request.ref)
        parameters = dict(request.parameters)
        check(method, parameters)
        output = self.service.invoke(instance, method.name, parameters)
        ref = replace(request.ref, class_name=cls.name, namespace=cls.namespace)
        return self._encode(output, replace(request, ref=ref, method=method.name))

    # -- envelopes -------------------------------------------------------------------------

    @property
    def _limit(self) -> int:
        return min(self.header.max_envelope or MAX_ENVELOPE, MAX_ENVELOPE)

    def _encode(self, reply: Reply | Page, request: Request) -> bytes:
        found = encode(reply, request=request, header=self.header)
        if isinstance(reply, MethodOutput) and any(
            isinstance(value, bytes) for value in reply.values.values()
        ):
            return found  # libvirt asks for pictures of whole screens, and hosts send them
        if len(found) > self._limit // 2 and 2 * len(found.decode()) > self._limit:
            raise refuse(
                Wsman.MAX_ENVELOPE_SIZE_EXCEEDED, "The answer is larger than the envelope may be."
            )
        return found


END = "http://schemas.microsoft.com/wbem/wsman/1/wsman/End"
"""A client is through with an operation; collectors of Windows answer 204 and no message."""
_SAMPLE_CONTEXT = "uuid:00000000-0000-0000-0000-000000000000"
_ENDING = 40
"""Characters of an end mark, which the last page carries on top."""
_NOT_CAPABLE = 2150859010


def _fragment(instance: CimInstance, path: str) -> str:
    """The path of a fragment with the property in its proper case."""
    name, slash, rest = path.partition("/")
    proper = next((known for known in instance.values if known.lower() == name.lower()), None)
    if proper is None or rest not in ("", "text()") or (slash and not rest):
        raise refuse(Wsman.CANNOT_PROCESS_FILTER, f"{path[:80]} is no property of the class.")
    return f"{proper}{slash}{rest}"

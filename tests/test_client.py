"""The client: paging, tidying up, what is sent again and what never, and errors in words."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from tests.link_kit import Echo, endpoint, linked, serving
from tui.errors import Dropped, Fault, HvError, LinkError, TimedOut, Unreachable, WireError
from tui.wsman import reply, request
from tui.wsman.cim import CimInstance, CimRef
from tui.wsman.client import CimClient, Throttle, Trip
from tui.wsman.explain import explain, explain_return, find, table
from tui.wsman.fault import fault
from tui.wsman.operations import Enumerate, Get, Identify, Invoke, Mode, Pull, Put, Release, Request
from tui.wsman.reply import FaultReply, Got, Identity, Items, MethodOutput, Released, Reply
from tui.wsman.values import ReturnValue, Wsman

NAMESPACE = "root/virtualization/v2"
VM = "Msvm_ComputerSystem"
WQL = f"SELECT * FROM {VM}"
GUID = "6A1D3F0C-0000-4000-8000-000000000001"
REF = CimRef(VM, (("CreationClassName", VM), ("Name", GUID)), NAMESPACE)

Of = TypeVar("Of", bound=Request)


def vm(number: int) -> CimInstance:
    return CimInstance(VM, {"Name": f"VM{number}", "EnabledState": 2}, NAMESPACE)


@dataclass
class Host:
    """A service with a list of machines, for ``Endpoint`` or in place of a transport."""

    machines: int = 25
    page: int = 10
    endless: bool = False
    fails: list[Exception | FaultReply | bytes | None] = field(default_factory=list)
    """What the requests to come get instead of an answer; None lets one through."""
    asked: list[Request] = field(default_factory=list)
    open: dict[str, int] = field(default_factory=dict)
    closed: int = 0
    during: Callable[[], None] | None = None

    def __call__(self, envelope: bytes, user: str) -> tuple[int, bytes]:
        header, asked = request.decode(envelope)
        self.asked.append(asked)
        answer = self.reply(asked)
        body = reply.encode(answer, request=asked, header=header)
        return (500 if isinstance(answer, FaultReply) else 200), body

    def send(self, envelope: bytes) -> bytes:
        failure = self.fails.pop(0) if self.fails else None
        if self.during is not None:
            self.during()
        if isinstance(failure, Exception):
            if not isinstance(failure, Dropped) or failure.sent:
                self(envelope, "")
            raise failure
        if isinstance(failure, FaultReply):
            header, asked = request.decode(envelope)
            self.asked.append(asked)
            return reply.encode(failure, header=header)
        if isinstance(failure, bytes):
            self.asked.append(request.decode(envelope)[1])
            return failure
        return self(envelope, "")[1]

    def close(self) -> None:
        self.closed += 1

    def count(self, kind: type[Of]) -> int:
        return sum(isinstance(one, kind) for one in self.asked)

    def reply(self, asked: Request) -> Reply | FaultReply:
        if isinstance(asked, Enumerate | Pull):
            return self.items(asked)
        if isinstance(asked, Release):
            self.open.pop(asked.context, None)
            return Released()
        if isinstance(asked, Get | Put):
            return Got(CimInstance(VM, {"Name": asked.ref.key("Name")}, NAMESPACE))
        if isinstance(asked, Invoke):
            return MethodOutput(ReturnValue.COMPLETED)
        assert isinstance(asked, Identify)
        return Identity("OS: 10.0.20348 SP: 0.0 Stack: 3.0")

    def items(self, asked: Enumerate | Pull) -> Items | FaultReply:
        first = 0
        if isinstance(asked, Pull):
            if asked.context not in self.open:
                return fault(Wsman.INVALID_ENUMERATION_CONTEXT)
            first = self.open.pop(asked.context)
        context = f"uuid:{len(self.asked):08d}"
        if self.endless:
            self.open[context] = 0
            return Items((), context, end=False)
        limit = min(self.page, asked.max_elements or 1)
        chosen = tuple(vm(number) for number in range(first, min(first + limit, self.machines)))
        if first + limit >= self.machines:
            return Items(self.shown(asked, chosen), None, end=True)
        self.open[context] = first + limit
        return Items(self.shown(asked, chosen), context, end=False)

    def shown(
        self, asked: Request, machines: tuple[CimInstance, ...]
    ) -> tuple[CimInstance | CimRef, ...]:
        if isinstance(asked, Enumerate) and asked.mode is Mode.EPR:
            return tuple(CimRef(VM, (("Name", str(one["Name"])),), NAMESPACE) for one in machines)
        return machines


def client_of(host: Host, **options: object) -> CimClient:
    return CimClient(host, url="http://hv01:5985/wsman", name="HV01", **options)  # type: ignore[arg-type]


def names(found: list[CimInstance]) -> list[object]:
    return [one["Name"] for one in found]


ALL = [f"VM{number}" for number in range(25)]


# -- paging ---------------------------------------------------------------------------------


def test_a_query_reads_all_pages_and_leaves_nothing_open() -> None:
    host = Host()
    assert names(client_of(host).query(NAMESPACE, WQL)) == ALL
    assert [type(one) for one in host.asked] == [Enumerate, Pull, Pull]
    assert not host.open


def test_pages_are_asked_for_in_the_size_given() -> None:
    host = Host(page=1000)
    assert len(client_of(host, max_elements=7).query(NAMESPACE, WQL)) == 25
    first, second = host.asked[:2]
    assert isinstance(first, Enumerate)
    assert isinstance(second, Pull)
    assert (first.max_elements, second.max_elements, first.optimize) == (7, 7, True)


def test_a_class_is_enumerated_without_a_query_and_references_by_mode() -> None:
    host = Host(machines=3)
    client = client_of(host)
    assert len(client.enumerate(NAMESPACE, VM)) == 3
    refs = client.references(NAMESPACE, WQL)
    assert [ref.key("Name") for ref in refs] == ["VM0", "VM1", "VM2"]
    first, second = host.asked
    assert isinstance(first, Enumerate)
    assert isinstance(second, Enumerate)
    assert (first.class_name, first.wql, second.mode) == (VM, None, Mode.EPR)


def test_empty_pages_are_gone_through_but_not_for_ever() -> None:
    host = Host(endless=True)
    with pytest.raises(WireError, match="HV01: Enumerate SELECT"):
        client_of(host).query(NAMESPACE, WQL)
    assert host.count(Release) == 1
    assert not host.open


def test_an_iterator_closed_early_releases_the_query() -> None:
    host = Host()
    rows = client_of(host).query_iter(NAMESPACE, WQL)
    assert next(rows)["Name"] == "VM0"
    rows.close()  # type: ignore[attr-defined]
    assert [type(one) for one in host.asked] == [Enumerate, Release]
    assert not host.open


def test_an_iterator_read_to_its_end_releases_nothing() -> None:
    host = Host()
    assert names(list(client_of(host).query_iter(NAMESPACE, WQL))) == ALL
    assert host.count(Release) == 0


def test_an_iterator_collected_while_sending_is_released_with_the_next_request() -> None:
    host = Host()
    client = client_of(host)
    rows = [client.query_iter(NAMESPACE, WQL)]
    next(rows[0])

    def drop() -> None:
        host.during = None
        rows.clear()
        gc.collect()

    host.during = drop
    client.identify()
    assert [type(one) for one in host.asked] == [Enumerate, Identify]
    client.identify()
    assert [type(one) for one in host.asked][2:] == [Release, Identify]
    assert not host.open


def test_an_error_in_the_middle_releases_the_query() -> None:
    host = Host(fails=[None, fault(Wsman.QUOTA_MAX_OPERATIONS)])
    with pytest.raises(Fault, match="HV01") as caught:
        client_of(host).query(NAMESPACE, WQL)
    assert caught.value.code == Wsman.QUOTA_MAX_OPERATIONS
    assert "quota" in caught.value.hint
    assert host.count(Release) == 1


def test_a_lost_enumeration_is_begun_anew_once() -> None:
    host = Host(fails=[None, Dropped("lost", sent=True)])
    assert names(client_of(host).query(NAMESPACE, WQL)) == ALL
    host = Host(fails=[None, fault(Wsman.INVALID_ENUMERATION_CONTEXT)])
    assert names(client_of(host).query(NAMESPACE, WQL)) == ALL
    host = Host(fails=[None, Dropped("lost", sent=True), None, Dropped("lost", sent=True)])
    with pytest.raises(Dropped):
        client_of(host).query(NAMESPACE, WQL)
    assert host.count(Enumerate) == 2


# -- what is sent again ---------------------------------------------------------------------


def test_reads_are_sent_again_once() -> None:
    host = Host(fails=[Dropped("lost", sent=True)])
    assert client_of(host).identify().product_version.startswith("OS:")
    assert host.count(Identify) == 2
    host = Host(fails=[Dropped("lost", sent=True)] * 2)
    with pytest.raises(Dropped):
        client_of(host).get(REF)
    assert host.count(Get) == 2
    host = Host(fails=[Dropped("lost", sent=True)] * 2)
    with pytest.raises(Dropped):
        client_of(host).query(NAMESPACE, WQL)
    assert host.count(Enumerate) == 2


@pytest.mark.parametrize("failure", [Dropped("lost", sent=True), TimedOut("late")])
def test_changes_that_may_have_run_are_never_sent_again(failure: LinkError) -> None:
    host = Host(fails=[failure])
    with pytest.raises(type(failure), match=f"HV01: {VM}.RequestStateChange"):
        client_of(host).invoke(REF, "RequestStateChange", RequestedState=2)
    assert host.count(Invoke) == 1
    host = Host(fails=[failure])
    with pytest.raises(type(failure)):
        client_of(host).put(REF, {"ElementName": "new"})
    assert host.count(Put) == 1


def test_changes_that_certainly_have_not_run_are_sent_again() -> None:
    host = Host(fails=[Dropped("lost", sent=False)])
    output = client_of(host).invoke(REF, "RequestStateChange", RequestedState=2)
    assert output.return_value == ReturnValue.COMPLETED
    assert host.count(Invoke) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"<s:Envelope", Dropped),
        (b"", Dropped),
        (fault(Wsman.OPERATION_TIMED_OUT), TimedOut),
        (fault(Wsman.ACCESS_DENIED), Fault),
    ],
)
def test_a_change_whose_answer_says_nothing_is_of_unknown_outcome(
    answer: bytes | FaultReply, kind: type[HvError]
) -> None:
    host = Host(fails=[answer])
    with pytest.raises(kind) as caught:
        client_of(host).invoke(REF, "RequestStateChange", RequestedState=2)
    assert host.count(Invoke) == 1
    if kind is not Fault:
        assert "may have been executed" in caught.value.hint
    if isinstance(caught.value, Dropped):
        assert caught.value.sent


def test_unreachable_hosts_are_not_asked_twice() -> None:
    host = Host(fails=[Unreachable("hv01:5985: nothing listens there")])
    with pytest.raises(Unreachable) as caught:
        client_of(host).identify()
    assert caught.value.title == "HV01: Identify: nothing listens there"
    assert len(host.asked) == 1


# -- errors in words ------------------------------------------------------------------------


def test_a_fault_names_host_and_request_and_says_what_to_do() -> None:
    refused = fault(Wsman.CANNOT_PROCESS_FILTER, "Der WS-Verwaltungsdienst …")
    host = Host(fails=[refused])
    with pytest.raises(Fault) as caught:
        client_of(host).query(NAMESPACE, "SELECT * FROM Nonsense")
    assert caught.value.title.startswith("HV01: Enumerate SELECT * FROM Nonsense: ")
    assert "WS-Verwaltungsdienst" in caught.value.cause
    assert "Hyper-V role" in caught.value.hint


def test_an_unknown_code_is_called_unknown() -> None:
    host = Host(fails=[FaultReply(0x8123_4567, "w:InternalError")])
    with pytest.raises(Fault) as caught:
        client_of(host).identify()
    assert "unknown" in caught.value.hint
    assert "0x81234567" in caught.value.hint


def test_a_malformed_answer_is_a_wire_error_of_that_request() -> None:
    for body in (b"<s:Envelope", b"not xml", b"<!DOCTYPE a><a/>"):
        with pytest.raises(WireError, match="HV01: Get Msvm_ComputerSystem"):
            client_of(Host(fails=[body])).get(REF)


def test_an_answer_to_another_request_is_refused() -> None:
    stray = Host().send(request.encode(Get(REF), to="x"))
    with pytest.raises(WireError, match="HV01: Get"):
        client_of(Host(fails=[stray])).get(REF)


def test_descriptions_hold_no_control_characters_and_stay_short() -> None:
    seen: list[str] = []
    client = client_of(Host(), on_exchange=lambda trip: seen.append(trip.operation))
    client.query(NAMESPACE, f"SELECT * FROM {VM} WHERE Name = '\n\u202e{'x' * 500}'")
    assert all(text.isprintable() and len(text) <= 200 for text in seen)
    seen.clear()
    client.query(NAMESPACE, f"SELECT {', '.join(['Property'] * 90)} FROM {VM} WHERE Name = 'a'")
    assert all(text.endswith(f"… FROM {VM} WHERE Name = 'a'") for text in seen), seen
    assert all(len(text) <= 200 for text in seen)


def test_every_explanation_is_complete_and_unknown_numbers_have_none() -> None:
    known = table()
    assert len(known) >= 60
    assert len({one.code for one in known}) == len(known)
    assert all(one.meaning and not one.meaning.endswith(".") for one in known)
    assert all(explain(one.code) == one for one in known)
    for number in ReturnValue:
        assert explain_return(number) is not None, number
    for code in Wsman:
        meaning = explain(code)
        assert meaning is None or not meaning.meaning.startswith("WS-Management error"), code
    found = find("0x8009030E")
    assert found is not None
    assert "credentials" in found.meaning
    assert find("-2146893042") == found
    assert find("0x81234567") is None
    assert find("nonsense") is None
    assert found.text == "0x8009030E"


# -- statistics and limits ------------------------------------------------------------------


def test_exchanges_are_counted_and_told() -> None:
    told: list[Trip] = []
    host = Host(fails=[None, fault(Wsman.ACCESS_DENIED)])
    client = client_of(host, on_exchange=told.append)
    client.invoke(REF, "RequestStateChange", RequestedState=3)
    with pytest.raises(Fault):
        client.get(REF)
    (first, second) = told
    assert first.operation == f"{VM}.RequestStateChange"
    assert first.outcome == "ok"
    assert first.octets > 500
    assert second.operation == f"Get {VM} {GUID}"
    assert second.outcome != "ok"
    assert client.requests == first.messages + second.messages == 2
    assert client.bytes == first.octets + second.octets
    client.close()
    assert host.closed == 1


@pytest.mark.parametrize(("meeting", "met"), [(8, True), (9, False)])
def test_no_more_than_eight_operations_of_a_host_at_once(meeting: int, met: bool) -> None:
    together = threading.Barrier(meeting)
    results: list[bool] = []

    def meet() -> None:
        try:
            together.wait(10 if met else 0.2)
        except threading.BrokenBarrierError:
            results.append(False)
        else:
            results.append(True)

    throttle = Throttle()
    clients = [client_of(Host(during=meet), throttle=throttle) for _ in range(meeting)]
    threads = [threading.Thread(target=client.identify) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == [met] * meeting


# -- through pywinrm and a socket -----------------------------------------------------------


def test_a_method_runs_exactly_once_over_a_host_that_drops_connections() -> None:
    host = Host()
    with serving(endpoint(host, drop_after=2)) as served, linked(served) as link:
        client = CimClient(link, url=served.url, name="HV01")
        for _ in range(7):
            output = client.invoke(REF, "RequestStateChange", RequestedState=2)
            assert output.return_value == ReturnValue.COMPLETED
        assert names(client.query(NAMESPACE, WQL)) == ALL
    assert host.count(Invoke) == 7
    assert served.executed == len(host.asked) == 10


def test_a_lost_answer_of_a_method_is_of_unknown_outcome_and_ran_once() -> None:
    host = Host()
    with serving(endpoint(host)) as served, linked(served) as link:
        client = CimClient(link, url=served.url, name="HV01")
        client.identify()
        served.faults.lose_answers = 1
        with pytest.raises(Dropped) as caught:
            client.invoke(REF, "RequestStateChange", RequestedState=2)
        assert caught.value.sent
        assert "may have been executed" in caught.value.hint
        served.faults.lose_answers = 1
        assert names(client.query(NAMESPACE, WQL)) == ALL
    assert host.count(Invoke) == 1


def test_faults_come_through_the_encryption() -> None:
    def denied(envelope: bytes, user: str) -> tuple[int, bytes]:
        header, _ = request.decode(envelope)
        return 500, reply.encode(fault(Wsman.ACCESS_DENIED, shape=3), header=header)

    with serving(endpoint(denied)) as served, linked(served) as link:
        client = CimClient(link, url=served.url, name="HV01")
        for _ in range(2):
            with pytest.raises(Fault) as caught:
                client.query(NAMESPACE, WQL)
            assert caught.value.code == Wsman.ACCESS_DENIED
            assert "Hyper-V Administrators" in caught.value.hint
    assert served.logins == 1


def test_malformed_xml_and_a_cut_body_over_the_socket() -> None:
    host = Host()
    with serving(endpoint(host)) as served, linked(served) as link:
        client = CimClient(link, url=served.url, name="HV01")
        served.faults.malformed = 1
        with pytest.raises(WireError, match="HV01: Enumerate"):
            client.query(NAMESPACE, WQL)
        served.faults.truncate = 1
        assert names(client.query(NAMESPACE, WQL)) == ALL
        served.faults.malformed = 1
        with pytest.raises(Dropped):
            client.invoke(REF, "RequestStateChange", RequestedState=2)
    assert host.count(Invoke) == 1


def test_a_request_too_large_was_not_executed() -> None:
    with serving(endpoint(Echo())) as served, linked(served) as link:
        served.max_envelope = 8192
        client = CimClient(link, url=served.url, name="HV01")
        with pytest.raises(WireError) as caught:
            client.put(REF, {"ElementName": "x" * 9000})
        assert caught.value.code == 413
        assert served.executed == 0

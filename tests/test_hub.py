"""The hub: what lanes publish, coalesced into the batches the deck asks for."""

from __future__ import annotations

import asyncio
import io
import threading

import msgspec
import pytest

from tui.collector.framing import frame, read_frame
from tui.collector.hub import Hub
from tui.collector.messages import Batch, CallUpdate, Exchange, Phase
from tui.collector.pipe import CollectorProcess, Shard, merge
from tui.errors import WireError
from tui.hyperv.model import Host, HostVitals, Inventory, Vm, VmVitals


def inventory(*names: str, cpu: int = 5, host: str = "hv01") -> Inventory:
    return Inventory(
        Host(host, f"http://{host}"),
        HostVitals(host, read_at=1.0),
        {name: Vm(name, host, name) for name in names},
        {name: VmVitals(name, host, 2, cpu=cpu) for name in names},
    )


def test_the_first_update_is_whole_and_later_ones_carry_only_what_changed() -> None:
    hub = Hub()
    hub.publish(inventory("a", "b"))
    (first,) = hub.batch(0).updates
    assert (first.full, first.seq, {vm.id for vm in first.vms}) == (True, 1, {"a", "b"})

    changed = inventory("a", "b")
    changed.vm_vitals["a"] = VmVitals("a", "hv01", 2, cpu=90)
    hub.publish(changed)
    (second,) = hub.batch(0).updates
    assert (second.full, second.seq) == (False, 2)
    assert [vitals.id for vitals in second.vm_vitals] == ["a"]
    assert second.vms == ()
    assert second.info is None


def test_what_collectors_cost_together_does_not_forget_those_that_said_nothing_new() -> None:
    async def costs() -> list[tuple[float, int, int]]:
        process = CollectorProcess()
        shards = [Shard(()), Shard(())]
        process._shards = shards
        answers: list[asyncio.Future[Batch]] = []
        for shard, cpu in zip(shards, (2.0, 3.0), strict=True):
            answers.append(asyncio.get_running_loop().create_future())
            shard._answer = answers[-1]  # type: ignore[assignment]
            answers[-1].set_result(Batch(cpu=cpu, memory=100, threads=4))
        found = [await process.next_batch()]
        again: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
        again.set_result(Batch(cpu=9.0, memory=150, threads=5))
        shards[0]._answer = again  # type: ignore[assignment]
        shards[1]._answer = asyncio.get_running_loop().create_future()  # type: ignore[assignment]
        found.append(await process.next_batch())
        return [(batch.cpu, batch.memory, batch.threads) for batch in found]

    assert asyncio.run(costs()) == [(5.0, 200, 8), (12.0, 250, 9)]


def test_a_batch_that_came_before_the_end_is_taken() -> None:
    async def last() -> Batch:
        process = CollectorProcess()
        process._shards = [Shard(())]
        answer: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
        process._shards[0]._answer = answer  # type: ignore[assignment]
        taking = asyncio.create_task(process.next_batch())
        await asyncio.sleep(0)
        answer.set_result(Batch(cpu=2.0, memory=100, threads=4))
        await process.stop()
        return await taking

    assert asyncio.run(last()).memory == 100


def test_a_burst_collapses_to_the_last_inventory() -> None:
    hub = Hub()
    for cpu in range(100):
        hub.publish(inventory("a", cpu=cpu))
    (update,) = hub.batch(0).updates
    assert update.seq == 1
    assert [vitals.cpu for vitals in update.vm_vitals] == [99]


def test_what_vanishes_is_named() -> None:
    hub = Hub()
    hub.publish(inventory("a", "b"))
    hub.batch(0)
    hub.publish(inventory("b"))
    (update,) = hub.batch(0).updates
    assert update.gone_vms == ("a",)


def test_an_unchanged_inventory_sends_an_empty_update_with_its_new_age() -> None:
    hub = Hub()
    hub.publish(inventory("a"))
    hub.batch(0)
    hub.publish(inventory("a"))
    (update,) = hub.batch(0).updates
    assert (update.vms, update.vm_vitals, update.vitals) == ((), (), None)


def test_resync_sends_everything_again() -> None:
    hub = Hub()
    hub.publish(inventory("a"))
    hub.batch(0)
    hub.resync("hv01")
    (update,) = hub.batch(0).updates
    assert (update.full, update.seq, len(update.vms)) == (True, 2, 1)


def test_call_updates_are_never_coalesced() -> None:
    hub = Hub()
    for phase in (Phase.REQUESTED, Phase.ACCEPTED, Phase.OBSERVED):
        hub.report(CallUpdate("1", "vm.start", "hv01", "a", "a", phase, 0.0))
    assert [update.phase for update in hub.batch(0).calls] == [
        Phase.REQUESTED,
        Phase.ACCEPTED,
        Phase.OBSERVED,
    ]
    assert hub.batch(0).calls == ()


def test_failed_and_acting_exchanges_are_all_kept_and_reads_are_a_sample() -> None:
    hub = Hub()
    for n in range(500):
        hub.log(Exchange(float(n), "hv01", "watch", "Enumerate", 0.1, 10))
    hub.log(Exchange(1.0, "hv01", "watch", "Enumerate", 0.1, 0, "timed out"))
    hub.log(Exchange(2.0, "hv01", "act", "RequestStateChange", 0.1, 10))
    exchanges = hub.batch(0).exchanges
    assert len(exchanges) < 100
    assert [e.outcome for e in exchanges][:2] == ["timed out", "ok"]
    assert max(e.at for e in exchanges) == 499.0


def test_a_waiting_batch_is_woken_by_a_publish() -> None:
    hub = Hub()
    hub.batch(0)
    got: list[Batch] = []
    waiter = threading.Thread(target=lambda: got.append(hub.batch(30)))
    waiter.start()
    hub.publish(inventory("a"))
    waiter.join(10)
    assert got[0].updates


def test_idle_is_told_once_nothing_runs() -> None:
    hub = Hub()
    lane = object()
    hub.set_busy(lane, busy=True)
    assert not hub.batch(0).idle
    hub.set_busy(lane, busy=False)
    assert hub.idle
    assert hub.batch(0).idle


def test_frames_survive_the_pipe_and_a_cut_one_ends_it() -> None:
    hub = Hub()
    hub.publish(inventory("a"))
    data = frame(hub.batch(0)) * 2
    stream = io.BytesIO(data[:-1])
    body = read_frame(stream)
    assert body is not None
    assert msgspec.msgpack.decode(body, type=Batch).updates[0].vms[0].id == "a"
    assert read_frame(stream) is None


def test_an_absurd_length_is_refused() -> None:
    with pytest.raises(WireError, match="out of step"):
        read_frame(io.BytesIO(b"\xff\xff\xff\xff" + b"x" * 10))


def test_batches_of_several_collectors_become_one() -> None:
    one = Batch(idle=True)
    two = Batch(calls=(CallUpdate("1", "a", "h", "t", "n", Phase.FAILED, 0.0),))
    merged = merge([one, two])
    assert (merged.idle, len(merged.calls)) == (False, 1)

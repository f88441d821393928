"""A recording as a file: what it keeps, what it never holds, and what becomes of half of one."""

from __future__ import annotations

import base64
import errno
import io
import math
import stat
import threading
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from tests.scripted import START, Estate, datacenter
from tui.collector import tape as tapes
from tui.collector.bare import Seal
from tui.collector.framing import frame
from tui.collector.messages import (
    Answer,
    Batch,
    CallUpdate,
    Exchange,
    HostLink,
    Phase,
    Undo,
    Update,
)
from tui.collector.tape import (
    Entry,
    Header,
    Lost,
    NoTape,
    Spot,
    Tape,
    Took,
    Writer,
    open_tape,
)
from tui.errors import UsageError, WireError
from tui.hyperv.model import Trouble
from tui.store import Store, recorder
from tui.store.picture import picture
from tui.store.recorder import Recorder, check_place

SECRET = "s3cr3t'Zw\\ölf"
LINK = HostLink("HV01", "https://admin@hv01.example.org:5986/wsman", "EX\\admin", SECRET)
HEADER = Header((Spot("HV01", "https://hv01/wsman"),), START)


def entry(at: float, cpu: float = 0.0) -> Took:
    return Took(at, Batch(updates=(Update("HV01", 1, at),), cpu=cpu))


def written(path: Path, *, minutes: int = 2) -> list[Entry]:
    """A tape with a picture every minute and a block every ten seconds; what it tells."""
    told: list[Entry] = []
    with path.open("wb") as stream:
        writer = Writer(stream, HEADER)
        for minute in range(minutes):
            writer.picture([entry(START + 60 * minute, cpu=-1.0)])
            for second in range(0, 60, 10):
                at = START + 60 * minute + second
                told += [entry(at, cpu=float(second)), Lost(at + 1, ("HV01",))]
                for one in told[-2:]:
                    writer.add(one)
                writer.flush()
    return told


# -- form ----------------------------------------------------------------------------------


def test_what_is_written_is_read_from_any_picture_on(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    told = written(path)
    tape = open_tape(path)
    assert (tape.header, tape.cut) == (HEADER, "")
    assert (tape.begun, tape.end) == (START, told[-1].at)
    first, second = tape.before(START + 50.5), tape.before(told[-1].at)
    assert list(tape.steps(first)) == told
    assert list(tape.steps(second)) == told[12:]
    assert tape.picture(second) == [entry(START + 60, cpu=-1.0)]
    assert tape.before(START - 100) == first, "before its begin there is nothing else"
    tape.close()


def test_time_never_goes_back_on_a_tape(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    with path.open("wb") as stream:
        writer = Writer(stream, HEADER)
        writer.picture([])
        for at in (START + 5, START - 3600, START + 6):
            writer.add(entry(at))
            writer.flush()
    tape = open_tape(path)
    assert [one.at - START for one in tape.steps(0)] == [5, 5, 6]
    assert not tape.cut
    tape.close()


def opened(path: Path) -> Tape | None:
    """The tape; None when it is too short for one."""
    try:
        return open_tape(path)
    except NoTape as error:
        refusal = error
    assert str(path) in refusal.title
    assert refusal.cause
    assert refusal.hint
    return None


def test_half_a_tape_plays_up_to_where_it_was_cut(tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.tape", tmp_path / "part.tape"
    told = written(whole)
    octets = whole.read_bytes()
    tape = open_tape(whole)
    ends = {block.offset + block.length for block in tape.blocks}
    tape.close()
    lengths = []
    edges = {end + by for end in ends for by in (-1, 0, 1)}
    for size in sorted({*range(0, len(octets), 61), *edges} - {len(octets), len(octets) + 1}):
        part.write_bytes(octets[:size])
        half = opened(part)
        if half is None:
            continue
        played = list(half.steps(0))
        assert played == told[: len(played)]
        assert bool(half.cut) is (size not in ends)
        lengths.append(len(played))
        half.close()
    assert lengths == sorted(lengths)
    assert lengths[0] == 0, "a picture alone is something"
    assert lengths[-1] == len(told) - 2, "only the last block is lost"


def test_a_damaged_end_is_left_out_and_a_damaged_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    told = written(path)
    tape = open_tape(path)
    middle, last = tape.blocks[3], tape.blocks[-1]
    tape.close()
    octets = bytearray(path.read_bytes())
    octets[last.offset + 3] ^= 0xFF
    octets[middle.offset + 3] ^= 0xFF
    path.write_bytes(octets)
    tape = open_tape(path)
    assert tape.cut
    with pytest.raises(WireError, match="is damaged") as raised:
        list(tape.steps(0))
    assert str(path) in raised.value.title
    assert str(middle.offset) in raised.value.cause
    assert list(tape.steps(tape.before(START + 60))) == told[12:-2], "behind it all is well"
    tape.close()


def test_a_small_file_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapes, "SPREAD", 4096)
    path = tmp_path / "bomb.tape"
    with path.open("wb") as stream:
        writer = Writer(stream, HEADER)
        writer.picture([])
        packed = zlib.compress(bytes(1 << 20))
        head = tapes._HEAD.pack(0, START, START, len(packed), zlib.crc32(packed))
        writer._put(head + packed)
    tape = open_tape(path)
    assert tape.cut
    assert len(tape.blocks) == 1
    tape.close()


@pytest.mark.parametrize("at", [math.nan, math.inf, 1e300, -1.0])
def test_a_time_no_calendar_has_is_damage(tmp_path: Path, at: float) -> None:
    path = tmp_path / "a.tape"
    with path.open("wb") as stream:
        writer = Writer(stream, HEADER, lambda told: frame(structs.replace(told, at=at)))
        writer._block(tapes.PICTURE, START, b"")
        writer.add(entry(START))
        writer.flush()
        writer._block(tapes.STEPS, at, b"")
    tape = open_tape(path)
    assert len(tape.blocks) == 2
    assert tape.end == START
    with pytest.raises(WireError, match="is damaged"):
        list(tape.steps(0))
    tape.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no recording of hvdeck"),
        (b"\x1f\x8b\x08 something else, and long enough for a head", "no recording of hvdeck"),
        (tapes.MARK + b"\x02\x00 whatever form 2 is like", "newer hvdeck"),
        (tapes.MARK + b"\x01", "nothing to play"),
        (tapes.MARK + b"\x01\x00\xff\xff\xff\xff", "nothing to play"),
        (tapes.MARK + b"\x01\x00\x02\x00\x00\x00\xc1\xc1", "nothing to play"),
    ],
)
def test_what_cannot_be_played_is_named_with_cause_and_way_out(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "b.tape"
    path.write_bytes(content)
    with pytest.raises(NoTape) as raised:
        open_tape(path)
    assert str(path) in raised.value.title
    assert words in raised.value.title
    assert raised.value.cause
    assert raised.value.hint


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.tape", tmp_path):
        with pytest.raises(NoTape, match="cannot be opened") as raised:
            open_tape(path)
        assert str(path) in raised.value.title


# -- secrets -------------------------------------------------------------------------------


def test_nothing_secret_stands_on_a_tape(tmp_path: Path) -> None:
    estate = datacenter()
    place = estate.hosts["HV01"]
    place.info = structs.replace(place.info, url=LINK.url)
    basic = base64.b64encode(f"{LINK.user}:{SECRET}".encode()).decode()
    trouble = Trouble("Refused", "HV01", f"the library said {SECRET}", f"{SECRET!r}, {basic}")
    arguments = {"password": SECRET, "destination": "HV02", "name": "told only to the host"}
    batch = Batch(
        (estate.full("HV01"),),
        (
            CallUpdate(
                "1", "vm.create", "HV01", "x", "x", Phase.FAILED, START, trouble=trouble,
                undo=Undo("vm.delete", "x", arguments),
            ),
        ),
        answers=(Answer("2", "HV01", "x", arguments, START),),
        exchanges=(Exchange(START, "HV01", "act", f"call {SECRET}", 0.1, 10, SECRET),),
    )  # fmt: skip
    store = Store()
    store.configure([LINK])
    path = tmp_path / "a.tape"
    recording = Recorder(path, store, [LINK], START)
    recording.took(START, batch, store.apply(batch, START))
    recording.took(START + 60, batch, store.apply(batch, START + 60))
    recording.close()
    tape = open_tape(path)
    told = repr([tape.header, tape.picture(0), *tape.steps(0), tape.picture(2)])
    plain = b"".join(filter(None, map(tape._body, tape.blocks))).decode(errors="replace")
    tape.close()
    for found in (told, plain, path.read_bytes().decode(errors="replace")):
        assert "s3cr3t" not in found
        assert basic not in found
        assert "admin" not in found
        assert "told only to the host" not in found
    assert "the library said ***" in told
    assert "https://hv01.example.org:5986/wsman" in told
    assert "'destination': 'HV02'" in told


def test_a_short_password_does_not_make_holes_in_names() -> None:
    sealed = Seal([HostLink("HV01", "https://hv01/wsman", "admin", "HV01")])(entry(START))
    assert b"HV01" in sealed


# -- pictures ------------------------------------------------------------------------------


def lived() -> tuple[Store, Estate]:
    """A store that has seen something."""
    estate, store = datacenter(), Store()
    store.configure(estate.links)
    store.apply(estate.everything(), estate.now)
    store.apply(estate.tick(), estate.now)
    store.apply(Batch(estate.move("web01", "CL1-N2")), estate.now)
    store.apply(Batch((estate.remove("wiki"), estate.lose("HV02"))), estate.now)
    return store, estate


def test_a_picture_makes_an_empty_store_know_the_same() -> None:
    store, estate = lived()
    again = Store()
    for one in picture(store, estate.now):
        assert isinstance(one, Took)
        again.apply(one.batch, one.at)
    assert picture(again, estate.now) == picture(store, estate.now)
    assert again.vms.keys() == store.vms.keys()
    assert again.vms[estate.find("web01")[1].id].host.id == "CL1-N2"


def test_a_picture_tells_everything_an_update_can() -> None:
    """A field that is new in ``Update`` belongs into ``picture``, too."""
    gone = {"gone_vms", "gone_switches", "gone_jobs", "gone_replicas"}
    told = {
        "host", "seq", "read_at", "full", "info", "vitals", "vms", "vm_vitals", "switches", "jobs",
        "replicas", "cluster", "cluster_at", "meters",
    }  # fmt: skip
    assert set(Update.__struct_fields__) == gone | told
    assert set(Batch.__struct_fields__) == {
        "updates", "calls", "sheets", "answers", "exchanges", "loads", "cpu", "memory",
        "threads", "idle",
    }  # fmt: skip


def test_changes_one_after_the_other_are_one() -> None:
    store, estate = Store(), datacenter()
    changes = store.configure(estate.links)
    for batch in (
        estate.everything(),
        Batch((estate.vary("sql01", cpu=99),)),
        Batch((estate.remove("wiki"),)),
    ):
        changes.follow(store.apply(batch, estate.now))
    assert changes.hosts.added == set(estate.hosts)
    assert changes.vms.added == store.vms.keys()
    assert not changes.vms.changed | changes.vms.removed
    lost = store.apply(Batch((estate.lose("HV01"),)), estate.now)
    later = store.apply(Batch((estate.remove("sql01"),)), estate.now)
    lost.follow(later)
    assert estate.hosts["HV01"].info.id in lost.hosts.changed
    assert len(lost.vms.removed) == 1
    assert not lost.vms.removed & lost.vms.changed
    assert [link.host for link in lost.links] == ["HV01"]


# -- files ---------------------------------------------------------------------------------


def recording_of(path: Path, *, force: bool = False) -> Recorder:
    estate, store = datacenter(), Store()
    store.configure(estate.links)
    return Recorder(path, store, estate.links, estate.now, force=force)


def test_only_its_owner_may_read_it_and_no_file_is_lost_by_accident(tmp_path: Path) -> None:
    path, other, link = tmp_path / "a.tape", tmp_path / "other", tmp_path / "link"
    recording_of(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="exists already") as raised:
        recording_of(path)
    assert "--force" in raised.value.hint
    path.chmod(0o644)
    recording_of(path, force=True).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other.write_text("precious")
    link.symlink_to(other)
    recording_of(link, force=True).close()
    assert other.read_text() == "precious"
    assert not link.is_symlink()


def test_a_place_that_cannot_be_is_refused_beforehand(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        check_place(tmp_path, force=True)
    with pytest.raises(UsageError, match="cannot be made") as raised:
        check_place(tmp_path / "none" / "a.tape", force=False)
    assert "does not exist" in raised.value.cause
    for name in ("x" * 300, "dangling"):
        (tmp_path / "dangling").unlink(missing_ok=True)
        (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
        path = tmp_path / name
        with pytest.raises(UsageError, match="cannot be made"):
            check_place(path / "a.tape", force=False)


class Small(io.FileIO):
    """A disk that is full after so many bytes."""

    room = 6_000

    def write(self, octets: object) -> int:
        data = bytes(octets)  # type: ignore[call-overload]
        left = self.room - self.tell()
        super().write(data[:left])
        if len(data) > left:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(data)


def until(happened: Callable[[], object], recording: Recorder, estate: Estate) -> None:
    """Go on recording, for as long as it takes."""
    store = recording._store
    deadline, pause = time.monotonic() + 60, threading.Event()
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        batch = estate.tick()
        recording.took(estate.now, batch, store.apply(batch, estate.now))
        while not (recording._jobs.empty() or happened()):
            pause.wait(0.001)


def test_a_full_disk_ends_it_and_what_was_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tape"
    monkeypatch.setattr(recorder, "_opened", lambda path: Small(path, "wb"))
    monkeypatch.setattr(recorder, "FLUSH", 0.0)
    recording = recording_of(path)
    until(lambda: recording.trouble, recording, datacenter())
    assert recording.trouble is not None
    assert str(path) in recording.trouble.title
    assert recording.trouble.cause == "No space left on device"
    assert recording.trouble.hint
    done = recording.close()
    assert done.octets == path.stat().st_size <= Small.room
    tape = open_tape(path)
    assert not tape.cut, "the half block was taken back"
    assert len(list(tape.steps(0))) > 2
    tape.close()


def test_a_file_that_vanishes_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "FLUSH", 0.0)
    for number in range(2):
        path = tmp_path / f"{number}.tape"
        recording = recording_of(path)
        path.rename(tmp_path / "moved")
        if number:
            path.write_text("somebody else's")
        until(partial(getattr, recording, "trouble"), recording, datacenter())
        assert recording.trouble is not None
        assert str(path) in recording.trouble.title
        assert recording.trouble.hint
        recording.close()


def test_a_disk_that_does_not_keep_up_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "BEHIND", -1)
    recording = recording_of(tmp_path / "a.tape")
    recording.lost(START, ["HV01"])
    assert recording.trouble is not None
    assert "keep up" in recording.trouble.cause
    recording.close()

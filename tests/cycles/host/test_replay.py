"""The replay of traces in C against plain Python, over random traces and memory systems; and damaged traces."""

import random
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.cycles import replay
from harness.cycles.memory import CacheGeometry, Memory, MemorySystem, Span
from harness.errors import OptionError, ProfileError
from tests.support.scale import scaled
from tests.support.traces import BLOCK, ENTER, LEAVE, LOAD, STORE, Event, expect, write_trace

SPANS = [Span(0x100, 0x300, "code"), Span(0x400, 0x200, "weights"), Span(0x2000_0000, 0x400, "arena")]


def random_events(rng: random.Random) -> list[Event]:
    """Layers of loops over random blocks with loads and stores of random strides."""
    events = []
    blocks = []
    for _ in range(rng.randint(2, 6)):
        widths = tuple(rng.choice((2, 4)) for _ in range(rng.randint(1, 12)))
        start = rng.choice((0x100, 0x200, 0x3F0, 0x2000_0300)) + 2 * rng.randint(0, 40)
        offsets = [sum(widths[:i]) for i in range(len(widths))]
        sites = [
            (rng.choice((LOAD, STORE)), start + offset, rng.choice((1, 2, 4, 16)), rng.choice((0, 1, 4, -4, 64)))
            for offset in sorted(rng.sample(offsets, rng.randint(0, min(3, len(offsets)))))
        ]
        blocks.append((start, widths, sites))
    for layer in range(rng.randint(1, 3)):
        events.append(Event(ENTER, 0x100 + layer))
        for _ in range(rng.randint(1, 12)):
            body = [rng.choice(blocks) for _ in range(rng.randint(1, 3))]
            base = rng.choice((0x400, 0x500, 0x2000_0000, 0x2000_03F8, 0x4000_0000)) + rng.randint(0, 64)
            for round_ in range(rng.choice((1, 3, 15))):
                for start, widths, sites in body:
                    events.append(Event(BLOCK, start, widths))
                    for kind, pc, size, stride in sites:
                        if rng.random() < 0.95:  # else its condition does not hold
                            events.append(Event(kind, pc, (), base + stride * round_ & 0xFFFF_FFFF, size))
        events.append(Event(LEAVE, 0x80))
    return events


def random_system(rng: random.Random) -> MemorySystem:
    def cache(name: str) -> CacheGeometry:
        line = rng.choice((8, 16, 32))
        policy = rng.choice(("lru", "round-robin"))
        sector = rng.choice((None, line, line // 2, line // 4))
        return CacheGeometry(name, rng.choice((1, 2, 8)), rng.choice((1, 2, 4)), line, policy, sector)

    shared = cache("shared")
    flash = Memory("flash", "flash", cache("i"), rng.choice((None, shared, cache("d"))))
    ram = Memory("ram", "sram", rng.choice((None, cache("ri"))), rng.choice((None, shared)), rng.random() < 0.5)
    placement = {"code": "flash", "weights": rng.choice(("flash", "ram")), "arena": "ram"}
    return MemorySystem("random", {"flash": flash, "ram": ram}, placement, rng.choice(("ram", "")))


@pytest.mark.parametrize("seed", range(scaled(20, 1000)))
def test_counts_and_misses_are_those_of_plain_python(seed, tmp_path):
    rng = random.Random(seed)
    events, system = random_events(rng), random_system(rng)
    trace = tmp_path / "trace"
    trace.write_bytes(write_trace(events))
    wanted = expect(events, SPANS, system)
    counted = replay.count(trace, SPANS)
    assert len(counted) == len(wanted)
    for ours, theirs in zip(counted, wanted, strict=True):
        assert ours.counts == theirs.counts
        assert ours.transfers == theirs.transfers
        pairs = {key[:2]: [0, 0] for key in theirs.accesses}
        for (pc, part, is_store), times in theirs.accesses.items():
            pairs[pc, part][is_store] += times
        assert ours.accesses == {key: tuple(pair) for key, pair in pairs.items()}
    profile = SimpleNamespace(trace=trace, spans=SPANS, layers=counted)
    for ours, theirs in zip(replay.simulate(profile, system), wanted, strict=True):
        assert [ours.fetch, ours.sequential, ours.loads, ours.stores, ours.next_loads] == [
            +counter for counter in theirs.misses
        ]


def test_a_loop_takes_few_bytes_however_often_it_runs(tmp_path):
    loop = Event(BLOCK, 0x100, (2, 2, 2))
    sizes = []
    for rounds in (10, 20_000):
        events = [Event(ENTER, 0x100)]
        for i in range(rounds):
            events += [loop, Event(LOAD, 0x100, (), 0x400 + i, 1)]
        sizes.append(len(write_trace([*events, Event(LEAVE, 0x80)])))
    assert sizes[1] <= sizes[0] + 3


def test_damaged_traces_are_refused(tmp_path):
    rng = random.Random(1)
    whole = write_trace(random_events(rng))
    trace = tmp_path / "trace"
    profile = SimpleNamespace(trace=trace, spans=SPANS, layers=())
    broken = [b"", whole[:-1], b"x" + whole[1:], whole[:100] + whole[101:]]
    for _ in range(50):
        at = rng.randrange(len(whole))
        broken.append(whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :])
    for content in broken:
        trace.write_bytes(content)
        for read in (lambda: replay.count(trace, SPANS), lambda: replay.simulate(profile, random_system(rng))):
            with pytest.raises(ProfileError, match="is not whole"):
                read()
    with pytest.raises(ProfileError, match="cannot be read"):
        replay.count(Path(tmp_path / "none"), SPANS)


def test_parts_are_placed_by_name():
    system = random_system(random.Random(0))
    moved = system.placed({"arena": "flash", "stack": "ram"})
    assert moved.memory_of("arena").name == "flash" and moved.memory_of("stack").name == "ram"
    assert moved.memory_of("code") == system.memory_of("code")
    with pytest.raises(OptionError, match="no part"):
        system.placed({"text": "ram"})
    with pytest.raises(OptionError, match="has no memory dtcm"):
        system.placed({"arena": "dtcm"})

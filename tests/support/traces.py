"""Traces made from events in plain Python, and what follows from the events: the specification of the replay in C."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field

from harness.cycles.memory import CacheGeometry, MemorySystem, Span

BLOCK, LOAD, STORE, ENTER, LEAVE, STOP = range(6)


@dataclass(frozen=True)
class Event:
    """`start`: of a block, of the instruction that accesses, of a layer, or where it returns to."""

    kind: int
    start: int
    widths: tuple[int, ...] = ()
    address: int = 0
    size: int = 0


@dataclass
class _Node:
    number: int
    follower: int | None = None
    address: int = 0
    stride: int = 0
    trend: int = 0
    span: int = 0


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def write_trace(events: list[Event]) -> bytes:
    """The trace of these events, as harness/cycles/native/trace.h says."""
    out = bytearray(b"TINYTRC1")
    nodes: dict[tuple[int, int, tuple[int, ...]], _Node] = {}
    last = _Node(-1)
    run = 0
    for event in [*events, Event(STOP, 0)]:
        key = (event.kind, event.start, event.widths)
        node = nodes.get(key)
        if node is not None and last.follower == node.number:
            run += 1
        else:
            is_new = node is None
            if node is None:
                node = nodes[key] = _Node(len(nodes))
            out += _varint(run) + _varint(node.number)
            run = 0
            if is_new:
                out += bytes([event.kind]) + _varint(event.start)
                if event.kind == BLOCK:
                    out += _varint(sum(event.widths)) + _varint(len(event.widths))
                    bits = sum(1 << i for i, width in enumerate(event.widths) if width == 4)
                    out += bits.to_bytes((len(event.widths) + 7) // 8, "little")
            last.follower = node.number
        last = node
        if event.kind in (LOAD, STORE):
            node.span = max(node.span, event.size)
            guess = node.address + node.stride & 0xFFFF_FFFF
            if event.address == guess:
                run += 1
            else:
                difference = (event.address - guess + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
                out += _varint(run) + _varint(difference * 2 if difference >= 0 else -2 * difference - 1)
                run = 0
                step = event.address - node.address & 0xFFFF_FFFF
                if step == node.trend:
                    node.stride = step
                node.trend = step
            node.address = event.address
    for node in (node for (kind, *_), node in nodes.items() if kind in (LOAD, STORE)):
        out += _varint(node.span)
    return bytes(out + zlib.crc32(out).to_bytes(4, "little") + b"TINYEND1")


@dataclass
class Expected:
    """What one layer executed and missed."""

    counts: Counter = field(default_factory=Counter)
    transfers: Counter = field(default_factory=Counter)
    accesses: Counter = field(default_factory=Counter)
    misses: tuple[Counter, ...] = field(default_factory=lambda: tuple(Counter() for _ in range(5)))


def expect(events: list[Event], spans: list[Span], system: MemorySystem) -> list[Expected]:
    """Counts, and misses (fetch, sequential, loads, stores, next loads) in a memory system."""

    def part(address: int) -> str:
        return next((s.part for s in spans if s.origin <= address < s.origin + s.size), "other")

    caches: dict[CacheGeometry, dict[int, dict[int, set[int]]]] = {}

    def touch(cache: CacheGeometry, sector: int, fill: bool) -> bool:
        line = sector * cache.fill // cache.line
        # line -> its sectors, the next to go first
        ways = caches.setdefault(cache, {}).setdefault(line % cache.sets, {})
        if sector in ways.get(line, ()):
            if cache.replace == "lru":
                ways[line] = ways.pop(line)
            return True
        if fill:
            sectors = ways.get(line, set())
            if cache.replace == "lru":
                ways.pop(line, None)
            ways[line] = sectors | {sector}
            if len(ways) > cache.ways:
                del ways[next(iter(ways))]
        return False

    layers: list[Expected] = []
    spans_of: dict[tuple[int, int], int] = {}
    for event in events:
        if event.kind in (LOAD, STORE):
            key = (event.kind, event.start)
            spans_of[key] = max(spans_of.get(key, 1), event.size)
    fetched = -1
    loaded: dict[str, int] = {}  # memory -> what a load missed before
    waiting: list[tuple[int, int]] = []
    block: tuple[int, int, int] | None = None  # start, end, last instruction

    def fetch(until: int) -> None:
        nonlocal fetched
        while waiting and waiting[0][0] <= until:
            address, width = waiting.pop(0)
            memory = system.memory_of(part(block[0]))
            if memory.fetch is None:
                continue
            for line in range(address // memory.fetch.fill, (address + width - 1) // memory.fetch.fill + 1):
                if not touch(memory.fetch, line, True):
                    layers[-1].misses[0][address, memory.name] += 1
                    if line == fetched + 1:
                        layers[-1].misses[1][address, memory.name] += 1
                fetched = line

    for event in events:
        if event.kind == ENTER:
            layers.append(Expected())
            block = None
        elif event.kind in (BLOCK, LEAVE):
            fetch(1 << 32)
            if block is not None and (event.kind == LEAVE or block[1] != event.start):
                layers[-1].transfers[block[2], event.start] += 1
            at = event.start
            for width in event.widths:
                layers[-1].counts[at] += 1
                waiting.append((at, width))
                at += width
            block = (event.start, at, at - event.widths[-1]) if event.kind == BLOCK else None
        else:
            fetch(event.start)
            is_store = event.kind == STORE
            layers[-1].accesses[event.start, part(event.address), is_store] += 1
            memory = system.memory_of(part(event.address))
            if memory.data is not None:
                last = (event.address + spans_of[event.kind, event.start] - 1) // memory.data.fill
                for line in range(event.address // memory.data.fill, last + 1):
                    fill = not is_store or memory.write_allocate
                    if not touch(memory.data, line, fill) and fill:
                        layers[-1].misses[2 + is_store][event.start, memory.name] += 1
                        if not is_store:
                            layers[-1].misses[4][event.start, memory.name] += loaded.get(memory.name, -1) == line - 1
                            loaded[memory.name] = line
    return layers

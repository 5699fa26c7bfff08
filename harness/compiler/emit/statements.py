"""The calls of a layer as lines of C: one after the other, in loops and in branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from harness.kernels.base import Argument, Branch, Loop, Lowered, Repeat

Line: TypeAlias = dict[str, Any]
"""`depth` of the block, and a `call` or the `text` of a line."""

_Block: TypeAlias = Repeat | Branch | Loop


def statements(
    lowered: Lowered, calls: Sequence[Mapping[str, Any]], condition: Callable[[Argument], str]
) -> Iterator[Line]:
    """The lines of a layer's function.

    Args:
        lowered: the layer.
        calls: what the template needs to write each call.
        condition: C of whether the byte at a place is not 0.
    """
    blocks = sorted((*lowered.repeats, *lowered.control), key=lambda block: (block.first, -_length(block)))
    return _Writer(blocks, calls, condition).between(0, len(calls), 0)


def _length(block: _Block) -> int:
    """Calls from the first to the last."""
    if isinstance(block, Branch):
        return block.calls + block.others
    return block.test + block.calls if isinstance(block, Loop) else block.calls


class _Writer:
    """Writes blocks in order; one that lies within another is written while that is."""

    def __init__(
        self, blocks: list[_Block], calls: Sequence[Mapping[str, Any]], condition: Callable[[Argument], str]
    ) -> None:
        self._blocks = blocks
        self._calls = calls
        self._condition = condition

    def between(self, at: int, end: int, depth: int) -> Iterator[Line]:
        """The calls from number `at` up to `end`."""
        while self._blocks and self._blocks[0].first < end and self._blocks[0].first + _length(self._blocks[0]) <= end:
            block = self._blocks.pop(0)
            yield from self._plain(at, block.first, depth)
            yield from self._block(block, depth)
            at = block.first + _length(block)
        yield from self._plain(at, end, depth)

    def _plain(self, at: int, end: int, depth: int) -> Iterator[Line]:
        return ({"depth": depth, "call": call} for call in self._calls[at:end])

    def _block(self, block: _Block, depth: int) -> Iterator[Line]:
        first, end = block.first, block.first + _length(block)
        if isinstance(block, Repeat):
            yield _line(depth, f"for (int32_t i = 0; i < {block.times}; ++i) {{")
            yield from self.between(first, end, depth + 1)
        elif isinstance(block, Branch):
            yield _line(depth, f"if ({self._condition(block.condition)}) {{")
            yield from self.between(first, first + block.calls, depth + 1)
            if block.others:
                yield _line(depth, "} else {")
                yield from self.between(first + block.calls, end, depth + 1)
        else:
            yield _line(depth, "for (;;) {")
            yield from self.between(first, first + block.test, depth + 1)
            yield _line(depth + 1, f"if (!({self._condition(block.condition)})) {{")
            yield _line(depth + 2, "break;")
            yield _line(depth + 1, "}")
            yield from self.between(first + block.test, end, depth + 1)
        yield _line(depth, "}")


def _line(depth: int, text: str) -> Line:
    return {"depth": depth, "text": text}

"""Loop nests over tensors: merging neighbouring dimensions until few literals are left for a kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from harness.errors import CompileError
from harness.ir.graph import Tensor
from harness.kernels.constants import constant
from harness.kernels.context import Context

DEPTH = constant("nest.h", "HIL_NEST_DEPTH")
"""Loops of a hil_nest (firmware/kernels/nest.h), the kernel's innermost one among them."""


@dataclass(frozen=True)
class NestLoop:
    """One loop: iterations, and how far each operand moves per iteration (elements or bytes)."""

    count: int
    steps: tuple[int, ...]


def operation_loop(context: Context, what: str = "element") -> str:
    """Name of a loop of a kernel whose operation and type are literals: it costs something else with each of them."""
    return f"{what}_{context.node.op.lower()}_{context.input().dtype.value}"


def row_major(shape: Sequence[int]) -> list[int]:
    """Step per dimension of a dense row-major tensor, in elements."""
    steps, step = [0] * len(shape), 1
    for i in reversed(range(len(shape))):
        steps[i] = step
        step *= shape[i]
    return steps


def merge(loops: Sequence[NestLoop], operands: int) -> list[NestLoop]:
    """The same nest with loops of one iteration dropped and neighbours that walk evenly joined; at least one loop."""
    merged: list[NestLoop] = []
    for loop in loops:
        if loop.count == 1:
            continue
        if merged and all(
            outer == inner * loop.count for outer, inner in zip(merged[-1].steps, loop.steps, strict=True)
        ):
            merged[-1] = NestLoop(merged[-1].count * loop.count, loop.steps)
        else:
            merged.append(loop)
    return merged or [NestLoop(1, (0,) * operands)]


def padded(loops: Sequence[NestLoop], depth: int, operands: int, what: str) -> list[NestLoop]:
    """`loops` with loops of one iteration in front, to a nest of `depth`.

    Raises:
        CompileError: more loops than that.
    """
    if len(loops) > depth:
        raise CompileError(
            f"{what} needs {len(loops)} nested loops; the kernels have {depth}",
            hint="bring the broadcast or sliced dimensions next to each other, or use fewer dimensions",
        )
    return [NestLoop(1, (0,) * operands)] * (depth - len(loops)) + list(loops)


def broadcast_steps(shape: Sequence[int], to: Sequence[int]) -> list[int]:
    """Step per dimension of `to` over a dense tensor of `shape`, in elements; 0 where it is broadcast."""
    full = [1] * (len(to) - len(shape)) + list(shape)
    return [0 if n == 1 else step for n, step in zip(full, row_major(full), strict=True)]


def broadcast_loops_of(a: Tensor, b: Tensor, y: Tensor) -> list[NestLoop]:
    """As few loops over `y` as there can be, with the steps of its operands `a` and `b` in elements."""
    steps = zip(y.shape, broadcast_steps(a.shape, y.shape), broadcast_steps(b.shape, y.shape), strict=True)
    return merge([NestLoop(n, (i, j)) for n, i, j in steps], 2)


def broadcast_nest(a: Tensor, b: Tensor, y: Tensor, what: str) -> list[NestLoop]:
    """The nest of DEPTH loops over `y`, with the steps of its operands `a` and `b` in elements.

    Raises:
        CompileError: more loops than the kernels have.
    """
    return padded(broadcast_loops_of(a, b, y), DEPTH, 2, what)


def nest_fields(nest: Sequence[NestLoop]) -> dict[str, int]:
    """The hil_nest of a C shape: iterations of each of DEPTH loops, and the steps of two operands."""
    fields = {f"nest.n{i}": loop.count for i, loop in enumerate(nest)}
    fields |= {f"nest.a{i}": loop.steps[0] for i, loop in enumerate(nest)}
    return fields | {f"nest.b{i}": loop.steps[1] for i, loop in enumerate(nest)}


def nest_iterations(shape: Mapping[str, int]) -> int:
    """Iterations of the innermost loop of a C shape's hil_nest, in all."""
    return prod(shape[f"nest.n{i}"] for i in range(DEPTH))

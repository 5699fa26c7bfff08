"""ADD as one line through both operands, where add_line.py proves one, on cores without MVE."""

from __future__ import annotations

from itertools import product

from harness.ir.graph import Tensor
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.operator import EITHER_ROUNDING
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.add_line import AddLine, LineForm, find_line, scales_of, zeros_of
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.elementwise import binary_loops, broadcast_loops, fits_nest
from harness.kernels.scaling_dsp import DSP, clamp_loops, clamped
from harness.kernels.work import Work
from harness.quantization.params import add_params
from harness.quantization.types import Clamp, Rounding

FRACTION_BITS = constant("add_line.h", "HIL_ADD_FRACTION_BITS")
_NEAR = range(-2, 3)
FORM = LineForm(FRACTION_BITS, tuple(product(_NEAR, _NEAR)), away=(False, True), largest=1 << 30, products_fit=True)


def line_of(a: Tensor, b: Tensor, y: Tensor, clamp: Clamp, rounding: Rounding = Rounding.TFLM) -> AddLine | None:
    """A line that equals the ADD for every pair of operands, or None where none was found."""
    scales = scales_of(a, b, y)
    if max(scales[:2]) / scales[2] * 256 > 1 << (31 - FRACTION_BITS):
        return None  # sums would not fit int32
    return find_line(add_params(a, b, y), scales, zeros_of(a, b, y), clamp, rounding, FORM)


def _line_of(context: Context) -> AddLine | None:
    attrs = context.node.attrs
    assert isinstance(attrs, BinaryAttrs)
    return line_of(context.input(0), context.input(1), context.output(), attrs.clamp, context.node.rounding)


def _fields(line: AddLine) -> dict[str, int]:
    fields = {"away": int(line.away), "a_multiplier": line.a_multiplier, "b_multiplier": line.b_multiplier}
    return fields | {"offset": line.offset, "rounding": line.rounding}


class AddS8Linear(Kernel):
    """int8 ADD on any core, with broadcasting."""

    ops = frozenset({"ADD"})
    roundings = EITHER_ROUNDING

    def applies(self, context: Context) -> bool:
        return fits_nest(context) and _line_of(context) is not None

    def lower(self, context: Context) -> Lowered:
        attrs, line = context.node.attrs, _line_of(context)
        assert isinstance(attrs, BinaryAttrs) and line is not None
        shape = broadcast_loops(context) | _fields(line) | {"clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
        return Lowered("add_s8_linear", (Call("add_s8_linear", (In(0), In(1), Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1))

    def work(self, context: Context) -> Work:
        line = _line_of(context)
        assert line is not None
        loops = binary_loops(context)
        return Work(loops | {"away": context.output().elements * line.away})


class AddS8Dsp(AddS8Linear):
    """int8 ADD of operands of one shape, in assembly."""

    features = DSP

    def applies(self, context: Context) -> bool:
        sizes = {context.input(0).elements, context.input(1).elements, context.output().elements}
        return len(sizes) == 1 and super().applies(context)

    def lower(self, context: Context) -> Lowered:
        attrs, line = context.node.attrs, _line_of(context)
        assert isinstance(attrs, BinaryAttrs) and line is not None
        call = Call("add_s8_dsp", (In(0), In(1), Out()), {"count": context.output().elements} | _fields(line))
        return Lowered("add_s8_dsp", clamped(context, (call,), attrs.clamp))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1), group=4)

    def work(self, context: Context) -> Work:
        attrs, elements = context.node.attrs, context.output().elements
        line = _line_of(context)
        assert isinstance(attrs, BinaryAttrs) and line is not None
        loops = {"four": elements // 4, "rest": elements % 4, "away": elements * line.away}
        return Work(loops | clamp_loops(context, attrs.clamp))


KERNELS: tuple[Kernel, ...] = (AddS8Linear(), AddS8Dsp())

"""MUL, int8, with broadcasting, by the requantization of requant.py."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.binary import BinaryAttrs
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.elementwise import binary_loops, broadcast_loops, fits_nest
from harness.kernels.requant import Requant, requant
from harness.kernels.work import Work
from harness.quantization.params import mul_params


def _constants(context: Context) -> Requant | None:
    attrs, a, b, y = context.node.attrs, context.input(0), context.input(1), context.output()
    assert isinstance(attrs, BinaryAttrs)
    factor = mul_params(a, b, y)
    ends = [np.array([-128, 127]) - tensor.q.zero_point for tensor in (a, b)]
    products = np.outer(*ends)
    low, high = np.array([products.min()]), np.array([products.max()])
    return requant(factor.m, factor.shift, y.q.zero_point, attrs.clamp, low, high)


class MulS8Rounded(Kernel):
    """int8 MUL on any core, where every product has an exact form."""

    ops = frozenset({"MUL"})

    def applies(self, context: Context) -> bool:
        return fits_nest(context) and _constants(context) is not None

    def lower(self, context: Context) -> Lowered:
        attrs, constants = context.node.attrs, _constants(context)
        assert isinstance(attrs, BinaryAttrs) and constants is not None
        shape = broadcast_loops(context)
        shape |= {"a_zero": context.input(0).q.zero_point, "b_zero": context.input(1).q.zero_point}
        shape |= {"multiplier": int(constants.multiplier[0]), "addend": int(constants.addend[0])}
        shape |= {"shift": int(constants.shift[0]), "clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
        return Lowered("mul_s8_rounded", (Call("mul_s8_rounded", (In(0), In(1), Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1))

    def work(self, context: Context) -> Work:
        return Work(binary_loops(context))


KERNELS: tuple[Kernel, ...] = (MulS8Rounded(),)

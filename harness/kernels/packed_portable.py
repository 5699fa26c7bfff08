"""Layers of weights that take fewer bits than their type, in plain C.

Fully connected layers and 1x1 convolutions look every weight up as they use it. Other convolutions have all weights
unpacked to scratch first, once for all pixels; the kernel for unpacked weights does the rest. Weights of four bits are
weights of 16 values.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from harness.ir.graph import Graph, Node
from harness.ir.operators.float_layers import FLOAT_WEIGHTS
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.operator import TFLM_ALONE
from harness.kernels.access_order import AccessOrder, quads, rows
from harness.kernels.base import At, Call, ConstantTable, Float, In, Kernel, Lowered, Out, Scratch, packed
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.convolution import ConvS8Pairs, ConvS8Portable, DepthwiseConvS8Portable, is_direct
from harness.kernels.float_layers import DSP_FLOATS, bias_of, data_of
from harness.kernels.float_layers import quads as float_quads
from harness.kernels.lut16 import Lut16, bytes_of, lut16
from harness.kernels.mve_kernel import MVE
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.kernels.scale import records, scale_loops
from harness.kernels.work import Reuse, Work
from harness.quantization.shared_values import BYTES, NIBBLES, SharedValues, shared_values

Bytes = npt.NDArray[np.uint8]

TAPS_AT_ONCE = constant("fully_connected_f32_lut256.h", "HIL_LUT256_TAPS")


@lru_cache(maxsize=512)
def _lut16(layer: QuantizedLayer, per_channel: bool) -> Lut16 | None:
    return lut16(layer.weights, per_channel=per_channel)


def _in_twos(indices: Bytes) -> Bytes:
    """Indices one after the other, two a byte."""
    flat = np.pad(indices.reshape(-1), (0, indices.size % 2))
    return bytes_of(flat[0::2], flat[1::2])


class FullyConnectedS8Lut16Portable(Kernel):
    """Fully connected layers and 1x1 convolutions of weights of 16 values in all or of each output."""

    superseded_by = MVE
    ops = frozenset({"FULLY_CONNECTED"}) | ConvS8Portable.ops
    function = "fully_connected_s8_lut16_portable"

    def applies(self, context: Context) -> bool:
        dense = isinstance(context.node.attrs, FullyConnectedAttrs)
        if not dense:
            window = context.window
            together = all(a.stride == 1 and a.out == a.size for a in (window.rows, window.columns))
            if not (is_direct(context) and together):
                return False
        return _lut16(quantized_layer(context), True) is not None

    def _sizes(self, context: Context) -> tuple[int, int, int]:
        """(rows, outputs, inputs of a row)."""
        out_n, in_n = quantized_layer(context).weights.shape
        return context.input().elements // in_n, out_n, in_n

    def _tables(self, context: Context) -> tuple[ConstantTable, ConstantTable]:
        found = _lut16(quantized_layer(context), True)
        assert found is not None
        indices = found.indices
        whole = len(indices) - len(indices) % 4
        beside = indices[:whole].reshape(whole // 4, 4, indices.shape[1]).transpose(0, 2, 1)
        parts = [_in_twos(beside), *(_in_twos(row) for row in indices[whole:])]
        weights = ConstantTable("weights", "uint8_t", np.concatenate(parts))
        return weights, ConstantTable("values", "int8_t", found.tables.reshape(-1))

    def lower(self, context: Context) -> Lowered:
        batches, out_n, in_n = self._sizes(context)
        scale, words = records(context)
        weights, values = self._tables(context)
        shape = scale | {"batches": batches, "in_n": in_n, "out_n": out_n}
        shape |= {"per_channel": int(values.data.size > NIBBLES)}
        arguments = (In(), weights, values, ConstantTable("records", "int32_t", words), Out())
        return Lowered(self.function, (Call(self.function, arguments, shape),))

    def access_order(self, context: Context) -> AccessOrder:
        _, out_n, in_n = self._sizes(context)
        return rows(context, in_n, out_n, quads(out_n))

    def work(self, context: Context) -> Work:
        batches, out_n, in_n = self._sizes(context)
        weights, values = self._tables(context)
        own = values.data.size > NIBBLES
        taps = batches * (out_n // 4) * in_n
        loops = {"row": batches, "quad": batches * (out_n // 4), "quad_tap": 0 if own else taps}
        loops |= {"own_quad_tap": taps if own else 0}
        loops |= {"channel": batches * (out_n % 4), "channel_tap": batches * (out_n % 4) * in_n}
        size = weights.data.nbytes + values.data.nbytes + records(context)[1].nbytes
        return Work(loops | scale_loops(context), (Reuse("weights", size, batches),))


def _in_one_table(context: Context) -> Lut16:
    found = _lut16(quantized_layer(context), False)
    assert found is not None
    return found


def _unpacked_first(lowered: Lowered, context: Context, reported: str) -> Lowered:
    """A kernel's calls with its weights in scratch, after one that unpacks them there."""
    found = _in_one_table(context)
    (call,) = lowered.calls
    weights = next(a for a in call.arguments if isinstance(a, ConstantTable) and a.name == "weights")
    indices = _places(found)[weights.data.view(np.uint8)]
    size = _even(indices.size)
    tables = (
        ConstantTable("weights", "uint8_t", _in_twos(indices)),
        ConstantTable("values", "int8_t", found.tables.reshape(-1)),
    )
    unpack = Call("unpack_lut16_portable", (*tables, At(None, 0)), {"pairs": size // 2})
    moved = (At(None, 0) if argument is weights else argument for argument in call.arguments)
    arguments = tuple(At(None, size, a.ctype) if isinstance(a, Scratch) else a for a in moved)
    return Lowered(reported, (unpack, replace(call, arguments=arguments)), size + lowered.scratch)


def _with_unpacking(work: Work, context: Context) -> Work:
    """A kernel's work, and that of unpacking its weights first."""
    size = _even(context.input(1).elements)
    table = records(context)[1].nbytes + size // 2 + NIBBLES
    loops = {**work.loops, "unpacked": size // 2}
    return Work(loops, (*_of_activations(work), Reuse("weights", table, 1)), size + work.scratch)


def _of_activations(work: Work) -> tuple[Reuse, ...]:
    return tuple(one for one in work.reuse if one.what != "weights")


def _places(found: Lut16) -> Bytes:
    """Index of each value, by its bits."""
    places = np.zeros(BYTES, np.uint8)
    values = found.tables[0].view(np.uint8)
    places[values[::-1]] = np.arange(len(values), dtype=np.uint8)[::-1]
    return places


def _even(size: int) -> int:
    return size + size % 2


class ConvS8Lut16Portable(ConvS8Portable):
    """Any int8 convolution of weights of 16 values, unpacked to RAM."""

    roundings = TFLM_ALONE
    superseded_by = MVE

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _lut16(quantized_layer(context), False) is not None

    def lower(self, context: Context) -> Lowered:
        return _unpacked_first(super().lower(context), context, "conv_s8_lut16_portable")

    def work(self, context: Context) -> Work:
        return _with_unpacking(super().work(context), context)


class ConvS8Lut16Pairs(ConvS8Pairs):
    """The same, two pixels at a time."""

    roundings = TFLM_ALONE
    superseded_by = MVE

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _lut16(quantized_layer(context), False) is not None

    def lower(self, context: Context) -> Lowered:
        return _unpacked_first(super().lower(context), context, "conv_s8_lut16_pairs")

    def work(self, context: Context) -> Work:
        return _with_unpacking(super().work(context), context)


class DepthwiseConvS8Lut16Portable(DepthwiseConvS8Portable):
    """Any int8 depthwise convolution of weights of 16 values, unpacked to RAM."""

    roundings = TFLM_ALONE
    superseded_by = MVE

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _lut16(quantized_layer(context), False) is not None

    def lower(self, context: Context) -> Lowered:
        return _unpacked_first(super().lower(context), context, "depthwise_conv_s8_lut16_portable")

    def work(self, context: Context) -> Work:
        return _with_unpacking(super().work(context), context)


@lru_cache(maxsize=256)
def _lut256(graph: Graph, node: Node) -> SharedValues | None:
    weights = graph.tensors[node.inputs[1]].data
    assert weights is not None, "the verifier requires constant weights"
    return shared_values(weights, BYTES)


class FullyConnectedF32Lut256Portable(Kernel):
    """float32 FULLY_CONNECTED of weights of up to 256 values."""

    ops = frozenset({"FULLY_CONNECTED"})
    types = FLOAT_WEIGHTS
    function = "fully_connected_f32_lut256_portable"

    def applies(self, context: Context) -> bool:
        return _lut256(context.graph, context.node) is not None

    def lower(self, context: Context) -> Lowered:
        attrs, found = context.node.attrs, _lut256(context.graph, context.node)
        assert isinstance(attrs, FullyConnectedAttrs) and found is not None
        outputs, depth = found.indices.shape
        bias = float_quads(bias_of(context, outputs).reshape(-1, 1))
        shape = {"rows": context.input().elements // depth, "depth": depth, "outputs": outputs}
        arguments = (
            In(ctype="float"),
            ConstantTable("weights", "uint8_t", packed(float_quads(found.indices), "uint8")),
            ConstantTable("values", "float", packed(found.tables, "float32")),
            ConstantTable("bias", "float", packed(bias, "float32")),
            Out(ctype="float"),
            Scratch(ctype="float"),
            Float(float(attrs.clamp[0])),
            Float(float(attrs.clamp[1])),
        )
        return Lowered(self.function, (Call(self.function, arguments, shape),), self._scratch(depth))

    def _scratch(self, depth: int) -> int:
        return 4 * 4 * min(depth, TAPS_AT_ONCE)

    def work(self, context: Context) -> Work:
        outputs, depth = data_of(context, 1).shape
        count, groups = context.input().elements // depth, -(-outputs // 4)
        loops = {"row": count, "pair": count // 2 * groups, "single": count % 2 * groups}
        loops |= {f"{name}_tap": loops[name] * depth for name in ("pair", "single")}
        return Work(loops, scratch=self._scratch(depth))


class FullyConnectedF32Lut256Chained(FullyConnectedF32Lut256Portable):
    """float32 FULLY_CONNECTED of weights of up to 256 values: a product and a sum are one instruction."""

    features = DSP_FLOATS
    function = "fully_connected_f32_lut256_chained"


KERNELS: tuple[Kernel, ...] = (
    FullyConnectedS8Lut16Portable(),
    ConvS8Lut16Portable(),
    ConvS8Lut16Pairs(),
    DepthwiseConvS8Lut16Portable(),
    FullyConnectedF32Lut256Portable(),
    FullyConnectedF32Lut256Chained(),
)

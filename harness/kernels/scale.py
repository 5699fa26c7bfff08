"""Records of the portable kernels that turn a layer's sums into int8 (firmware/kernels/scale_s8.h)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.kernels.requant_linear import SCALE_BITS
from harness.quantization.fixedpoint import wrap32
from harness.quantization.types import Rounding

LINEAR, ROUNDED, GENERAL, FLOAT = (
    constant("scale_s8.h", f"HIL_SCALE_{form}") for form in ("LINEAR", "ROUNDED", "GENERAL", "FLOAT")
)


def records(context: Context) -> tuple[dict[str, int], npt.NDArray[np.int32]]:
    """(fields of the C shape, records of the channels): the cheapest form that is exact for every channel."""
    return _records(quantized_layer(context))


def scale_loops(context: Context) -> dict[str, float]:
    """Outputs whose scaling takes longer than the linear form."""
    form, outputs = records(context)[0]["scale.form"], context.output().elements
    kinds = {"rounded": ROUNDED, "general": GENERAL, "in_float": FLOAT}
    return {name: outputs * (form == kind) for name, kind in kinds.items()}


def table_bytes(context: Context) -> int:
    """Bytes of weights and records."""
    return context.input(1).elements + records(context)[1].nbytes


@lru_cache(maxsize=256)
def _records(layer: QuantizedLayer) -> tuple[dict[str, int], npt.NDArray[np.int32]]:
    bias, line = layer.folded_bias, layer.linear
    rounded = None if line.exact.all() else layer.rounded()
    words: tuple[npt.NDArray[np.integer], ...]
    if line.exact.all():
        form, words = LINEAR, (wrap32((bias << SCALE_BITS) + line.offset), line.multiplier)
    elif rounded is not None:
        form, words = ROUNDED, (wrap32(bias), rounded.multiplier, rounded.addend, rounded.shift)
    elif layer.rounding is Rounding.ONNX:
        form, words = FLOAT, (wrap32(bias), layer.factors.view(np.int32))
    else:
        form, words = GENERAL, (wrap32(bias), layer.multipliers, layer.shifts)
    fields = {"form": form, "words": len(words), "out_zero": layer.zero_point}
    fields |= {"clamp_min": layer.clamp[0], "clamp_max": layer.clamp[1]}
    table = np.stack([column.astype(np.int32) for column in words], axis=1).reshape(-1)
    return {f"scale.{key}": value for key, value in fields.items()}, table

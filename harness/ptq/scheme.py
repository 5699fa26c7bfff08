"""Schemes: how ranges and weights are chosen. A name says all of it: "mse+bias+adaptive"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from harness.errors import OptionError
from harness.quantization.types import DType

RANGES = ("min-max", "percentile-99.9", "percentile-99.99", "mse", "kl")
AUTO = "auto"

_FLAGS = {
    "weights": "weights_by_error",
    "equalised": "equalise",
    "features": "standardise",
    "bias": "correct_bias",
    "adaptive": "adaptive",
    "per-tensor": "per_tensor",
    "fc-channels": "fc_channels",
}
_WIDTHS: dict[str, dict[str, Any]] = {
    "16x8": {"activations": DType.INT16},
    "w4": {"weight_bits": 4},
}


@dataclass(frozen=True)
class Scheme:
    """What is done to a network.

    Attributes:
        ranges: one of RANGES: how the range of an activation is found.
        activations: int8, or int16 with zero point 0, which the field calls 16x8.
        weight_bits: 8, or 4, of which two are stored in a byte.
        weights_by_error: scales of weights have the least squared error, else the largest weight fits.
        equalise: channels of neighbouring layers are scaled to alike ranges before.
        standardise: an input whose features differ in spread has 16 bits or stays float32,
            and they are made alike before they have 8.
        correct_bias: biases take up the mean error of their layer.
        adaptive: weights are rounded one after the other, each making up for the errors of those before it.
        per_tensor: one scale for all output channels of convolutions.
        fc_channels: a scale for each output of FULLY_CONNECTED, which not every runtime takes; else it has one.
    """

    ranges: str = RANGES[0]
    activations: DType = DType.INT8
    weight_bits: int = 8
    weights_by_error: bool = False
    equalise: bool = False
    standardise: bool = False
    correct_bias: bool = False
    adaptive: bool = False
    per_tensor: bool = False
    fc_channels: bool = False

    @property
    def name(self) -> str:
        """Its name, which `scheme_of` reads."""
        width = [
            name for name, fields in _WIDTHS.items() if all(getattr(self, field) == v for field, v in fields.items())
        ]
        return "+".join([self.ranges, *width, *(flag for flag, field in _FLAGS.items() if getattr(self, field))])

    @property
    def network(self) -> tuple[bool, bool, DType]:
        """What the float network depends on that it starts from."""
        return self.equalise, self.standardise, self.activations


def scheme_of(name: str) -> Scheme:
    """The scheme of a name.

    Raises:
        OptionError: a part of the name is none.
    """
    scheme = Scheme()
    for part in name.split("+"):
        if part in RANGES:
            scheme = replace(scheme, ranges=part)
        elif part in _FLAGS:
            flag: dict[str, Any] = {_FLAGS[part]: True}
            scheme = replace(scheme, **flag)
        elif part in _WIDTHS:
            scheme = replace(scheme, **_WIDTHS[part])
        else:
            known = ", ".join([AUTO, *RANGES, *_WIDTHS, *_FLAGS])
            raise OptionError(f"scheme '{name}': no part '{part}'", hint=f"parts, joined by +, are {known}")
    return scheme


CANDIDATES = tuple(
    scheme_of(name)
    for name in (
        "min-max",
        "min-max+bias",
        "min-max+bias+adaptive",
        "percentile-99.99+bias+adaptive",
        "percentile-99.9+bias+adaptive",
        "mse",
        "mse+weights",
        "mse+bias",
        "mse+bias+adaptive",
        "mse+weights+bias+adaptive",
        "mse+equalised+bias+adaptive",
        "min-max+equalised+bias+adaptive",
        "kl+bias+adaptive",
    )
)
"""What `auto` tries."""

"""An operator of a model file as TensorFlow Lite Micro sees it: what decides its kernel, and how its loops run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

from harness.ir.operators.tflite import MAX_WINDOW

Shape: TypeAlias = tuple[int, ...]
Scale: TypeAlias = tuple[float, int]
"""Scale and zero point of a tensor."""

SIZES = {
    **dict.fromkeys(("int8", "uint8", "bool"), 1),
    **dict.fromkeys(("int16", "uint16", "float16"), 2),
    **dict.fromkeys(("float32", "int32", "uint32", "resource"), 4),
    **dict.fromkeys(("float64", "int64", "uint64"), 8),
}
"""Element type -> bytes."""

_MOST_ELEMENTS = 1 << 28
_NUMBERS = ("stride", "dilation", "kernel", "constants", "masks")


@dataclass(frozen=True)
class TflmLayer:
    """One operator.

    Attributes:
        op: TensorFlow's name of the operator.
        inputs: shapes; None of an optional one that is not there.
        outputs: shapes.
        types: element types of the first input, the second input and the first output; "" where there is none.
        constants: positions of inputs that the file holds.
        stride, dilation, kernel: (height, width); () of operators without.
        padding: "SAME" or "VALID"; "" of operators without.
        activation: what is fused, "NONE" if nothing is.
        axis: of a concatenation.
        numbers: what constant operands hold: paddings, axes, a permutation; begin, end and strides of a slice.
        keep: whether axes that are reduced stay, as one element each.
        masks: of a slice: begin, end, ellipsis, new axes, shrunk axes.
        quant: scale and zero point of the first input and of the first output, where they decide what is computed.
        weights_zero: the weights' zero point.
        per_channel: whether the weights of a fully connected layer have a scale for each output.
        time_major: of a recurrent layer.
        state: element type of what SVDF keeps.
    """

    op: str
    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape, ...]
    types: tuple[str, str, str]
    constants: tuple[int, ...] = ()
    stride: Shape = ()
    dilation: Shape = ()
    kernel: Shape = ()
    padding: str = ""
    activation: str = "NONE"
    axis: int = 0
    numbers: tuple[Shape, ...] = ()
    keep: bool = False
    masks: Shape = ()
    quant: tuple[Scale | None, Scale | None] = (None, None)
    weights_zero: int = 0
    per_channel: bool = False
    time_major: bool = False
    state: str = ""

    def input(self, position: int) -> Shape:
        """The shape of an input; () where it is not there."""
        return (self.inputs[position] if position < len(self.inputs) else None) or ()

    @property
    def output(self) -> Shape:
        """The shape of the first output; () where there is none."""
        return self.outputs[0] if self.outputs else ()

    @property
    def elements(self) -> int:
        """Elements of the first output."""
        return prod(self.output)

    @property
    def sound(self) -> bool:
        """Whether its shapes and parameters can be: a file may hold anything."""
        shapes_ = [shape for shape in (*self.inputs, *self.outputs) if shape is not None]
        return all(min(shape, default=1) > 0 and prod(shape) <= _MOST_ELEMENTS for shape in shapes_) and all(
            not pair or (len(pair) == 2 and min(pair) > 0 and max(pair) <= MAX_WINDOW)
            for pair in (self.stride, self.dilation, self.kernel)
        )

    def has_window(self, kernel: Shape) -> bool:
        """Whether a window of this size moves over a picture to make one."""
        flat = len(self.input(0)) == len(self.output) == 4
        return flat and len(kernel) == len(self.stride) == 2 and max(kernel) <= MAX_WINDOW

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data without what is as usual."""
        usual = TflmLayer("", (), (), ("", "", ""))
        found = {name: value for name, value in vars(self).items() if value != getattr(usual, name)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> TflmLayer:
        """The inverse of `as_dict`."""
        found = dict(content)
        found["inputs"] = tuple(None if shape is None else tuple(shape) for shape in content.get("inputs", ()))
        found["outputs"] = shapes(content.get("outputs", ()))
        found["types"] = tuple(content.get("types", ("", "", "")))
        for name in _NUMBERS:
            if name in found:
                found[name] = tuple(found[name])
        if "numbers" in found:
            found["numbers"] = shapes(found["numbers"])
        if "quant" in found:
            found["quant"] = tuple(None if pair is None else (float(pair[0]), int(pair[1])) for pair in found["quant"])
        return cls(**found)


def shapes(lists: Sequence[Sequence[int]]) -> tuple[Shape, ...]:
    """Lists of numbers as tuples."""
    return tuple(tuple(numbers) for numbers in lists)

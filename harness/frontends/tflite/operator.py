"""An operator of a .tflite file as its reader sees it: inputs, constant operands and options, all checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.frontends.tflite.flatbuffer import damaged
from harness.frontends.tflite.schema import FileOperator, FileTensor, as_array
from harness.ir.graph import ABSENT, Pads, Tensor, activation_clamp
from harness.ir.window import same_pads
from harness.quantization.types import Clamp, DType

ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
MAX_WINDOW = 1 << 15  # kernel, stride and dilation; keeps every later product far inside 32 bits


class Unsupported(Exception):  # noqa: N818 - not an error by itself: the caller collects them
    """Something an operator asks for that tinyhil does not compile; the text names it."""


@dataclass(frozen=True)
class Operator:
    """An operator with its tensors, as a reader sees it.

    Attributes:
        name: TensorFlow's operator name.
        build: makes the Graph's tensor of a tensor of the file.
    """

    name: str
    file: FileOperator
    tensors: tuple[FileTensor, ...]
    build: Callable[[int], Tensor]

    def count(self, least: int, most: int | None = None, outputs: int = 1) -> None:
        """Checks the number of inputs and outputs."""
        n = len(self.file.inputs)
        if not least <= n <= (least if most is None else most) or len(self.file.outputs) != outputs:
            raise damaged(f"{self.file.place}: {self.name} with {n} inputs and {len(self.file.outputs)} outputs")

    def input(self, i: int) -> Tensor:
        """The i-th input, which must be there."""
        return self.build(self._there(i))

    def output(self, i: int = 0) -> Tensor:
        """The i-th output."""
        return self.build(self.file.outputs[i])

    def _there(self, i: int) -> int:
        if self.file.inputs[i] == ABSENT:
            raise damaged(f"{self.file.place}: input {i} of {self.name} is absent")
        return self.file.inputs[i]

    def ids(self, *positions: int) -> tuple[int, ...]:
        """Tensor ids of inputs that must be there."""
        return tuple(self._there(i) for i in positions)

    def constant(self, i: int, what: str) -> tuple[int, ...]:
        """An input of few int32 constants, such as axes or a shape, flattened."""
        tensor = self.tensors[self._there(i)]
        if tensor.odd:
            raise Unsupported(f"{what} in {tensor.odd}")
        if tensor.type != "int32":
            raise Unsupported(f"{tensor.type} {what}")
        if tensor.data is None:
            if 0 in tensor.shape:
                return ()
            raise Unsupported(f"{what} computed at run time")
        if len(tensor.data) > 4096:
            raise damaged(f"{tensor.place}: {len(tensor.data)} bytes of {what}")
        values = as_array(tensor, "int32", tensor.shape)
        return () if values is None else tuple(int(v) for v in values.ravel())

    def choice(self, field: int, names: tuple[str, ...], what: str) -> str:
        """An enumeration among the options."""
        value = self.file.options.integer(field, "<b")
        if not 0 <= value < len(names):
            raise damaged(f"{self.file.place}: {what} {value} of {self.name}")
        return names[value]

    def clamp(self, field: int) -> Clamp:
        """The fused activation among the options, as a clamp of the output."""
        name = self.choice(field, ACTIVATIONS, "activation")
        if name not in ("NONE", "RELU", "RELU_N1_TO_1", "RELU6"):
            raise Unsupported(f"fused activation {name}")
        y = self.output()
        if y.dtype is not DType.INT8 or y.q.scale <= 0:
            raise damaged(f"{self.file.place}: {self.name} into {y.dtype.value} of scale {y.q.scale}")
        return activation_clamp(name, y)

    def window(self, height: int, width: int, what: str, default: int = 0) -> tuple[int, int]:
        """A (height, width) pair among the options, both positive."""
        pair = self.file.options.integer(height, default=default), self.file.options.integer(width, default=default)
        if not all(1 <= n <= MAX_WINDOW for n in pair):
            raise damaged(f"{self.file.place}: {what} {pair} of {self.name}")
        return pair

    def pads(self, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int] = (1, 1)) -> Pads:
        """The padding among the options (always the first field), as explicit rows and columns."""
        x = self.input(0)
        if len(x.shape) != 4:
            raise damaged(f"{self.file.place}: {self.name} of a tensor of shape {list(x.shape)}, which is not NHWC")
        if self.choice(4, ("SAME", "VALID"), "padding") == "VALID":
            return Pads()
        return same_pads((x.shape[1], x.shape[2]), kernel, stride, dilation)

    def axis(self, value: int, rank: int) -> int:
        """An axis made non-negative."""
        if not -rank <= value < rank:
            raise damaged(f"{self.file.place}: axis {value} of {self.name} over {rank} dimensions")
        return value % rank

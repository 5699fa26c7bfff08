"""An operator of a .tflite file for its reader: inputs, constant operands and options, all checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.frontends.tflite.flexbuffer import numbers_of
from harness.frontends.tflite.schema import FileOperator, FileSubgraph, FileTensor, as_array
from harness.ir.activations import activation_clamp
from harness.ir.graph import ABSENT, Graph, Tensor
from harness.ir.operators.tflite import ACTIVATIONS, MAX_WINDOW, Unsupported, damaged
from harness.ir.window import Pads, same_pads
from harness.quantization.types import Clamp, DType


@dataclass(frozen=True)
class FileView:
    """An operator of a file with its tensors; implements harness.ir.operators.tflite.Reading.

    Attributes:
        name: TensorFlow's operator name.
        file: the operator in the file.
        tensors: all tensors of the subgraph.
        build: makes the Graph's tensor from the id of a tensor of the file.
        subgraphs: of the file.
        within: reads a subgraph, by its number and the constants that some of its inputs are.
        given: outputs that are constants, see give().
        layout: the byte of the arena at which the file wants each tensor.
        read_later: whether anything reads what an operator, by its number, writes to a tensor of the file.
        dropped: outputs that nothing reads, see drop_unread().
    """

    name: str
    file: FileOperator
    tensors: Sequence[FileTensor]
    build: Callable[[int], Tensor]
    subgraphs: Sequence[FileSubgraph]
    within: Callable[[int, Mapping[int, int]], Graph]
    given: dict[int, int] = field(default_factory=dict)
    layout: Callable[[], Sequence[int]] = tuple
    read_later: Callable[[int, int], bool] = lambda t, index: True
    dropped: set[int] = field(default_factory=set)

    @property
    def place(self) -> str:
        """See Reading."""
        return self.file.place

    @property
    def inputs(self) -> tuple[int, ...]:
        """See Reading."""
        return self.file.inputs

    @property
    def outputs(self) -> tuple[int, ...]:
        """See Reading."""
        return self.file.outputs

    @property
    def has_options(self) -> bool:
        """See Reading."""
        return self.file.options_type != 0

    def count(self, least: int, most: int | None = None, outputs: int = 1) -> None:
        """Checks the number of inputs and outputs."""
        n = len(self.inputs)
        if not least <= n <= (least if most is None else most) or len(self.outputs) != outputs:
            raise damaged(f"{self.place}: {self.name} with {n} inputs and {len(self.outputs)} outputs")

    def input(self, i: int) -> Tensor:
        """The i-th input, which must be there."""
        return self.build(self._there(i))

    def output(self, i: int = 0) -> Tensor:
        """The i-th output."""
        return self.build(self.outputs[i])

    def _there(self, i: int) -> int:
        if self.inputs[i] == ABSENT:
            raise damaged(f"{self.place}: input {i} of {self.name} is absent")
        return self.inputs[i]

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

    def has_data(self, t: int) -> bool:
        """See Reading."""
        return self.tensors[t].data is not None

    def integer(self, offset: int, default: int = 0) -> int:
        """See Reading."""
        return self.file.options.integer(offset, default=default)

    def integers(self, offset: int, what: str, most: int) -> tuple[int, ...]:
        """See Reading."""
        return self.file.options.integers(offset, what, most)

    def real(self, offset: int) -> float:
        """See Reading."""
        return self.file.options.real(offset)

    def flag(self, offset: int) -> bool:
        """See Reading."""
        return self.file.options.flag(offset)

    def choice(self, offset: int, names: tuple[str, ...], what: str) -> str:
        """An enumeration among the options."""
        value = self.file.options.integer(offset, "<b")
        if not 0 <= value < len(names):
            raise damaged(f"{self.place}: {what} {value} of {self.name}")
        return names[value]

    def clamp(self, offset: int) -> Clamp:
        """The fused activation among the options, as a clamp of the output."""
        name = self.choice(offset, ACTIVATIONS, "activation")
        if name not in ("NONE", "RELU", "RELU_N1_TO_1", "RELU6"):
            raise Unsupported(f"fused activation {name}")
        y = self.output()
        if y.dtype in (DType.INT8, DType.UINT8, DType.INT16) and y.q.scale <= 0:
            raise damaged(f"{self.place}: {self.name} into {y.dtype.value} of scale {y.q.scale}")
        return activation_clamp(name, y)

    def window(self, height: int, width: int, what: str, default: int = 0) -> tuple[int, int]:
        """A (height, width) pair among the options, both positive."""
        pair = self.integer(height, default), self.integer(width, default)
        if not all(1 <= n <= MAX_WINDOW for n in pair):
            raise damaged(f"{self.place}: {what} {pair} of {self.name}")
        return pair

    def pads(self, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int] = (1, 1)) -> Pads:
        """The padding among the options (always the first field), as explicit rows and columns."""
        x = self.input(0)
        if len(x.shape) != 4:
            raise damaged(f"{self.place}: {self.name} of a tensor of shape {list(x.shape)}, which is not NHWC")
        if self.choice(4, ("SAME", "VALID"), "padding") == "VALID":
            return Pads()
        return same_pads((x.shape[1], x.shape[2]), kernel, stride, dilation)

    def axis(self, value: int, rank: int) -> int:
        """An axis made non-negative."""
        if not -rank <= value < rank:
            raise damaged(f"{self.place}: axis {value} of {self.name} over {rank} dimensions")
        return value % rank

    def subgraph(self, offset: int, known: Mapping[int, int]) -> Graph:
        """See Reading."""
        return self.within(self.integer(offset), known)

    def unchanged(self, offset: int) -> tuple[int, ...]:
        """See Reading."""
        number = self.integer(offset)
        if not 0 < number < len(self.subgraphs):
            return ()  # reading it tells
        pairs = zip(self.subgraphs[number].inputs, self.subgraphs[number].outputs, strict=False)
        return tuple(i for i, (x, y) in enumerate(pairs) if x == y)

    def give(self, i: int, t: int) -> None:
        """See Reading."""
        if i >= len(self.outputs):
            raise damaged(f"{self.place}: {self.name} without output {i}")
        self.given[self.outputs[i]] = t

    def content(self, i: int) -> bytes:
        """See Reading."""
        data = self.tensors[self._there(i)].data
        return b"" if data is None else data.tobytes()

    def length(self, i: int) -> int:
        """See Reading."""
        tensor = self.tensors[self._there(i)]
        if len(tensor.shape) != 1 or tensor.shape[0] < 0:
            raise damaged(f"{tensor.place}: shape {list(tensor.shape)}, not one length")
        return tensor.shape[0]

    def is_variable(self, t: int) -> bool:
        """See Reading."""
        return self.tensors[t].variable

    def offset(self, t: int) -> int:
        """See Reading."""
        return self.layout()[t]

    def drop_unread(self) -> tuple[int, ...]:
        """See Reading."""
        left = tuple(i for i, t in enumerate(self.outputs) if self.read_later(t, self.file.index))
        self.dropped.update(set(self.outputs) - {self.outputs[i] for i in left})
        return left

    def custom(self, *names: str) -> tuple[int, ...]:
        """See Reading."""
        options = self.options()
        if odd := [name for name, value in options.items() if isinstance(value, float)]:
            raise Unsupported(f"the option {odd[0]!r} that is no integer")
        if list(options) != sorted(names):
            raise Unsupported(f"options {', '.join(options) or 'none'}, not {', '.join(sorted(names)) or 'none'}")
        return tuple(int(options[name]) for name in names)

    def options(self) -> Mapping[str, int | float]:
        """See Reading."""
        return numbers_of(self.file.custom_options, self.place)

"""The form of an operator in a .tflite file: what its reader is given, and what its writer returns.

The frontend implements Reading and Writing; operators use nothing else of it. What an operator asks for that tinyhil
does not compile is raised as Unsupported and collected by the frontend; what contradicts itself is a ModelFileError.
Rules are TFLM's (tensorflow/lite/micro/kernels), which is the reference of every result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np

from harness.errors import GraphError, ModelFileError
from harness.ir.activations import activation_clamp
from harness.ir.graph import Attrs, Graph, NoAttrs, Node, State, Tensor
from harness.ir.window import Pads
from harness.quantization.types import Clamp, DType, Quantization

ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
"""Fused activations by their number in the file."""

CUSTOM = 32
"""The code of all custom operators, which their names tell apart."""

MAX_WINDOW = 1 << 15
"""Largest kernel, stride, dilation or padding; keeps every later product well inside 32 bits."""

_DAMAGED_HINT = "the file is damaged or cut short; export or download it again"


class Unsupported(Exception):  # noqa: N818 - not an error by itself: the caller collects them
    """Something an operator asks for that tinyhil does not compile; the text names it."""


def damaged(what: str) -> ModelFileError:
    """The error for a file whose structure is broken at `what`."""
    return ModelFileError(what, hint=_DAMAGED_HINT)


class Reading(Protocol):
    """An operator of a file with its tensors. Fields of its options are given by vtable offset, see schema.fbs.

    Methods raise ModelFileError where the file contradicts itself, and Unsupported for what tinyhil does not compile.
    """

    @property
    def name(self) -> str:
        """The operator's name."""

    @property
    def place(self) -> str:
        """File and operator, for messages."""

    @property
    def inputs(self) -> tuple[int, ...]:
        """Tensor ids of the file; ABSENT for an optional one that is not there."""

    @property
    def outputs(self) -> tuple[int, ...]:
        """Tensor ids of the file."""

    @property
    def has_options(self) -> bool:
        """Whether the file has options for it; else all of them have their defaults."""

    def count(self, least: int, most: int | None = None, outputs: int = 1) -> None:
        """Check the number of inputs and outputs."""

    def input(self, i: int) -> Tensor:
        """The i-th input, which must be there."""

    def output(self, i: int = 0) -> Tensor:
        """The i-th output."""

    def ids(self, *positions: int) -> tuple[int, ...]:
        """Tensor ids of inputs that must be there."""

    def has_data(self, t: int) -> bool:
        """Whether tensor `t` of the file is a constant."""

    def constant(self, i: int, what: str) -> tuple[int, ...]:
        """An input of few int32 constants, such as axes or a shape, flattened."""

    def integer(self, offset: int, default: int = 0) -> int:
        """An int32 among the options."""

    def integers(self, offset: int, what: str, most: int) -> tuple[int, ...]:
        """A vector of at most so many int32 among the options."""

    def real(self, offset: int) -> float:
        """A float32 among the options."""

    def flag(self, offset: int) -> bool:
        """A bool among the options."""

    def choice(self, offset: int, names: tuple[str, ...], what: str) -> str:
        """An enumeration among the options."""

    def clamp(self, offset: int) -> Clamp:
        """The fused activation among the options, as a clamp of the output."""

    def window(self, height: int, width: int, what: str, default: int = 0) -> tuple[int, int]:
        """A (height, width) pair among the options, both positive."""

    def pads(self, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int] = (1, 1)) -> Pads:
        """The padding among the options (always the first field), as explicit rows and columns."""

    def axis(self, value: int, rank: int) -> int:
        """An axis made non-negative."""

    def content(self, i: int) -> bytes:
        """The bytes of the i-th input, whatever its type; none where the file has none."""

    def length(self, i: int) -> int:
        """Elements of the i-th input, which has one dimension."""

    def is_variable(self, t: int) -> bool:
        """Whether tensor `t` of the file is a state, kept in place."""

    def offset(self, t: int) -> int:
        """The byte of the arena at which the file wants tensor `t`; -1 where it may lie anywhere."""

    def drop_unread(self) -> tuple[int, ...]:
        """Takes outputs away that nothing reads, and gives the positions of those that are left."""

    def subgraph(self, offset: int, known: Mapping[int, int]) -> Graph:
        """The subgraph of the file whose number is among the options, which no variable may be used in.

        known: its inputs that have the value of a constant (position, and the constant's tensor id): they become
            constants of the graph.
        """

    def unchanged(self, offset: int) -> tuple[int, ...]:
        """Positions at which the subgraph whose number is among the options gives its input back."""

    def give(self, i: int, t: int) -> None:
        """Makes the i-th output the constant `t`, which the node does not write then."""

    def custom(self, *names: str) -> tuple[int, ...]:
        """The options of a custom operator, integers or booleans, which must be these: TFLM reads them by position."""

    def options(self) -> Mapping[str, int | float]:
        """The options of a custom operator, numbers or booleans, which TFLM reads by name."""


REST = range(1, 1 << 16)
"""All inputs but the first."""

Fields: TypeAlias = Mapping[str, int | float | bool | str | Sequence[int]]


@dataclass(frozen=True)
class OperatorDraft:
    """An operator to write; options "Conv2D" stands for the schema's table Conv2DOptions with these fields.

    custom: options of a custom operator.
    """

    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: str = ""
    fields: Fields = field(default_factory=dict)
    custom: Mapping[str, int | float | bool] = field(default_factory=dict)


class Writing(Protocol):
    """The file that an operator is written to."""

    @property
    def graph(self) -> Graph:
        """The graph that is written."""

    def constant(self, name: str, data: Any, quant: Quantization | None = None) -> int:
        """Index of a new constant, int32 unless `data` is an array of another type."""

    def handle(self, state: int) -> int:
        """Index of the resource that stands for a variable."""

    def variable(self, state: int) -> int:
        """Index of the variable tensor that is a state."""

    def subgraph(self, graph: Graph) -> int:
        """Number of a new subgraph of the file."""


Read: TypeAlias = tuple[tuple[int, ...], Attrs]
"""Data inputs (tensor ids of the file, or ABSENT) and attributes of the node."""

Reader: TypeAlias = Callable[[Reading], Read]
Writer: TypeAlias = Callable[[Writing, Node], OperatorDraft]


Unnamed: TypeAlias = Callable[[Sequence[Tensor], Sequence[Tensor], Attrs], tuple[State, ...]]


def fresh(name: str, dtype: DType, shape: tuple[int, ...], value: int = 0) -> State:
    """A state that begins as one value; of any size, since it is not laid out before the verifier has seen it."""
    return State(name, dtype, np.broadcast_to(np.array(value, dtype.numpy), shape))


@dataclass(frozen=True)
class TfliteForm:
    """The form of an operator in .tflite files.

    Attributes:
        code: TensorFlow's BuiltinOperator; CUSTOM for a custom operator, whose name is the Operator's.
        options: BuiltinOptions union member of the options that are read; None where none are.
        version: of the operator, as TensorFlow's converter writes it for int8.
        operands: positions of inputs, such as axes and shapes, that the reader resolves into attributes.
        states: positions of inputs that are variable tensors, the node's states in this order.
        unnamed: (inputs, outputs, attributes) -> states that the file does not name; the operator makes them itself.
        data: positions of the node's inputs, in its order; None where they stand so in the file.
        dynamic_of: the operator that it is in a file where weights or bias are no constants; "" of all others.
        read, write: the reader and the writer. Variables have no reader: the frontend resolves their handles.
    """

    code: int
    write: Writer
    read: Reader | None = None
    options: int | None = None
    version: int = 2
    operands: range = range(0)
    states: range = range(0)
    data: tuple[int, ...] | None = None
    unnamed: Unnamed | None = None
    dynamic_of: str = ""


def read_plain(op: Reading) -> Read:
    """One input and no attributes."""
    op.count(1)
    return op.ids(0), NoAttrs()


def write_plain(to: Writing, node: Node) -> OperatorDraft:
    """An operator without options."""
    return OperatorDraft(node.op, node.inputs, node.outputs)


def custom_form(attrs: Callable[..., Attrs], inputs: int, *names: str) -> TfliteForm:
    """A custom operator of one output, all of whose options are attributes.

    Args:
        attrs: class of the attributes, integers.
        inputs: how many there are.
        names: of the options, in the order of the attributes.
    """

    def read(op: Reading) -> Read:
        op.count(inputs)
        return op.ids(*range(inputs)), attrs(*op.custom(*names))

    def write(to: Writing, node: Node) -> OperatorDraft:
        options = dict(zip(names, astuple(node.attrs), strict=True))
        return OperatorDraft(node.op, node.inputs, node.outputs, custom=options)

    return TfliteForm(CUSTOM, write, read, version=1)


def activation_number(clamp: Clamp, y: Tensor) -> int:
    """The number of the fused activation whose clamp for `y` this is.

    Raises:
        GraphError: no fused activation has this clamp.
    """
    for number, name in enumerate(ACTIVATIONS[:4]):
        if activation_clamp(name, y) == clamp:
            return number
    raise GraphError(
        f"'{y.name}' is clamped to {clamp[0]}..{clamp[1]}, which no fused activation of its quantization gives",
        hint="write the graph before passes have merged clamps into it",
    )


def resolves_to(wanted: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether a shape or list of sizes equals `shape`, with at most one -1 for a size to be computed."""
    if len(wanted) != len(shape) or wanted.count(-1) > 1:
        return False
    return all(w in (-1, s) for w, s in zip(wanted, shape, strict=True))


def dimensions_left(longer: tuple[int, ...], shorter: tuple[int, ...], what: str) -> tuple[int, ...]:
    """Dimensions of `longer` that remain in `shorter`, which lacks only dimensions of one element.

    Raises:
        GraphError: it lacks a dimension of several elements.
    """
    kept: list[int] = []
    for i, size in enumerate(longer):
        left = len(shorter) - len(kept)
        if left and size == shorter[len(kept)] and (size != 1 or len(longer) - i >= left):
            kept.append(i)
        elif size != 1:
            break
    if len(kept) != len(shorter):
        raise GraphError(f"{what}: {list(longer)} is not {list(shorter)} with dimensions of 1", hint="use RESHAPE")
    return tuple(kept)

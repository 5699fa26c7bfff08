"""LSTM, GRU and RNN, one step after another: ONNX begins each inference with the states given, and keeps none.

TFLM's UNIDIRECTIONAL_SEQUENCE_LSTM keeps its states from one inference to the next, which is another function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.frontends.onnx.arithmetic import Arithmetic
from harness.frontends.onnx.fusing import FREE
from harness.frontends.onnx.moving import joined, part_of, reshaped
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lowering, OnnxNode, Unsupported, must_be
from harness.frontends.onnx.value import OnnxValue
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.quantization.types import Array, DType

MOST_STEPS = 128
"""Steps of all directions together that are written out: each is about ten operators."""


@dataclass(frozen=True)
class _Cell:
    """One direction of a layer.

    Attributes:
        units: of the state.
        own: per step the part of the gates that comes from the input, with its bias: [batch, gates * units].
        recurrent, bias: weights [gates * units, units] and bias of the state's part.
    """

    math: Arithmetic
    units: int
    own: Sequence[OnnxValue]
    recurrent: Array
    bias: Array

    def matrix(self, x: OnnxValue, first: int, count: int, bias: bool) -> OnnxValue:
        """The state's part of `count` gates from `first` on."""
        rows = slice(first * self.units, (first + count) * self.units)
        offset = self.bias[rows] if bias else np.zeros(count * self.units, np.float32)
        return layer(self.math.net, x, self.recurrent[rows], offset)

    def gate(self, values: OnnxValue, i: int) -> OnnxValue:
        """Columns of one gate."""
        batch = values.shape[0]
        return part_of(self.math.net, values, (0, i * self.units), (1, 1), (batch, self.units))

    def gates(self, values: OnnxValue, first: int, count: int) -> OnnxValue:
        """Columns of several gates."""
        shape = (values.shape[0], count * self.units)
        return part_of(self.math.net, values, (0, first * self.units), (1, 1), shape)


def layer(net: Network, x: OnnxValue, weights: Array, bias: Array) -> OnnxValue:
    """A fully connected layer of [rows, in]."""
    ids = [net.stored(x), net.constant(np.asarray(weights, np.float32)), net.constant(np.asarray(bias, np.float32))]
    shape = (x.shape[0], len(weights))
    return net.made(shape, net.emit("FULLY_CONNECTED", ids, shape, FullyConnectedAttrs(FREE)))


State = tuple[OnnxValue | None, OnnxValue | None]
"""(hidden, cell); None is zeros."""

Step = Callable[[_Cell, OnnxValue, State], tuple[OnnxValue, OnnxValue | None]]


def _lstm_step(cell: _Cell, own: OnnxValue, state: State) -> tuple[OnnxValue, OnnxValue | None]:
    """Gates are in, out, forget, cell."""
    math, (hidden, memory) = cell.math, state
    total = own if hidden is None else math.add(own, cell.matrix(hidden, 0, 4, bias=False))
    into = math.mul(math.logistic(cell.gate(total, 0)), math.tanh(cell.gate(total, 3)))
    new = into if memory is None else math.add(math.mul(math.logistic(cell.gate(total, 2)), memory), into)
    return math.mul(math.logistic(cell.gate(total, 1)), math.tanh(new)), new


def _gru_step(after: bool) -> Step:
    """Gates are update, reset, hidden; `after`: the state is multiplied by its weights before it is reset."""

    def step(cell: _Cell, own: OnnxValue, state: State) -> tuple[OnnxValue, OnnxValue | None]:
        math, hidden = cell.math, state[0]
        if hidden is None:
            hidden = OnnxValue("", (own.shape[0], cell.units), DType.FLOAT32, np.zeros((own.shape[0], cell.units), "f"))
        both = math.logistic(math.add(cell.gates(own, 0, 2), cell.matrix(hidden, 0, 2, bias=True)))
        update, reset = cell.gate(both, 0), cell.gate(both, 1)
        if after:
            kept = math.mul(reset, cell.matrix(hidden, 2, 1, bias=True))
        else:
            kept = cell.matrix(math.mul(reset, hidden), 2, 1, bias=True)
        new = math.tanh(math.add(cell.gate(own, 2), kept))
        # (1 - update) * new + update * hidden
        return math.add(new, math.mul(update, math.sub(hidden, new))), None

    return step


def _rnn_step(activation: str) -> Step:
    def step(cell: _Cell, own: OnnxValue, state: State) -> tuple[OnnxValue, OnnxValue | None]:
        total = own if state[0] is None else cell.math.add(own, cell.matrix(state[0], 0, 1, bias=False))
        made: OnnxValue = getattr(cell.math, activation)(total)
        return made, None

    return step


@dataclass(frozen=True)
class _Shape:
    """Sizes of a layer; `batch_first`: ONNX's layout 1."""

    steps: int
    batch: int
    units: int
    batch_first: bool
    reverse: Sequence[bool]


def _shape(node: OnnxNode, x: OnnxValue, w: Array, r: Array) -> _Shape:
    """The sizes, where all that they follow from is of a kind that is computed here."""
    must_be(x, DType.FLOAT32)
    directions = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}.get(
        node.text("direction", "forward")
    )
    batch_first = node.integer("layout") != 0
    if x.rank != 3 or directions is None or len(w) != len(directions):
        raise Unsupported(f"direction {node.text('direction')} of {list(x.shape)}")
    units = r.shape[2]
    if node.integer("hidden_size", units) != units:
        raise Unsupported("a hidden_size that is not the weights'")
    if node.attribute("clip") is not None:
        raise Unsupported("clip")
    steps, batch = (x.shape[1], x.shape[0]) if batch_first else x.shape[:2]
    if steps * len(directions) > MOST_STEPS:
        raise Unsupported(f"{steps} steps in {len(directions)} directions, of at most {MOST_STEPS}")
    if (lengths := node.numbers(4, "sequence_lens")) is not None and set(lengths) != {steps}:
        raise Unsupported("sequence_lens that are not all steps")
    return _Shape(steps, batch, units, batch_first, directions)


def _layer(
    node: OnnxNode, net: Network, gates: int, step: Step, merged: bool, initial_c: int | None
) -> Sequence[OnnxValue]:
    """All directions. merged: the state's bias may be added with the input's."""
    x, w, r = node.value(0), node.constant(1, "weights"), node.constant(2, "weights")
    shape = _shape(node, x, w, r)
    steps, batch, units = shape.steps, shape.batch, shape.units
    both = node.constant(3, "a bias") if node.optional(3) is not None else np.zeros((len(w), 2 * gates * units), "f")
    ends: list[tuple[OnnxValue, OnnxValue | None]] = []
    rows: list[list[OnnxValue]] = []
    for d, backwards in enumerate(shape.reverse):
        own_bias, state_bias = (np.asarray(part, np.float32) for part in np.split(both[d], 2))
        flat = reshaped(net, x, (steps * batch, x.shape[2]))
        parts = layer(net, flat, w[d], own_bias + state_bias if merged else own_bias)
        own = [_row(net, parts, i, steps, batch, shape.batch_first) for i in range(steps)]
        cell = _Cell(Arithmetic(net), units, own, r[d], state_bias)
        memory = None if initial_c is None else _start(node, net, initial_c, d, shape.batch_first)
        state: State = (_start(node, net, 5, d, shape.batch_first), memory)
        made: list[OnnxValue] = []
        for i in reversed(range(steps)) if backwards else range(steps):
            hidden, memory = step(cell, own[i], state)
            state = hidden, memory
            made.append(hidden)
        ends.append((made[-1], memory))
        rows.append(made[::-1] if backwards else made)
    return _outputs(node, net, rows, ends, shape, initial_c is not None)


def _row(net: Network, parts: OnnxValue, i: int, steps: int, batch: int, batch_first: bool) -> OnnxValue:
    """Step i of [steps * batch, ...], or of [batch * steps, ...]."""
    stride = steps if batch_first else 1
    first = i if batch_first else i * batch
    return part_of(net, parts, (first, 0), (stride if batch > 1 else 1, 1), (batch, parts.shape[1]))


def _start(node: OnnxNode, net: Network, i: int, d: int, batch_first: bool) -> OnnxValue | None:
    """A direction's initial state; None for zeros."""
    value = node.optional(i)
    if value is None:
        return None
    a, _, c = value.shape
    batch = a if batch_first else value.shape[1]
    if value.data is not None:
        part = value.data[:, d] if batch_first else value.data[d]
        return None if not part.any() else OnnxValue("", part.shape, DType.FLOAT32, part)
    counts = (a, 1, c) if batch_first else (1, batch, c)
    begin = (0, d, 0) if batch_first else (d, 0, 0)
    return reshaped(net, part_of(net, value, begin, (1, 1, 1), counts), (batch, c))


def _outputs(
    node: OnnxNode,
    net: Network,
    rows: Sequence[Sequence[OnnxValue]],
    ends: Sequence[tuple[OnnxValue, OnnxValue | None]],
    shape: _Shape,
    cells: bool,
) -> Sequence[OnnxValue]:
    """Y [steps, directions, batch, units], Y_h and Y_c [directions, batch, units]; batch first in the other layout."""
    batch, units, count, steps = shape.batch, shape.units, len(rows), shape.steps
    last = (batch, count, units) if shape.batch_first else (count, batch, units)
    whole = (batch, steps, count, units) if shape.batch_first else (steps, count, batch, units)
    every = [rows[d][i] for i in range(steps) for d in range(count)]
    parts = [(every, whole), ([hidden for hidden, _ in ends], last)]
    if cells:
        parts.append(([memory for _, memory in ends if memory is not None], last))
    return [
        _stack(net, values, sizes, shape.batch_first)
        if name and node.uses.get(name, 0)
        else OnnxValue("", sizes, DType.FLOAT32, np.zeros(sizes, np.float32))  # nobody reads it
        for name, (values, sizes) in zip(node.outputs, parts, strict=False)
    ]


def _stack(net: Network, values: Sequence[OnnxValue], shape: tuple[int, ...], batch_first: bool) -> OnnxValue:
    """Values of [batch, units] joined."""
    batch, units = values[0].shape
    one = (batch, 1, units) if batch_first else (1, batch, units)
    parts = [net.reshaped(net.stored(value), one) for value in values]
    return net.made(shape, net.reshaped(joined(net, parts, 1 if batch_first else 0), shape))


def _activations(node: OnnxNode, count: int, *wanted: str) -> None:
    for name in ("activation_alpha", "activation_beta"):
        if node.attribute(name):
            raise Unsupported(name)
    found = node.attribute("activations")
    if found is not None and [str(name).lower() for name in found] != [name.lower() for name in wanted] * count:
        raise Unsupported(f"activations {found}")


def _directions(node: OnnxNode) -> int:
    return 2 if node.text("direction", "forward") == "bidirectional" else 1


def _lstm(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    _activations(node, _directions(node), "Sigmoid", "Tanh", "Tanh")
    peephole = node.optional(7)
    if node.integer("input_forget") or (peephole is not None and node.constant(7, "peepholes").any()):
        raise Unsupported("peepholes or input_forget")
    return _layer(node, net, 4, _lstm_step, merged=True, initial_c=6)


def _gru(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    _activations(node, _directions(node), "Sigmoid", "Tanh")
    after = node.integer("linear_before_reset") != 0
    return _layer(node, net, 3, _gru_step(after), merged=False, initial_c=None)


def _rnn(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    found = node.attribute("activations") or ["Tanh"]
    if len({str(name).lower() for name in found}) != 1 or str(found[0]).lower() not in ("tanh", "relu"):
        raise Unsupported(f"activations {found}")
    _activations(node, len(found), str(found[0]))
    return _layer(node, net, 1, _rnn_step(str(found[0]).lower()), merged=True, initial_c=None)


LOWERINGS = {
    "LSTM": Lowering(_lstm, (7, 14, 22)),
    "GRU": Lowering(_gru, (7, 14, 22)),
    "RNN": Lowering(_rnn, (7, 14, 22)),
}

"""Runs a Graph by the numpy specifications of its operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from harness.errors import GraphError, VectorsError
from harness.ir.graph import ABSENT, Graph, Node
from harness.ir.operators import OPERATORS, has
from harness.ir.operators.operands import Operands
from harness.ir.operators.traits import Trait
from harness.quantization.requantize import REQUANTIZE, Requantize
from harness.quantization.types import Array


@dataclass(frozen=True)
class Execution:
    """One inference.

    Attributes:
        tensors: every activation by tensor id, inputs included.
        outputs: the graph's outputs in order.
        states: the graph's states after the inference.
    """

    tensors: dict[int, Array]
    outputs: tuple[Array, ...]
    states: list[Array] = field(default_factory=list)


def check_inputs(graph: Graph, inputs: Sequence[Array]) -> None:
    """Checks that there is one array per graph input, of its shape and type.

    Raises:
        VectorsError: a number, a shape or a type differs.
    """
    if len(inputs) != len(graph.inputs):
        raise VectorsError(
            f"model '{graph.name}' takes {len(graph.inputs)} inputs, {len(inputs)} were given",
            hint="give one array per model input, in the model's order",
        )
    for number, (array, index) in enumerate(zip(inputs, graph.inputs, strict=True)):
        tensor = graph.tensors[index]
        if array.shape != tensor.shape or array.dtype != tensor.dtype.numpy:
            raise VectorsError(
                f"input {number} ('{tensor.name}') of '{graph.name}' is {tensor.dtype.value}{list(tensor.shape)}, "
                f"the array given is {array.dtype}{list(array.shape)}",
                hint="give arrays of the model's own shape and type",
            )


def run(
    graph: Graph,
    inputs: Sequence[Array],
    states: list[Array] | None = None,
    *,
    rounding: Mapping[str, Requantize] | None = None,
) -> Execution:
    """Run one inference; also works on graphs that passes have rewritten.

    `states` are the graph's before it (None: their initial values); they are not changed. `rounding` replaces the
    requantization of layers with weights, by operator name, for the results of other interpreters.

    Raises:
        VectorsError: the inputs do not fit the graph.
        GraphError: an operator without a specification.
    """
    check_inputs(graph, inputs)
    held = [s.initial for s in graph.states] if states is None else list(states)
    values: dict[int, Array] = dict(zip(graph.inputs, inputs, strict=True))
    for node in graph.nodes:
        _known(node)
        made = compute(graph, node, values, rounding or {}, held)
        outputs_made, states_made = made[: len(node.outputs)], made[len(node.outputs) :]
        values.update(zip(node.outputs, outputs_made, strict=True))
        if has(node, Trait.WRITES_STATE):
            for number, after in zip(node.states, states_made, strict=True):
                held[number] = after
    outputs = tuple(_value(graph, values, index) for index in graph.outputs)
    return Execution(values, outputs, held)


def _known(node: Node) -> None:
    if node.op not in OPERATORS:
        raise GraphError(f"operator {node.op} has no specification", hint="verify the graph before running it")


def _value(graph: Graph, values: Mapping[int, Array], index: int) -> Array:
    data = graph.tensors[index].data
    return values[index] if data is None else data


def compute(
    graph: Graph,
    node: Node,
    values: Mapping[int, Array] = MappingProxyType({}),
    rounding: Mapping[str, Requantize] = MappingProxyType({}),
    held: Sequence[Array] = (),
) -> tuple[Array, ...]:
    """The outputs of one node, and behind them its states where it changes them.

    `values` are its inputs that are no constants, as far as their values matter; `held` are the graph's states before.

    Raises:
        GraphError: an operator without a specification.
    """
    known = has(node, Trait.OF_SHAPE)
    inputs = [None if i == ABSENT or known else _value(graph, values, i) for i in node.inputs]
    operands = Operands(
        ins=[None if i == ABSENT else graph.tensors[i] for i in node.inputs],
        outs=[graph.tensors[i] for i in node.outputs],
        attrs=node.attrs,
        requantize=rounding.get(node.op, REQUANTIZE[node.rounding]),
        rounding=node.rounding,
        states=[graph.states[i] for i in node.states],
        held=[held[i] for i in node.states],
        run=lambda within, given: run(within, given, rounding=rounding).outputs,
    )
    with np.errstate(all="ignore"):  # floats overflow, and become no numbers, as they do in C
        return OPERATORS[node.op].values(inputs, operands)

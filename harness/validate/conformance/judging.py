"""What became of a model that ran: exact, within ULP, or wrong, and where it differs first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from harness.ir.interpreter import run
from harness.quantization.types import Array
from harness.validate.conformance.outcome import ModelOutcome, ModelStatus
from harness.validate.conformance.prepared import Prepared, same, unequal
from harness.validate.conformance.ulp import first_beyond, largest_ulp
from harness.validate.rounding import EXACT, allowances

if TYPE_CHECKING:
    from harness.validate.measurement import Measurement

Rows: TypeAlias = Sequence[Sequence[Array]]
"""[vector][output]."""


def judge(ready: Prepared, got: Rows, again: Callable[[], Measurement]) -> ModelOutcome:
    """The outcome of a model with these outputs; `again` runs it with the outputs of all layers.

    Raises:
        TinyhilError: it could not run again.
    """
    if all(same(o, e) for o, e in _pairs(got, ready.expected)):
        return ready.outcome(ModelStatus.EXACT)
    where = _differing(ready, got)
    if not all(same(o, e) for o, e in _pairs(got, _specified(ready))):
        layer, op = _first_layer(ready, again())
        return ready.outcome(ModelStatus.WRONG, f"{where}; {layer} differs from its specification", op)
    limit = largest_ulp(ready.graph)
    if not limit:
        return ready.outcome(ModelStatus.WRONG, f"{where}, and the specification has the board's values")
    if ready.reference is None:
        if _near(ready, got):
            return ready.outcome(ModelStatus.WITHIN, f"operators state up to {limit} ULP")
        return ready.outcome(ModelStatus.WRONG, f"{where}, more than up to {limit} ULP explain")
    beyond = first_beyond(ready.graph, ready.reference.tensors)
    if beyond is None:
        return ready.outcome(ModelStatus.WITHIN, f"every layer within what its operator states, up to {limit} ULP")
    return ready.outcome(ModelStatus.WRONG, f"{where}; first beyond its ULP: {beyond.op}", (beyond.op,))


def _pairs(got: Rows, wanted: Sequence[Sequence[Array | None]]) -> Iterator[tuple[Array, Array | None]]:
    for ours, theirs in zip(got, wanted, strict=True):
        yield from zip(ours, theirs, strict=True)


def _near(ready: Prepared, got: Rows) -> bool:
    """Whether golden outputs differ by no more than floats that follow from inexact ones may."""
    allowed = allowances(ready.graph)
    return all(
        theirs is None or allowed.get(t, EXACT).covers(theirs, ours).all()
        for row, wanted in zip(got, ready.expected, strict=True)
        for t, ours, theirs in zip(ready.graph.outputs, row, wanted, strict=True)
    )


def _specified(ready: Prepared) -> list[tuple[Array, ...]]:
    """The outputs by the specification, states carried on."""
    states = None
    rows = []
    for vector in ready.vectors.inputs:
        made = run(ready.graph, vector, states)
        states = made.states
        rows.append(made.outputs)
    return rows


def _differing(ready: Prepared, got: Rows) -> str:
    """Which output differs first, and in how many elements."""
    for number, (row, wanted) in enumerate(zip(got, ready.expected, strict=True)):
        for place, (ours, theirs) in enumerate(zip(row, wanted, strict=True)):
            if theirs is not None and not same(ours, theirs):
                apart = unequal(ours, theirs)
                at = int(apart.argmax())
                values = f"{ours.reshape(-1)[at]} for {theirs.reshape(-1)[at]}"
                name = ready.graph.tensors[ready.graph.outputs[place]].name
                return f"vector {number}: {int(apart.sum())} of {ours.size} elements of '{name}', [{at}] {values}"
    return "no output differs"


def _first_layer(ready: Prepared, measured: Measurement) -> tuple[str, tuple[str, ...]]:
    """(the first layer whose output is not the specification's, in words; its operator)."""
    graph, plan = ready.graph, ready.package.plan
    constants = {t.source: t.data for t in graph.tensors if t.source is not None and t.data is not None}
    states = None
    for vector, layers in zip(ready.vectors.inputs, measured.layer_outputs or (), strict=False):
        wanted = run(graph, vector, states)
        states = wanted.states
        known = constants | {graph.tensors[t].source: values for t, values in wanted.tensors.items()}
        for layer, outputs in zip(plan.layers, layers, strict=True):
            for t, ours in zip(layer.outputs, outputs, strict=True):
                tensor = plan.graph.tensors[t]
                if tensor.source not in known or ours is None:
                    continue
                if not same(ours, tensor.left_of(known[tensor.source])):
                    return f"layer {layer.name} ({layer.kernel})", (layer.op,)
    return "no layer alone", ()

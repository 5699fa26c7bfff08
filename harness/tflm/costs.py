"""What TFLM's loops cost on each core: instructions of a layer from the counts of its loops.

harness/data/tflm/costs.json has the costs of each kernel, fitted to measured layers, and how far such estimates were
from layers that were not fitted. `python -m tests.bench tflm --make FILE` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness import resources
from harness.tflm.arena import counts, kept, planned
from harness.tflm.layer import TflmLayer
from harness.tflm.loops import MUCH_LIKE, loops, measured_as
from harness.tflm.origin import Basis, TflmFigure, shortened, unknown
from harness.tflm.reading import TflmModel

PROGRAM = "program"
"""What every program of TFLM has, among the sizes of operators."""

OUTSIDE = 3.0
"""So many times the error is assumed where a layer does what none of the measured ones did."""

_AT_LEAST_OUTSIDE = 0.15
_OF_ANOTHER = 0.5
"""The error that is told of an operator whose figures are those of another."""


@dataclass(frozen=True)
class KernelCost:
    """The costs of a kernel on a core.

    Attributes:
        costs: what is done -> instructions.
        layers: how many measured layers it was fitted to.
        error: nine of ten layers that were not fitted were within this share; a guess where there were too few.
    """

    costs: Mapping[str, float]
    layers: int
    error: float


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(resources.data("tflm", "costs.json").read_text(encoding="utf-8"))
    return content


@cache
def kernels(core: str) -> Mapping[tuple[str, str], KernelCost]:
    """(operator, kernel) -> its costs on a core; none of a core that nothing is known of."""
    found = _content()["kernels"].get(core, {})
    return {
        (op, kernel): KernelCost(entry["costs"], entry["layers"], entry["error"])
        for op, by_kernel in found.items()
        for kernel, entry in by_kernel.items()
    }


def around(core: str, operators: int) -> int:
    """Instructions of the interpreter around so many operators."""
    base, each = _content()["around"][core]
    return round(float(base) + float(each) * operators)


def estimate(layer: TflmLayer, core: str) -> TflmFigure:
    """Instructions of a layer on a core; not known where TFLM's loops for it are not, or were never measured."""
    kind = "/".join(dict.fromkeys(name for name in layer.types if name))
    found = loops(layer, core)
    cost = None if found is None else kernels(core).get((measured_as(layer.op), found.kernel))
    if found is None or cost is None:
        return unknown(f"{layer.op} of {kind}" if kind else layer.op)
    value = sum(cost.costs.get(name, 0.0) * count for name, count in found.counts.items())
    new = any(count and name not in cost.costs for name, count in found.counts.items())
    error = max(OUTSIDE * cost.error, _AT_LEAST_OUTSIDE) if new else cost.error
    error = max(error, _OF_ANOTHER) if layer.op in MUCH_LIKE else error
    return TflmFigure(max(round(value), 1), Basis.ESTIMATED, error)


def arena(model: TflmModel, core: str) -> TflmFigure:
    """Bytes that TFLM uses of its arena for a model."""
    fitted = _content()["arena"][core]
    own = counts(model)
    if missing := sorted(set(own) - set(fitted["bytes"])):
        return unknown(shortened(missing))
    records = sum(fitted["bytes"][name] * count for name, count in own.items())
    value = planned(model, core) + kept(model, core) + round(records)
    return TflmFigure(value, Basis.ESTIMATED, fitted["error"])


def flash(model: TflmModel, core: str) -> TflmFigure:
    """Bytes of a program with the operators of a model alone, and of the model file."""
    fitted = _content()["flash"][core]
    operators = {measured_as(layer.op) for layer in model.layers}
    if missing := sorted(operators - set(fitted["bytes"])):
        return unknown(shortened(missing))
    code = fitted["bytes"][PROGRAM] + sum(fitted["bytes"][op] for op in operators)
    return TflmFigure(round(code) + model.size, Basis.ESTIMATED, fitted["error"] * code / (code + model.size))


def stack(model: TflmModel, core: str) -> TflmFigure:
    """Bytes of stack of Invoke(): that of the layer that takes the most."""
    fitted = _content()["stack"][core]
    keys = {stack_key(layer, core) for layer in model.layers}
    if missing := sorted(keys - set(fitted["bytes"])):
        return unknown(shortened(missing))
    return TflmFigure(max((fitted["bytes"][key] for key in keys), default=0), Basis.ESTIMATED, fitted["error"])


def stack_key(layer: TflmLayer, core: str) -> str:
    """What a layer's stack is known by: the operator, and the kernel that takes it."""
    found = loops(layer, core)
    return f"{measured_as(layer.op)}: {found.kernel if found else layer.types[0]}"

"""The support matrix as a document, as a table and as the page docs/operators.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.ir.operators import OPERATORS
from harness.ir.operators.operator import Types
from harness.kernels.base import Kernel
from harness.kernels.support import PORTABLE, VARIANTS, Support, variant_of
from harness.oracle.tflm_operators import NOT_COMPILED, RESOLVED
from harness.quantization.types import DType
from harness.report.document import Document
from harness.report.table import ReportTable

FOLDED = "folded"
_NOTE = (
    "by core, the kernel with most of the core's features that may compute it; which computes a layer follows from "
    "its shape and cost. `--json` names all kernels."
)


def document(matrix: Sequence[Support]) -> Document:
    """The matrix, and what TFLM has besides."""
    return {
        "kind": "operators",
        "cores": _cores(matrix),
        "operators": [
            {
                "op": one.operator.name,
                "types": types_text(one.types),
                "x": one.types.x.value,
                "y": one.types.y.value,
                "weights": one.types.weights.value if one.types.weights else None,
                "bias": one.types.bias.value if one.types.bias else None,
                "apart": {str(position): dtype.value for position, dtype in one.types.apart},
                "states": [dtype.value for dtype in one.types.states],
                "ulp": _ulp(one),
                "ulp_least": one.operator.ulp_least if _ulp(one) else 0.0,
                "kernels": {core: [_kernel(kernel) for kernel in found] for core, found in one.kernels.items()},
            }
            for one in matrix
        ],
        "not_compiled": dict(_missing()),
    }


def _kernel(kernel: Kernel) -> dict[str, str]:
    return {"name": type(kernel).__name__, "variant": variant_of(kernel)}


def _cores(matrix: Sequence[Support]) -> list[str]:
    return list(matrix[0].kernels)


def _ulp(one: Support) -> int:
    """How far TFLM may be from it; integers are the same bits."""
    return one.operator.ulp if "float32" in (one.types.x.value, one.types.y.value) else 0


def types_text(types: Types) -> str:
    """A combination of element types in words, such as "int16 x int8 + int64" with weights and a bias."""
    if types.free:
        return "any, a condition of bool" if types.x is DType.BOOL else "any"
    return _read(types) + (f" -> {types.y.value}" if types.y is not types.x else "")


def _read(types: Types) -> str:
    """Of the inputs and states; states of the inputs' type are left out."""
    text = types.x.value
    if types.weights is not None:
        text += f" x {types.weights.value}"
    if types.bias is not None:
        text += f" + {types.bias.value}"
    others = [f"{dtype} at {_ranges([place for place, _ in group])}" for dtype, group in _by_type(types)]
    states = dict.fromkeys(dtype.value for dtype in types.states)
    others += [f"state {'/'.join(states)}"] if set(states) - {types.x.value} else []
    return text + (f" ({', '.join(others)})" if others else "")


def _by_type(types: Types) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    pairs = [(place, dtype.value) for place, dtype in types.apart]
    for dtype in dict.fromkeys(dtype for _, dtype in pairs):
        yield dtype, [pair for pair in pairs if pair[1] == dtype]


def _ranges(places: Sequence[int]) -> str:
    """Positions of inputs: "input 1", "inputs 1-8 and 20"."""
    runs: list[list[int]] = []
    for place in sorted(places):
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    named = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return f"input{'s' if len(places) > 1 else ''} {' and '.join(named)}"


def _together(combinations: Sequence[Types]) -> list[str]:
    """Several combinations in words; those that differ in the outputs alone are one: "int8 -> int8/int32"."""
    outputs: dict[str, list[Types]] = {}
    for types in combinations:
        outputs.setdefault(types_text(types) if types.free else _read(types), []).append(types)
    return [
        types_text(found[0]) if len(found) == 1 else f"{read} -> {'/'.join(types.y.value for types in found)}"
        for read, found in outputs.items()
    ]


def _missing() -> Iterator[tuple[str, str]]:
    return ((name, why) for name, why in sorted(NOT_COMPILED.items()) if name not in OPERATORS)


def table(matrix: Sequence[Support]) -> ReportTable:
    """A line for each operator and the element types that are alike on every core."""
    cores = _cores(matrix)
    shown = [core.removeprefix("cortex-") for core in cores]
    rows = tuple((line.op, line.types, *line.variants, str(line.ulp or "")) for line in _alike(matrix))
    missing = ", ".join(name for name, _ in _missing())
    notes = (_NOTE, f"{FOLDED}: computed when the model is compiled", f"TFLM has, tinyhil has not: {missing}")
    drop = ("host", *(core for core in shown if core in ("m3", "m33")))
    return ReportTable("Operators", ("operator", "element types", *shown, "ULP"), rows, notes=notes, drop=drop)


@dataclass(frozen=True)
class _OperatorLine:
    """An operator of the element types that are alike: variant by core, and how far TFLM may be from them."""

    op: str
    types: str
    variants: tuple[str, ...]
    ulp: int


def _alike(matrix: Iterable[Support]) -> Iterator[_OperatorLine]:
    for name, group in groupby(matrix, key=lambda one: one.operator.name):
        found: dict[tuple[tuple[str, ...], int], list[Types]] = {}
        for one in group:
            variants = tuple(FOLDED if one.folded else one.variant(core) or "-" for core in one.kernels)
            found.setdefault((variants, _ulp(one)), []).append(one.types)
        for (variants, ulp), types in found.items():
            yield _OperatorLine(name, "; ".join(_together(types)), variants, ulp)


# --- the page --------------------------------------------------------------------------------------------------------

_HEAD = """# Operators

Written by `tinyhil analyze --ops --markdown`; `tests/report/host/test_operators.py` holds it current. `tinyhil analyze
--ops` prints the same for a terminal, `--json` with the name of every kernel.

A model is compiled if all its operators are of a line here; an operator of other element types is refused by name. `x`
stands before the type of the weights, `+` before that of the bias, `->` before those of the outputs where they are
others; inputs are counted from 0. By core stands the variant with most of the core's features that may compute the
operator: {variants} or {portable}, which is portable C11 (`dual`: the DSP extension in pairs for a dual-issue
pipeline). Which kernel computes a layer follows from its shape and its cost ([kernels.md](kernels.md)). `{folded}`: no
kernel is needed, since the result follows from shapes and constants when the model is compiled; where it does not, the
model is refused.

Results are TensorFlow Lite Micro's bit for bit. `ULP` is how far its host library may be from ours where floats go
through exp, log, tanh, sin or cos, in units in the last place (LOG_SOFTMAX, LSTM: of 1, for results nearer 0); ours
are the same bits on every core.
"""


def page(matrix: Sequence[Support]) -> str:
    """docs/operators.md."""
    cores = _cores(matrix)
    lines = [_HEAD.format(variants=", ".join(name for _, name in VARIANTS), portable=PORTABLE, folded=FOLDED)]
    lines += _markdown(
        ("operator", "element types", *(core.removeprefix("cortex-") for core in cores), "ULP"),
        ((line.op, line.types, *line.variants, str(line.ulp or "")) for line in _alike(matrix)),
    )
    lines += ["", "## What TFLM registers and tinyhil does not compile", ""]
    lines += ["A model with one of these is refused with its name.", ""]
    lines += _markdown(("operator", "why, and what to do"), _missing())
    lines += ["", "The frontend resolves, without an operator of the graph:", ""]
    lines += _markdown(("operator", "how"), sorted(RESOLVED.items()))
    return "\n".join(lines) + "\n"


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_line(head), _line(["---"] * len(head)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""Which operators Vela leaves to the CPU, and why: by the compiled file, and by what Vela printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.ethosu.payload import CUSTOM_CODE
from harness.frontends.tflite.schema import FileOperator, FileSubgraph

_MOST_REASONS = 100_000
_REFUSED = re.compile(r"^Warning \([^)]*\) operator: (?P<op>\S+), ofm: '(?P<name>.*)'$")
_REASON = "Reason: "
_OLD = re.compile(
    r"^Warning: (?:Unsupported TensorFlow Lite semantics for )?(?P<op>\S+) '(?P<name>.*)'"
    r"(?: is not supported on the NPU)?\. Placing on CPU instead$"
)


@dataclass(frozen=True)
class CpuOperator:
    """An operator that stays on the CPU.

    Attributes:
        place: its number in the compiled file.
        name: such as SOFTMAX.
        number: its number in the original file; None where Vela made it, or where it cannot be told.
        reason: Vela's words; "" where it gave none.
    """

    place: int
    name: str
    number: int | None
    reason: str


def reasons(printed: str) -> dict[str, str]:
    """Name of an operator's output -> why Vela leaves the operator to the CPU, the first that it says.

    Vela 5 prints a line with the operator and its output, then the reason up to an empty line; Vela 3 and 4, and the
    old core of Vela 5, print a line and below it reasons as a list.
    """
    found: dict[str, str] = {}
    lines = printed.splitlines()
    for at, line in enumerate(lines):
        new, old = _REFUSED.match(line), _OLD.match(line)
        if new:
            told = " ".join(_until_empty(lines[at + 1 :])).removeprefix(_REASON)
            found.setdefault(new["name"], told)
        elif old:
            told = "; ".join(part.strip(" -") for part in _indented(lines[at + 1 :]))
            found.setdefault(old["name"], told)
        if len(found) >= _MOST_REASONS:
            break
    return found


def _until_empty(lines: list[str]) -> Iterable[str]:
    for line in lines[:8]:
        if not line.strip() or _REFUSED.match(line):
            return
        yield line.strip()


def _indented(lines: list[str]) -> Iterable[str]:
    for line in lines[:8]:
        if not line.startswith(" "):
            return
        yield line.strip()


def cpu_operators(compiled: FileSubgraph, original: FileSubgraph, said: Mapping[str, str]) -> tuple[CpuOperator, ...]:
    """Those of a compiled file that are not for the NPU, in its order."""
    left = {operator.index: operator for operator in original.operators}
    found = []
    for operator in compiled.operators:
        if operator.custom == CUSTOM_CODE:
            continue
        outputs = _outputs(compiled, operator)
        match = _match(operator, outputs, original, left)
        if match is not None:
            left.pop(match)
        names = outputs if match is None else (*_outputs(original, original.operators[match]), *outputs)
        reason = next((said[name] for name in names if name in said), "")
        found.append(CpuOperator(operator.index, name_of(operator), match, reason))
    return tuple(found)


def name_of(operator: FileOperator) -> str:
    """An operator's name; of a custom one that which it gives itself."""
    return operator.custom or operator.name


def _match(
    operator: FileOperator, outputs: tuple[str, ...], original: FileSubgraph, left: Mapping[int, FileOperator]
) -> int | None:
    """The operator of the original file that writes the same tensor, else the first of the same kind that is left."""
    same = [index for index, other in left.items() if other.key == operator.key]
    named = [index for index in same if outputs and _outputs(original, left[index]) == outputs]
    return next(iter([*named, *same]), None)


def _outputs(subgraph: FileSubgraph, operator: FileOperator) -> tuple[str, ...]:
    return tuple(subgraph.tensors[index].name for index in operator.outputs)

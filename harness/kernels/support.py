"""The support matrix: which kernels compute an operator of which element types on which cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.hardware.cores import CORES
from harness.ir.operators import OPERATORS
from harness.ir.operators.operator import Operator, Types
from harness.kernels.base import Kernel
from harness.kernels.discovery import all_kernels

VARIANTS = (("mve", "MVE"), ("dual-issue", "dual"), ("dsp", "DSP"))
"""Core feature that a kernel asks for -> what the variant is called; the first that applies names it."""

PORTABLE = "C"


@dataclass(frozen=True)
class Support:
    """An operator of one combination of element types.

    Attributes:
        operator: its record.
        types: a row of its type policy.
        kernels: core -> the kernels that may compute it there, those that ask for most features first. Which of them
            computes a node follows from its shape and from what they cost.
    """

    operator: Operator
    types: Types
    kernels: Mapping[str, tuple[Kernel, ...]]

    @property
    def folded(self) -> bool:
        """Whether no core has a kernel: it is computed when the model is compiled, or the model is refused."""
        return not any(self.kernels.values())

    def variant(self, core: str) -> str:
        """What the kernel with most features is called: MVE, dual, DSP or C; "" where there is none."""
        found = self.kernels[core]
        return variant_of(found[0]) if found else ""


def variant_of(kernel: Kernel) -> str:
    """What a kernel is called by the features that it asks for."""
    return next((name for feature, name in VARIANTS if feature in kernel.features), PORTABLE)


def support_matrix() -> tuple[Support, ...]:
    """Every operator that models have, of all element types of its policy; by name, then in the policy's order."""
    operators = sorted((o for o in OPERATORS.values() if o.tflite is not None), key=lambda operator: operator.name)
    return tuple(Support(o, types, _kernels(o, types)) for o in operators for types in o.types)


def _kernels(operator: Operator, types: Types) -> dict[str, tuple[Kernel, ...]]:
    order = [name for _, name in VARIANTS] + [PORTABLE]
    able = [kernel for kernel in all_kernels() if operator.name in kernel.ops and kernel.takes(types)]
    able.sort(key=lambda kernel: order.index(variant_of(kernel)))
    return {
        name: tuple(kernel for kernel in able if kernel.runs_on(CORES.get(name).features)) for name in CORES.names()
    }

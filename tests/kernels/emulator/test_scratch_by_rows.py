"""Kernels with scratch in layers that are computed a few rows at a time: their scratch lies where nothing else does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.boards import load_boards
from harness.compiler.choice import KernelChoice, choices
from harness.compiler.compile import ROW_FUSION, compile_graph
from harness.compiler.goals import Goals
from harness.compiler.plan import Plan
from harness.kernels.context import Context
from tests.support.compiled import VECTORS, check_on_board
from tests.support.conv_networks import vgg_like
from tests.support.draft import Few
from tests.support.scale import scaled

CASES: list[tuple[str, str, Few | None]] = [
    ("host", "ConvS8Portable", None),
    ("host", "ConvS8Pairs", None),
    ("host", "ConvS8Lut16Portable", "shared"),
    ("host", "ConvS8Lut16Pairs", "shared"),
    ("mps2-an386", "ConvS8LinePadded", None),
    ("mps2-an386", "ConvS8Lut16Dsp", "shared by channel"),
    ("mps2-an386", "ConvS8GeneralDsp", None),
    ("mps2-an500", "ConvS8LineDualIssue", None),
    ("mps3-an547", "ConvColumnsS8Mve", None),
]
DEFAULT = ("ConvS8Lut16Portable", "ConvS8Lut16Pairs", "ConvS8GeneralDsp")
"""Those that place scratch themselves, but for padded images (test_dsp_convolution.py), and one on a core."""


def _with_scratch(plan: Plan) -> Iterator[str]:
    """Kernels of layers by rows that have scratch."""
    for step in plan.steps:
        for part in step.parts if len(step.nodes) > 1 else ():
            if part.kernel.lower(part.context).scratch:
                yield type(part.kernel).__name__


@pytest.mark.parametrize(
    ("board", "kernel", "few"), [case for case in CASES if case[1] in scaled(DEFAULT, {case[1]})]
)
def test_scratch_lies_apart(board: str, kernel: str, few: Few | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def only(context: Context) -> list[KernelChoice]:
        found = choices(context)
        return [choice for choice in found if type(choice.kernel).__name__ == kernel] or found

    monkeypatch.setattr("harness.compiler.fusion.groups.choices", only)
    graphs = [vgg_like(8 + 2 * (seed % 4), (4 + seed % 3,), seed, few) for seed in range(scaled(2, 12))]
    core, prefer = load_boards()[board].core, {kernel, ROW_FUSION}
    plans = [compile_graph(graph, core=core, prefer=prefer, goals=Goals("ram")) for graph in graphs]
    assert any(kernel in _with_scratch(plan) for plan in plans)
    sanitize = board == "host"
    assert check_on_board(graphs, board, prefer=prefer, modes=("ram",), sanitize=sanitize) == VECTORS * len(graphs)

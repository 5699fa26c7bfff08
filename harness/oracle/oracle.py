"""The record of an oracle, and the table of all oracles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.ir.graph import Graph
from harness.oracle.session import Interpreter
from harness.plugins import Table


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Oracle:
    """A reference implementation. Exactly one of `interpret` and `interpret_graph` is given.

    Attributes:
        load: imports the packages that it needs. Raises OracleMissingError.
        interpret: opens a model by the bytes of its file; can run in a process of its own. Raises OracleError.
        interpret_graph: opens a model by its Graph. Raises OracleError.
        of_original: whether the file is the one that the user gave (Graph.original), which is no .tflite.
    """

    load: Callable[[], None] = _nothing
    interpret: Callable[[bytes], Interpreter] | None = None
    interpret_graph: Callable[[Graph], Interpreter] | None = None
    of_original: bool = False

    def takes(self, graph: Graph) -> bool:
        """Whether it computes what the graph says: readers of a .tflite round as TFLM does, whatever nodes say."""
        return self.interpret_graph is not None or self.of_original or graph.follows_tflm


ORACLES: Table[Oracle] = Table(
    "oracle",
    "tinyhil.oracles",
    {
        "tflm": "harness.oracle.tflm:TFLM",
        "litert-ref": "harness.oracle.litert:LITERT_REF",
        "litert": "harness.oracle.litert:LITERT",
        "litert-builtin": "harness.oracle.litert:LITERT_BUILTIN",
        "onnxruntime": "harness.oracle.onnxruntime:ONNX_RUNTIME",
        "spec": "harness.oracle.specification:SPECIFICATION",
    },
)
"""Name -> oracle; "tflm" is the reference that results are compared with by default."""

NOT_GATING = frozenset({"litert-builtin"})
"""Oracles that no card may name as its reference: kernels that LiteRT ships, but does not choose by itself."""


def gating_names() -> tuple[str, ...]:
    """Oracles that a card may name as its reference."""
    return tuple(name for name in ORACLES.names() if name not in NOT_GATING)

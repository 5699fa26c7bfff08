"""References: what a network must compute, from its executable specification and from TensorFlow's interpreters."""

from __future__ import annotations

from harness.errors import OracleError
from harness.ir.graph import Graph
from harness.oracle.interpreters import load_package, open_interpreter
from harness.oracle.session import Interpreter, OracleResult, OracleSession

__all__ = ["ORACLES", "Interpreter", "OracleResult", "OracleSession", "load_package", "open_interpreter", "open_oracle"]

ORACLES = ("tflm", "litert-ref", "litert", "litert-builtin", "spec")
"""Names that open_oracle takes; "tflm" is the reference that results are compared with by default."""


def open_oracle(
    name: str, graph: Graph, *, isolated: bool = False, time_limit_s: float = 60.0, memory_limit: int = 1 << 30
) -> OracleSession:
    """Open an oracle on the model of `graph`, which "spec" interprets and the others read from graph.model.

    With `isolated` the interpreter runs in a process of its own, with limits on its time (seconds, for loading and for
    each inference) and memory (bytes): for a file that is not trusted, since interpreters abort on some of those.

    Raises:
        OracleMissingError: the package it needs is not installed.
        OracleError: no oracle of that name, or it refuses the model.
    """
    if name not in ORACLES:
        raise OracleError(f"there is no oracle '{name}'", hint="oracles are " + ", ".join(ORACLES))
    if name == "spec":
        from harness.oracle.session import SpecInterpreter

        return OracleSession(name, graph, SpecInterpreter(graph))
    if not graph.model:
        raise OracleError(f"model '{graph.name}' has no file for '{name}' to read", hint="import the model from a file")
    if isolated:
        from harness.oracle.isolated import IsolatedInterpreter

        interpreter = IsolatedInterpreter(graph.model, name, time_limit_s=time_limit_s, memory_limit=memory_limit)
        return OracleSession(name, graph, interpreter)
    return OracleSession(name, graph, open_interpreter(name, graph.model))

"""Oracles: reference outputs of a network, from its executable specification and from TensorFlow's interpreters."""

from __future__ import annotations

from harness.errors import OracleError
from harness.ir.graph import Graph
from harness.oracle.isolated import IsolatedInterpreter
from harness.oracle.oracle import ORACLES, Oracle
from harness.oracle.server import can_isolate
from harness.oracle.session import Interpreter, OracleResult, OracleSession

__all__ = ["ORACLES", "Interpreter", "Oracle", "OracleResult", "OracleSession", "open_oracle"]


def open_oracle(
    name: str, graph: Graph, *, isolated: bool = False, time_limit_s: float = 60.0, memory_limit: int = 1 << 30
) -> OracleSession:
    """Open an oracle on the model of `graph`: on the bytes of its file, or on the graph itself.

    With `isolated` the interpreter of a file runs in a process of its own, with limits on its time (seconds, for
    loading and for each inference) and memory (bytes): for a file that is not trusted, which may make an interpreter
    abort. Windows cannot: there it runs in this process.

    Raises:
        OracleMissingError: the package it needs is not installed.
        OracleError: no oracle of that name, or it refuses the model.
        PluginError: another package's oracle of that name cannot be loaded.
    """
    if name not in ORACLES:
        raise OracleError(f"there is no oracle '{name}'", hint="oracles are " + ", ".join(ORACLES.names()))
    oracle = ORACLES.get(name)
    if oracle.interpret_graph is not None:
        return OracleSession(name, graph, oracle.interpret_graph(graph))
    if not graph.model:
        raise OracleError(f"model '{graph.name}' has no file for '{name}' to read", hint="import the model from a file")
    if isolated and can_isolate():
        interpreter: Interpreter = IsolatedInterpreter(
            graph.model, name, time_limit_s=time_limit_s, memory_limit=memory_limit
        )
        return OracleSession(name, graph, interpreter)
    if oracle.interpret is None:
        raise OracleError(f"oracle '{name}' opens neither a file nor a graph", hint="correct the package that has it")
    return OracleSession(name, graph, oracle.interpret(graph.model))

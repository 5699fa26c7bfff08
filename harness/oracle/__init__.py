"""Oracles: reference outputs of a network, from its executable specification and from TensorFlow's interpreters."""

from __future__ import annotations

from harness.errors import OracleError
from harness.ir.graph import Graph
from harness.oracle.isolated import MEMORY_LIMIT, TIME_LIMIT_S, IsolatedInterpreter
from harness.oracle.oracle import ORACLES, Oracle
from harness.oracle.server import can_isolate
from harness.oracle.session import Interpreter, OracleResult, OracleSession

__all__ = ["ORACLES", "Interpreter", "Oracle", "OracleResult", "OracleSession", "open_file", "open_oracle"]


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
    if not oracle.takes(graph):
        raise OracleError(
            f"'{name}' rounds as TensorFlow Lite does, model '{graph.name}' as ONNX Runtime",
            hint="the oracle 'spec' computes it bit for bit; 'onnxruntime' opens the .onnx file",
        )
    model = graph.original if oracle.of_original else graph.model
    if not model:
        hint = "give the .onnx file" if oracle.of_original else "import the model from a file"
        raise OracleError(f"model '{graph.name}' has no file for '{name}' to read", hint=hint)
    if isolated:
        interpreter = open_file(name, model, time_limit_s=time_limit_s, memory_limit=memory_limit)
        return OracleSession(name, graph, interpreter)
    return OracleSession(name, graph, _open_here(name, model))


def open_file(
    name: str, model: bytes, *, time_limit_s: float = TIME_LIMIT_S, memory_limit: int = MEMORY_LIMIT
) -> Interpreter:
    """Open an oracle on the bytes of a model file that tinyhil itself need not be able to read.

    It runs in a process of its own, as of `open_oracle` with `isolated`, with the same limits. Close it after use.

    Raises:
        OracleMissingError: the package it needs is not installed.
        OracleError: it refuses the model.
    """
    if can_isolate():
        return IsolatedInterpreter(model, name, time_limit_s=time_limit_s, memory_limit=memory_limit)
    return _open_here(name, model)


def _open_here(name: str, model: bytes) -> Interpreter:
    interpret = ORACLES.get(name).interpret
    if interpret is None:
        raise OracleError(f"oracle '{name}' opens neither a file nor a graph", hint="correct the package that has it")
    return interpret(model)

"""A model that crashes its oracle costs an error of that model alone, and every model some milliseconds."""

from __future__ import annotations

import os
import signal
import sys

import numpy as np
import pytest

from harness.errors import OracleError
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.oracle import open_oracle
from harness.oracle.server import SERVER, OracleServer
from harness.validate.reference import References
from harness.validate.vectors import Vectors, from_arrays
from tests.support.crashing import CRASHING, long_softmax
from tests.support.generated import random_graph, random_inputs
from tests.support.paths import FIXTURES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork there")


def given(graph: Graph) -> Vectors:
    zeros = [np.zeros(graph.tensors[i].shape, np.int8) for i in graph.inputs]
    return from_arrays([zeros, zeros], graph)


@pytest.mark.parametrize("kind", [*CRASHING, "long_softmax"])
def test_a_crash_is_an_error_and_the_next_model_is_computed(kind):
    known = References()
    bad, good = load({**CRASHING, "long_softmax": long_softmax}[kind](), name=kind), load(FIXTURES / "digits.tflite")
    for _ in range(2):
        with pytest.raises(OracleError, match="crashed with SIG"):
            known.get("tflm", bad, given(bad), count=2, tensors=1)
        found = known.get("tflm", good, given(good), count=2, tensors=1)
        expected = known.get("spec", good, given(good), count=2, tensors=1)
        np.testing.assert_array_equal(found.outputs[0][0], expected.outputs[0][0])
        assert found.version.startswith("tflite-micro ")


def test_models_share_a_worker_that_crashes_leave_alone():
    """Which makes an isolated model cost a fork, not a start (`python -m tests.bench oracle`)."""
    good, bad = load(FIXTURES / "digits.tflite"), load(CRASHING["empty_second_subgraph"](), name="bad")
    open_oracle("tflm", good, isolated=True).close()
    worker = SERVER.pid
    for _ in range(2):
        with pytest.raises(OracleError):
            open_oracle("tflm", bad, isolated=True)
        open_oracle("litert-ref", good, isolated=True).close()
        assert SERVER.pid == worker is not None


def test_a_worker_that_is_gone_is_replaced():
    graph = random_graph(np.random.default_rng(0), "RELU")
    vector = random_inputs(graph, np.random.default_rng(0), 1)[0]
    with open_oracle("tflm", graph, isolated=True) as session:
        before = SERVER.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        session.invoke(vector)  # its process is not the worker
    with open_oracle("tflm", graph, isolated=True) as session:
        session.invoke(vector)
    assert SERVER.pid not in (None, before)


def test_sessions_stand_side_by_side():
    graphs = [random_graph(np.random.default_rng(seed), "STATE") for seed in range(3)]
    sessions = [open_oracle("tflm", graph, isolated=True) for graph in graphs]
    for graph, session in zip(graphs, sessions, strict=True):
        wanted = open_oracle("tflm", graph)
        for vector in random_inputs(graph, np.random.default_rng(1), 3):
            for a, b in zip(session.invoke(vector).outputs, wanted.invoke(vector).outputs, strict=True):
                np.testing.assert_array_equal(a, b)
    for session in sessions:
        session.close()


def test_a_forked_process_starts_a_worker_of_its_own():
    server = OracleServer()
    line, child = server.open("spec")
    forked = os.fork()
    if forked == 0:
        status = 1
        try:
            other, number = server.open("spec")
            other.close()
            status = 0 if server.end(number) == -signal.SIGKILL or server.end(number) == 0 else 2
            server.close()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0
    line.close()
    assert server.end(child) is not None
    server.close()
    assert server.pid is None

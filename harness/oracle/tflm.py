"""The default oracle: the host build of TensorFlow Lite Micro, package `tflite-micro`."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np

from harness.errors import OracleError, OracleMissingError
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.schema import MAX_SUBGRAPHS
from harness.oracle.oracle import Oracle
from harness.oracle.quiet import captured_stderr
from harness.oracle.session import Interpreter, Tensors
from harness.quantization.types import Array

T = TypeVar("T")

FIRST_ARENA = 1 << 20
LARGEST_ARENA = 1 << 29

# Words that TFLM prints when the arena is too small; a larger one helps with no other failure.
_ARENA_WORDS = ("missing:", "ailed to allocate", "not enough", "arena")


class TflmInterpreter(Interpreter):
    """TFLM with every intermediate tensor kept.

    Raises:
        OracleMissingError: package tflite-micro is not there.
        OracleError: TFLM refuses the model; details carry what it printed. On some malformed models TFLM aborts the
            process: harness.oracle.isolated guards against that.
    """

    def __init__(self, model: bytes) -> None:
        self._runtime = load_runtime()
        self.version = f"tflite-micro {version('tflite-micro')}"
        self._model = model
        self._arena = FIRST_ARENA
        while True:
            try:
                self._interpreter, self._outputs = self._open()
                return
            except OracleError as error:
                small = any(word in error.details for word in _ARENA_WORDS)
                if not small or self._arena >= LARGEST_ARENA:
                    raise
                self._arena *= 2

    def _open(self) -> tuple[Any, int]:
        config = self._runtime.InterpreterConfig.kPreserveAllTensors

        def build() -> tuple[Any, int]:
            interpreter = self._runtime.Interpreter.from_bytes(
                self._model, arena_size=self._arena, intrepreter_config=config
            )
            return interpreter, _count_outputs(self._model)

        return _guarded("TFLM refuses the model", build)

    def invoke(self, inputs: Sequence[Array], sources: Sequence[int]) -> tuple[tuple[Array, ...], Tensors]:
        """See Interpreter; keeps every tensor."""

        def compute() -> tuple[tuple[Array, ...], Tensors]:
            # Inputs share memory with activations, so they must be set before every inference.
            for index, array in enumerate(inputs):
                self._interpreter.set_input(np.ascontiguousarray(array).reshape(array.shape), index)
            self._interpreter.invoke()
            outputs = tuple(self._interpreter.get_output(i) for i in range(self._outputs))
            return outputs, {source: self._tensor(source) for source in sources}

        return _guarded("TFLM failed during an inference", compute)

    def _tensor(self, source: int) -> Array:
        array = self._interpreter.GetTensor(source, 0).pop("tensor_data")
        copy: Array = array.copy()
        # GetTensor leaks a reference (seen in 2026), and with it every tensor of every inference.
        if sys.getrefcount(array) > 2:
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(array))
        return copy

    def reset(self) -> None:
        """Loads the model again, since TFLM's own reset sets variables to zero instead of their initial values."""
        self._interpreter, self._outputs = self._open()


def load_runtime() -> Any:
    """TFLM's Python module.

    Raises:
        OracleMissingError: package tflite-micro is not there.
    """
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError as error:
        raise OracleMissingError(
            f"the oracle 'tflm' needs package tflite-micro: {error}",
            hint=missing_hint(),
        ) from error
    return runtime


def missing_hint() -> str:
    """What to do on this machine where the package is not installed."""
    if (sys.platform, platform.machine()) == ("linux", "x86_64"):
        return "pip install 'tflite-micro>=0.dev20260930024714'; without it, the oracle 'spec' gives the same bytes"
    return (
        "the oracle 'spec' (--oracle spec, or in the card) is tinyhil's own and gives the same bytes; tflite-micro has "
        "wheels for Linux on x86-64 only"
    )


def _count_outputs(model: bytes) -> int:
    # Not by package tflite: importing it takes longer than most models.
    subgraphs = FlatTable.root(model, "model").tables(8, "subgraph", MAX_SUBGRAPHS)
    return subgraphs[0].vector(8, 4, "outputs")[1]


def _guarded(what: str, action: Callable[[], T]) -> T:
    failure: Exception | None = None
    with captured_stderr() as captured:
        try:
            return action()
        except Exception as error:  # pybind11 raises RuntimeError, ValueError or IndexError for TFLM
            failure = error
    raise OracleError(
        f"{what}: {failure}",
        hint="see the details for TFLM's own words; it may not support an operator as this model uses it",
        details=captured.text,
    ) from failure


def _load() -> None:
    load_runtime()
    version("tflite-micro")  # imports what reads it


TFLM = Oracle(load=_load, interpret=TflmInterpreter)

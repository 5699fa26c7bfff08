"""ONNX Runtime (package `onnxruntime`): what the ONNX file itself gives, beside what was made of it.

Without graph optimizations: DequantizeLinear and QuantizeLinear are computed as the file has them, in float32. Fused
integer kernels on x86 without VNNI saturate where the standard does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.errors import OracleError, OracleMissingError
from harness.oracle.oracle import Oracle
from harness.oracle.quiet import captured_stderr
from harness.oracle.session import Interpreter, Tensors
from harness.quantization.types import Array

_TYPES = {"tensor(int64)": np.int64, "tensor(double)": np.float64}
"""Element types of inputs that tinyhil has otherwise."""

_FATAL = 4


def _module() -> Any:
    try:
        import onnxruntime
    except Exception as error:  # built against another numpy, a package fails with more than ImportError
        raise OracleMissingError(
            "the oracle 'onnxruntime' needs the package onnxruntime",
            hint="pip install 'tinyhil[onnx]'",
            details=str(error),
        ) from None
    return onnxruntime


class OnnxInterpreter(Interpreter):
    """ONNX Runtime on the CPU, one thread.

    Raises:
        OracleMissingError: the package cannot be imported.
        OracleError: it refuses the model.
    """

    def __init__(self, model: bytes) -> None:
        module = _module()
        self.version = f"onnxruntime {module.__version__}"
        options = module.SessionOptions()
        options.graph_optimization_level = module.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        with captured_stderr() as captured:
            try:
                self._session = module.InferenceSession(model, options, providers=["CPUExecutionProvider"])
                return
            except Exception as error:
                failure = error
        raise OracleError(
            f"ONNX Runtime refuses the model: {' '.join(str(failure).split())[:300]}",
            hint="use the oracle 'tflm'",
            details=captured.text,
        ) from failure

    def invoke(self, inputs: Sequence[Array], sources: Sequence[int]) -> tuple[tuple[Array, ...], Tensors]:
        """See Interpreter; outputs in the types that the Graph has, and no other tensors: their names are others."""
        wanted = self._session.get_inputs()
        given = {}
        for entry, array in zip(wanted, inputs, strict=True):
            dtype = _TYPES.get(entry.type)
            given[entry.name] = array if dtype is None else array.astype(dtype)
        try:
            outputs = self._session.run(None, given)
        except Exception as error:
            raise OracleError(
                f"ONNX Runtime failed during an inference: {' '.join(str(error).split())[:300]}",
                hint="use the oracle 'tflm'",
            ) from error
        narrow = [np.asarray(o).astype(np.int32) if np.asarray(o).dtype == np.int64 else np.asarray(o) for o in outputs]
        return tuple(narrow), {}

    def reset(self) -> None:
        """An ONNX model keeps no state."""


def _load() -> None:
    _module()


ONNX_RUNTIME = Oracle(load=_load, interpret=OnnxInterpreter, of_original=True)

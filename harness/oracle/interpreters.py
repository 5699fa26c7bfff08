"""The interpreters of TensorFlow, by the name of their oracle."""

from __future__ import annotations

from harness.oracle.session import Interpreter


def load_package(name: str) -> None:
    """Import what an oracle needs.

    Raises:
        OracleMissingError: the package is not installed.
    """
    # Imported here: the packages are large, and params.py must do without them.
    if name == "tflm":
        from harness.oracle.tflm import load_runtime

        load_runtime()
    else:
        from harness.oracle.litert import find_package

        find_package()


def open_interpreter(name: str, model: bytes) -> Interpreter:
    """The interpreter of one of TensorFlow's oracles, in this process.

    Raises:
        OracleMissingError: the package it needs is not installed.
        OracleError: it refuses the model.
    """
    if name == "tflm":
        from harness.oracle.tflm import TflmInterpreter

        return TflmInterpreter(model)
    from harness.oracle.litert import LitertInterpreter

    return LitertInterpreter(model, name)

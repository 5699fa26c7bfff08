"""Second references: LiteRT (package `ai-edge-litert`), or its predecessor `tflite-runtime` where that is installed."""

from __future__ import annotations

import platform
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np

from harness.errors import OracleError, OracleMissingError
from harness.oracle.oracle import Oracle
from harness.oracle.quiet import captured_stderr
from harness.oracle.session import Interpreter, Tensors
from harness.quantization.fixedpoint import multiply_by_quantized_multiplier, multiply_rounding_up
from harness.quantization.requantize import Requantize, nearest, rounding_up, scales_in_float, tflm
from harness.quantization.types import Array

PACKAGES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}
"""Distribution -> module; the first that can be imported is used."""

RESOLVERS = {"litert": "AUTO", "litert-ref": "BUILTIN_REF", "litert-builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES"}
"""Oracle name -> LiteRT's op resolver: with XNNPACK, plain reference, optimised without a delegate."""

_UP = scales_in_float(multiply_rounding_up, rounding_up)
_TFLITE_RUNTIME = {"CONV_2D": rounding_up, "FULLY_CONNECTED": _UP}

ROUNDING: Mapping[str, Mapping[str, Mapping[str, Requantize]]] = {
    "ai-edge-litert": {
        "litert-ref": {"FULLY_CONNECTED": nearest},
        "litert-builtin": {"CONV_2D": rounding_up, "DEPTHWISE_CONV_2D": rounding_up, "FULLY_CONNECTED": _UP},
    },
    "tflite-runtime": {
        "litert-ref": {"FULLY_CONNECTED": scales_in_float(multiply_by_quantized_multiplier, tflm)},
        "litert-builtin": _TFLITE_RUNTIME,
        # tflite-runtime gives no quantized operator to XNNPACK.
        "litert": _TFLITE_RUNTIME,
    },
}
"""All differences of these oracles from TFLM on x86, by package and name, as the `rounding` of ir.interpreter.run.

ai-edge-litert's "litert" is not here: it requantizes in float32. Versions seen: ai-edge-litert 2.3, tflite-runtime 2.14
(whose reference kernel moreover computes FULLY_CONNECTED per channel wrongly for more than one row).
"""


class LitertInterpreter(Interpreter):
    """LiteRT or tflite-runtime, whose Interpreter classes have the same methods as far as they are used here.

    Raises:
        OracleMissingError: no package, or not the one asked for, can be imported.
        OracleError: LiteRT refuses the model.
    """

    def __init__(self, model: bytes, name: str, package: str | None = None) -> None:
        self.package, module = find_package(package)
        self.version = f"{self.package} {version(self.package)}"
        self._module = module
        self._model = model
        self._name = name
        self._interpreter = self._open()

    def _open(self) -> Any:
        resolver = getattr(self._module.OpResolverType, RESOLVERS[self._name])
        # A delegate does not write intermediate tensors: only outputs are valid then.
        keep = self._name != "litert"
        failure: Exception | None = None
        with captured_stderr() as captured:
            try:
                interpreter = self._module.Interpreter(
                    model_content=self._model,
                    num_threads=1,
                    experimental_op_resolver_type=resolver,
                    experimental_preserve_all_tensors=keep,
                )
                interpreter.allocate_tensors()
                return interpreter
            except Exception as error:
                failure = error
        raise OracleError(
            f"LiteRT refuses the model: {str(failure) or type(failure).__name__}",
            hint="use the oracle 'tflm'",
            details=captured.text,
        ) from failure

    def invoke(self, inputs: Sequence[Array], sources: Sequence[int]) -> tuple[tuple[Array, ...], Tensors]:
        """See Interpreter; only tensors whose bytes are still the computed ones are returned.

        "litert" computes in a delegate, which writes outputs only; tflite-runtime computes some operators in place.
        """
        failure: Exception | None = None
        with captured_stderr() as captured:
            try:
                return self._invoke(inputs, sources)
            except Exception as error:
                failure = error
        raise OracleError(
            f"LiteRT failed during an inference: {str(failure) or type(failure).__name__}",
            hint="use the oracle 'tflm'",
            details=captured.text,
        ) from failure

    def _invoke(self, inputs: Sequence[Array], sources: Sequence[int]) -> tuple[tuple[Array, ...], Tensors]:
        for detail, array in zip(self._interpreter.get_input_details(), inputs, strict=True):
            self._interpreter.set_tensor(detail["index"], array)
        self._interpreter.invoke()
        outputs = [detail["index"] for detail in self._interpreter.get_output_details()]
        read = self._interpreter.get_tensor
        shown = {source: np.array(read(source)) for source in self._intact(sources, outputs)}
        return tuple(np.array(read(i)) for i in outputs), shown

    def _intact(self, sources: Sequence[int], outputs: Sequence[int]) -> list[int]:
        if self._name == "litert":
            return [source for source in sources if source in outputs]
        places = {s: self._interpreter.tensor(s)().__array_interface__["data"][0] for s in sources}
        uses = Counter(places.values())
        return [source for source in sources if uses[places[source]] == 1 or source in outputs]

    def reset(self) -> None:
        """Loads the model again, which initializes its variables."""
        self._interpreter = self._open()


def find_package(package: str | None = None) -> tuple[str, Any]:
    """(distribution, module) of `package`, or of the first one that can be imported.

    Raises:
        OracleMissingError: there is none.
    """
    failures = []
    for distribution, name in PACKAGES.items():
        if package in (None, distribution):
            try:
                return distribution, import_module(name)
            except Exception as error:  # built against another numpy, a package fails with more than ImportError
                failures.append(f"{distribution}: {error}")
    raise OracleMissingError(
        f"the oracles 'litert' and 'litert-ref' need {package or ' or '.join(PACKAGES)}",
        hint=missing_hint(),
        details="\n".join(failures),
    )


def missing_hint() -> str:
    """What to do on this machine where no package is installed."""
    if (sys.platform, platform.machine()) == ("darwin", "x86_64"):
        return "ai-edge-litert has wheels for Linux, Windows and macOS on arm64; the oracle 'spec' runs everywhere"
    return "pip install 'tinyhil[litert]'"


def _load() -> None:
    package, _ = find_package()
    version(package)  # imports what reads it


def _oracle(name: str) -> Oracle:
    return Oracle(load=_load, interpret=lambda model: LitertInterpreter(model, name))


LITERT_REF = _oracle("litert-ref")
LITERT = _oracle("litert")
LITERT_BUILTIN = _oracle("litert-builtin")

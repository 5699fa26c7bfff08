"""Operators that tflite-micro registers: each has a record, or a reason why it has none."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from elftools.elf.elffile import ELFFile

from harness.ir.operators import OPERATORS
from harness.oracle.tflm_operators import NOT_COMPILED, RESOLVED

_BUILTIN = re.compile(r"_ZN6tflite(?:5micro)?\d+Register_(\w+)Ev")
_SIGNAL = re.compile(r"_ZN6tflite(?:5micro)?11tflm_signal\d+Register_(\w+)Ev")
_CUSTOM = {"DETECTION_POSTPROCESS": "TFLite_Detection_PostProcess", "ETHOSU": "ethos-u"}
_VARIANT = re.compile(r"_(?:INT|UINT|FLOAT)\d*$")


def registered() -> set[str]:
    """Names, as models have them, of the operators for which the library has a registration."""
    spec = find_spec("tflite_micro")
    assert spec is not None and spec.origin is not None
    (library,) = Path(spec.origin).parent.rglob("_runtime.so")
    with library.open("rb") as file:
        symbols = [symbol.name for symbol in ELFFile(file).get_section_by_name(".dynsym").iter_symbols()]
    builtin = {match[1] for name in symbols if (match := _BUILTIN.fullmatch(name))}
    signal = {match[1] for name in symbols if (match := _SIGNAL.fullmatch(name)) and not _VARIANT.search(match[1])}
    return {_CUSTOM.get(name, name) for name in builtin} | {_signal_name(name) for name in signal}


def _signal_name(name: str) -> str:
    """FFT_AUTO_SCALE is SignalFftAutoScale in models."""
    return "Signal" + ("PCAN" if name == "PCAN" else "".join(word.capitalize() for word in name.split("_")))


def test_every_operator_of_tflm_has_a_record_or_a_reason() -> None:
    found = registered()
    assert len(found) > 100 and {"CONV_2D", "SVDF", "SignalRfft"} <= found
    assert sorted(found - OPERATORS.keys() - NOT_COMPILED.keys() - RESOLVED.keys()) == []


def test_no_reason_is_given_for_what_is_compiled_or_not_there() -> None:
    assert sorted(NOT_COMPILED.keys() & OPERATORS.keys()) == [], "take them out of NOT_COMPILED"
    assert sorted((NOT_COMPILED.keys() | RESOLVED.keys()) - registered()) == []

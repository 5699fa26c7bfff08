"""Why operators stay on the CPU, as several versions of Vela say it."""

from __future__ import annotations

from harness.offload.fallback import reasons

NEW = """Warning (supported operators) operator: CUSTOM, ofm: 'signal_energy'
Reason: Unsupported opType

Warning (supported operators) operator: RELU, ofm: 'a 'quoted' name'
Reason: Operation has tensor with unsupported DataType Float32 (x)
Feature-map dataTypes must be one of {"INT8"}

Network summary for model
"""

OLD = """Warning: L2_NORMALIZATION 'norm' is not supported on the NPU. Placing on CPU instead
Warning: Unsupported TensorFlow Lite semantics for RESHAPE 'flat'. Placing on CPU instead
 - Input(s) and Output tensors must have quantization parameters
   Op has tensors with missing quantization parameters: flat
Network summary for model
"""


def test_velas_words_are_found_by_the_output_of_the_operator():
    assert reasons(NEW) == {
        "signal_energy": "Unsupported opType",
        "a 'quoted' name": "Operation has tensor with unsupported DataType Float32 (x) "
        'Feature-map dataTypes must be one of {"INT8"}',
    }


def test_so_are_those_of_older_versions():
    assert reasons(OLD) == {
        "norm": "",
        "flat": "Input(s) and Output tensors must have quantization parameters; "
        "Op has tensors with missing quantization parameters: flat",
    }


def test_the_first_reason_counts_and_other_text_is_none():
    assert reasons(NEW + NEW.replace("opType", "other"))["signal_energy"] == "Unsupported opType"
    assert reasons("Reason: none\n\nWarning: nothing\n") == {}

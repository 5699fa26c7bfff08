"""Operators that TensorFlow Lite Micro registers and that have no record here, and why.

tests/oracle/host/test_tflm_operators.py compares them with what the installed package registers.
"""

from __future__ import annotations

from collections.abc import Mapping

RESOLVED: Mapping[str, str] = {
    "CALL_ONCE": "what it runs, the assignment of first values to variables, becomes the states' initial values",
    "VAR_HANDLE": "a variable becomes a state of the graph, and READ_VARIABLE and ASSIGN_VARIABLE name it",
}
"""Of those the frontend makes something else when it reads the model."""

NOT_COMPILED: Mapping[str, str] = {
    "BASIC_CLASSIFIER": "an example of an operator added to the package's resolver; no converter writes it",
    "CIRCULAR_BUFFER": "it invokes the rest of the graph only now and then; streaming models keep state in variables",
    "DECODE": "weights compressed for TFLM alone, whose decoder runs on the device: give the model before compression",
    "L2NORM_REF": "a second registration of L2_NORMALIZATION, which is compiled",
}
"""Those of which a model is refused, by the name in the model."""

"""How far outputs are from others: signal to noise in dB."""

from __future__ import annotations

import numpy as np

from harness.errors import OracleMissingError
from harness.ir.graph import Graph
from harness.oracle import OracleSession, open_oracle
from harness.quantization.types import Array

EXACT_DB = 200.0
"""Stands for no noise at all."""


def sqnr(signal: Array, noisy: Array) -> float:
    """Signal to quantization noise in dB, at most EXACT_DB."""
    wanted = signal.astype(np.float64)
    return ratio_db(float(np.square(wanted).sum()), float(np.square(wanted - noisy.astype(np.float64)).sum()))


def ratio_db(power: float, noise: float) -> float:
    """dB of these powers, at most EXACT_DB."""
    if noise == 0:
        return EXACT_DB
    return min(10 * float(np.log10(max(power, 1e-30) / noise)), EXACT_DB)


def open_reference(graph: Graph, *, isolated: bool = False) -> OracleSession:
    """TFLM; where it is not installed the specification, which is as exact and slower.

    isolated: of a file that is not trusted, see harness.oracle.open_oracle.
    """
    try:
        return open_oracle("tflm", graph, isolated=isolated)
    except OracleMissingError:
        return open_oracle("spec", graph)

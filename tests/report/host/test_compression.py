"""What tables say of a compression: figures, data or their absence, and the error against the original."""

from __future__ import annotations

import numpy as np

from harness.compression.levels import LEVELS
from harness.compression.network import Compressor
from harness.report.compression import WITHOUT_DATA, compressed_document, lines, table
from harness.validate.compressed import FromOriginal
from tests.support.weighted import weighted


def made(level="high"):
    return Compressor(weighted(np.random.default_rng(0), "pointwise"), LEVELS[level], None).model()


def test_layers_and_what_was_saved():
    model = made()
    document = compressed_document(model)
    shown = table(document)
    assert shown.rows[0][shown.columns.index("values")] == "16"
    before, after = model.weights_before, model.weights_after
    assert lines(document)[0].startswith(f"weights {before:,} B, in fewer bits {after:,} B") and after < before
    assert WITHOUT_DATA in lines(document) and len(lines(document)) == 2
    (line,) = lines(compressed_document(made("lossless")))
    assert line == f"weights {before:,} B, in fewer bits {before:,} B (100%); 0 of 1 layers with weights"


def test_the_error_against_the_original():
    error = FromOriginal("v.npz", 30, True, (21.26, 200.0), (0.5, 0.0), (0.9, 0.875))
    told = lines(compressed_document(made(), error))[-1]
    assert "over 30 vectors of v.npz, which weights were not found on" in told
    assert "SQNR 21.3, exact dB, largest difference 0.5, 0" in told and "90.00% -> 87.50% (-2.50 points)" in told

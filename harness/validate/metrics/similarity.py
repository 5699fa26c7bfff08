"""Similarity of the outputs' directions."""

from __future__ import annotations

import numpy as np

from harness.validate.metrics.pair import OutputPair


def cos(pair: OutputPair) -> float:
    """Cosine similarity, sum(r * v) / (sqrt(sum(r^2)) * sqrt(sum(v^2))); 1 when both are 0, 0 when one is."""
    norm_r, norm_v = float(np.linalg.norm(pair.r)), float(np.linalg.norm(pair.v))
    if norm_r == 0.0 or norm_v == 0.0:
        return 1.0 if norm_r == norm_v else 0.0
    return float(np.dot(pair.r, pair.v)) / (norm_r * norm_v)

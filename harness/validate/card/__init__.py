"""Model cards: `NAME.hil.yaml` files with a model, its vectors, checks and budgets."""

from harness.validate.card.compress import CompressKeys, parse_compress
from harness.validate.card.loading import SUFFIX, card_for_model, card_of, load_card
from harness.validate.card.schema import (
    TRUTHS,
    AccuracyBounds,
    AtLeast,
    AtMost,
    Budget,
    Card,
    Checks,
    Compiling,
    NpuKeys,
    OracleName,
    Placing,
    Tolerance,
)
from harness.validate.card.vectors import FILES, FileVectors, RandomVectors, parse_vectors

__all__ = [
    "FILES", "SUFFIX", "TRUTHS", "AccuracyBounds", "AtLeast", "AtMost", "Budget", "Card", "Checks", "CompressKeys",
    "Compiling", "FileVectors", "NpuKeys", "OracleName", "Placing", "RandomVectors", "Tolerance", "card_for_model",
    "card_of", "load_card", "parse_compress", "parse_vectors",
]  # fmt: skip

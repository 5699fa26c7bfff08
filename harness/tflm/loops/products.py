"""Products of matrices, the core of convolutions: rows of the input times columns of the weights, over a depth."""

from __future__ import annotations

from harness.tflm.loops.base import VECTOR, Counts, ceiling

ROWS_AT_ONCE = 4


def product(rows: int, columns: int, depth: int, mve: bool) -> Counts:
    """A call of arm_nn_mat_mult_nt_t_s8: with Helium four rows at once, else two rows and two columns."""
    return _vectors(rows, columns, depth) if mve else _pairs(rows, columns, depth)


def _vectors(rows: int, columns: int, depth: int) -> Counts:
    steps = ceiling(depth, VECTOR)
    blocks, rest = divmod(rows, ROWS_AT_ONCE)
    return {
        "product": 1,
        "block": blocks,
        "block column": blocks * columns,
        "block step": blocks * columns * steps,
        "row": rest,
        "row column": rest * columns,
        "row step": rest * columns * steps,
        "row 4 columns": rest * (columns // 4),
        "row last columns": rest * (columns % 4),
    }


def _pairs(rows: int, columns: int, depth: int) -> Counts:
    blocks, words, bytes_ = depth // 16, depth % 16 // 4, depth % 4
    pairs, odd = divmod(columns, 2)
    found: Counts = {
        "product": 1,
        "2 columns": pairs,
        "2 columns sum": pairs * depth,
        "column": odd,
        "column sum": odd * depth,
    }
    for name, times in (
        ("2x2", pairs * (rows // 2)),
        ("2x1", pairs * (rows % 2)),
        ("1", odd * rows),
    ):
        found |= {
            name: times,
            f"{name} 16": times * blocks,
            f"{name} 4": times * words,
            f"{name} 1": times * bytes_,
            f"{name} 16 entered": times * (blocks > 0),
            f"{name} 4 entered": times * (words > 0),
            f"{name} 1 entered": times * (bytes_ > 0),
        }
    return found

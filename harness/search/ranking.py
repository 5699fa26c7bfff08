"""How well a figure ranks architectures: Kendall's rank correlation with what short trainings reached."""

from __future__ import annotations

from collections.abc import Sequence


def kendall(a: Sequence[float], b: Sequence[float]) -> float:
    """Kendall's tau-b of two rows of figures, -1 to 1; 0 where one of them is constant.

    Source: Kendall 1945, "The treatment of ties in ranking problems".
    """
    agree = ties_a = ties_b = 0
    pairs = len(a) * (len(a) - 1) // 2
    for i in range(len(a)):
        for j in range(i):
            x, y = a[i] - a[j], b[i] - b[j]
            ties_a += x == 0
            ties_b += y == 0
            agree += (x * y > 0) - (x * y < 0)
    norm = ((pairs - ties_a) * (pairs - ties_b)) ** 0.5
    return float(agree / norm) if norm else 0.0

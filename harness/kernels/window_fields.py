"""Windows as the C shapes of kernels have them, by rows (h) and columns (w)."""

from __future__ import annotations

from harness.ir.window import Window2D

WINDOW_FIELDS = (
    *("batches", "in_h", "in_w", "in_c", "out_h", "out_w", "kernel_h", "kernel_w", "stride_h", "stride_w"),
    *("dilation_h", "dilation_w", "pad_top", "pad_left"),
)
"""What most convolutions want to know."""


def window_fields(window: Window2D, *names: str) -> dict[str, int]:
    """Fields of a C shape, in the order of `names`; those of WINDOW_FIELDS without any."""
    fields = {"batches": window.batches, "in_c": window.in_c, "out_c": window.out_c}
    for letter, axis in (("h", window.rows), ("w", window.columns)):
        fields |= {f"in_{letter}": axis.size, f"out_{letter}": axis.out, f"kernel_{letter}": axis.kernel}
        fields |= {f"stride_{letter}": axis.stride, f"dilation_{letter}": axis.dilation}
    fields |= {"pad_top": window.rows.pad_before, "pad_left": window.columns.pad_before}
    return {name: fields[name] for name in names or WINDOW_FIELDS}

"""Row fusion: several layers computed together, a few rows at a time, so that no tensor between them exists whole.

rows.py: which input rows an operator needs; schedule.py: the order in which rows are computed and how many are kept;
fused_rows.py: the calls and the memory of such layers; repeats.py: equal iterations as loops; groups.py: which runs of
layers can be fused; partition.py: the layers of a network as fused and single ones, at the least cost.
"""

from harness.compiler.fusion.fused_rows import FusedRows
from harness.compiler.fusion.rows import can_fuse_rows

__all__ = ["FusedRows", "can_fuse_rows"]

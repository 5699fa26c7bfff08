"""Several layers computed together, a few rows at a time, so that what is between them never exists as a whole.

rows.py says which rows of its inputs an operator needs, schedule.py in which order rows are computed and how many are
kept, build.py makes calls of it.
"""

from harness.compiler.fusion.build import Stream
from harness.compiler.fusion.rows import can_stream

__all__ = ["Stream", "can_stream"]

"""Text of files and devices, made harmless for a terminal; errors are the first who need it."""

from harness.errors import one_line, plain

__all__ = ["one_line", "plain"]

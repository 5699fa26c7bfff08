"""Boards, cores and chip families as records: memory regions, clocks, pins, and the placement of an image's parts."""

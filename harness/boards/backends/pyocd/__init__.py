"""Boards at a debug probe, through pyOCD."""

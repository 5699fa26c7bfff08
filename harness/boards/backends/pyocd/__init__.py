"""Boards behind a debug probe, through pyOCD."""

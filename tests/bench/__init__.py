"""Measurements of tinyhil itself, run by `make bench`; never timed tests."""

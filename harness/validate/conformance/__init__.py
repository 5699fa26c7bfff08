"""Conformance: every model of a folder on a board, held against golden files or a reference, many to an image."""

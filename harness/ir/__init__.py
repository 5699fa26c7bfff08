"""Intermediate representation: the graph, its operators, windows, aliases of tensors, verifier and interpreter."""

"""Kernels: every way to compute an operator.

Adding one is a header in firmware/kernels (and its code, where that is shared) and a Kernel in KERNELS of a module in
this folder, which discovery.py finds.
"""

"""Search for the network that fits a board: a space of architectures by memory, a supernet or a cheaper ranking, training.

Costs are asked of harness/fit's ShapeOracle; only modules that train need PyTorch.
"""

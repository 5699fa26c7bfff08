"""Search for the network that fits a board: spaces by memory, a supernet or a cheaper ranking, short trainings.

ArchitectureCosts are asked of harness/fit's ShapeOracle; only modules that train need PyTorch.
"""

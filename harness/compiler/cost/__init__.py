"""Expected cost of layers: instructions, modelled cycles, flash."""

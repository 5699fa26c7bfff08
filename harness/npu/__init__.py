"""Models on an Ethos-U: compiled by Vela, counted, run and checked, beside the same model on the CPU alone."""

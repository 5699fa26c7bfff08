"""Arm's Ethos-U55 and Ethos-U65 in numpy: what Vela compiles for them is read, printed, and computed bit for bit."""

"""Which bytes of the arena hold what, and when."""

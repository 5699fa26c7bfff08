"""Files of others are read within bounds, and ours are written whole or not at all."""

"""How a board is run: one backend a file or folder, each behind one protocol."""

"""The virtual board: a board's own image on an emulated chip (extra `tinyhil[virtual]`, uses Unicorn)."""

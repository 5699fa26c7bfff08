"""The host board: native programs of this machine."""

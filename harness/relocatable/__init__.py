"""Relocatable models: network code and weights as one file that runs at any address (docs/relocatable.md)."""

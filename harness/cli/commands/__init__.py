"""The commands of `tinyhil`, each in a file of its name."""

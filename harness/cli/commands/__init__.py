"""The commands of `tinyhil`, one a file, named after it."""

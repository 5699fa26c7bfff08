"""Plan -> C package."""

"""tinyhil under pytest: model cards as test items, fixtures, header and summary."""

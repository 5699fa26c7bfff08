"""The pytest plugin: model cards as test items, fixtures, header and summary."""

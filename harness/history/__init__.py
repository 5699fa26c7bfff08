"""Results over time: a store of runs, comparison of two of them, and the report over nights.

`HistoryStore(path).add(document)` takes a results document (harness.report.bundle), `compare.compare` gives verdicts.
"""

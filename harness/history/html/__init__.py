"""The report over time, and comparisons, as HTML files that need nothing else."""

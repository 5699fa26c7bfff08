"""MLPerf Tiny: firmware that speaks the benchmark's serial language, and a host for it; docs/mlperf.md."""

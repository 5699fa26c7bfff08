"""MLPerf Tiny: firmware with the benchmark's serial protocol, and a client for it; see docs/mlperf.md."""

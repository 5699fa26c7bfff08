"""MLPerf Tiny: firmware that speaks the benchmark's serial language, and a host for it; docs/mlperf.md."""

from harness.mlperf.client import Client, Laps, Performance
from harness.mlperf.firmware import LOADS, RESULTS, Interface, language

__all__ = ["LOADS", "RESULTS", "Client", "Interface", "Laps", "Performance", "language"]

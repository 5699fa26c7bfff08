"""The profiler's parts in C: the tracers of emulators, and the replay of traces."""

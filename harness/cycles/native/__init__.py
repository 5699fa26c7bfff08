"""The profiler's parts in C: what watches an emulator, and what replays a trace."""

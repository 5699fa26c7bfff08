"""What an NPU takes over from the CPU: models compiled by Vela, counted, run, checked, and compared."""

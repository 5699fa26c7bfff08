"""What layers are expected to take: cycles, instructions, flash."""

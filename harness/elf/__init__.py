"""What can be read out of an ELF file: segments, sections, symbols, lines, sizes by part. No other room opens one."""

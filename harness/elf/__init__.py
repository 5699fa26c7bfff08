"""What can be read out of an image: sections, symbols, sizes."""

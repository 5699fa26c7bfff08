"""What is known of boards and cores as records: memory, clocks, the parts of an image and where they may lie."""

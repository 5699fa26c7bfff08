"""The arena: lifetimes of tensors, overlap of a layer's output with its inputs, peak memory, and the layout."""

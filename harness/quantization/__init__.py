"""Fixed-point arithmetic and the constants of quantized operators: what compiler and specification share."""

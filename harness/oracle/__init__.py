"""References: what a network must compute, from its executable specification and from TensorFlow's interpreters."""

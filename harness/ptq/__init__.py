"""Post-training quantization: a float network and data to run it on -> an int8 network."""

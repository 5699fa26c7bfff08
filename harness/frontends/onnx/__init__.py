"""The frontend of ONNX: a .onnx file -> Graph, by way of the .tflite of the same network, which the oracles read."""

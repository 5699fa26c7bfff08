"""TensorFlow Lite files (.tflite): reader and writer."""

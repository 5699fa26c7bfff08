"""TensorFlow Lite files: read into a Graph, written from one."""

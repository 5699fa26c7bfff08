"""The runtime `tflm`: TensorFlow Lite Micro with CMSIS-NN, in Arm's prebuilt inference runner for the Cortex-M55."""

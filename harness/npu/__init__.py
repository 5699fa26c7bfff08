"""Inferences of compiled models on the NPU of harness/ethosu."""

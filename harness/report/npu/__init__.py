"""Reports of models on an NPU: one run, a sweep of accelerators, a comparison of two runs."""

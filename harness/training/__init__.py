"""Networks in training, and what is made of them for a board: data, a training loop, the way to int8.

Needs the extra `search` (PyTorch) from `harness.training.torch_extra` on; `data` and `layers` do without.
"""

"""What TensorFlow Lite Micro takes for a model on a core, where it does not run: recorded, looked up or estimated.

`figures.figures` is the door; `origin` says where each figure comes from. Nothing is imported here, so that reports
which only know origins start without the rest.
"""

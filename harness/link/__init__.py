"""The line to a device: bytes (transports), frames (framing), requests (client), and what faults say (faults,
symbols).
"""

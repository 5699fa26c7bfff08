"""Boards emulated by Arm's Fixed Virtual Platforms."""

"""Emulated boards: QEMU's system emulator."""

"""Reading and writing file descriptors within a time limit; what pipes and sockets share."""

from __future__ import annotations

import select
import time
from collections.abc import Callable

from harness.errors import BoardLostError
from harness.link.limits import LEAST_RATE

WRITE_TIMEOUT_S = 30.0
READ_SIZE = 65_536


def ready(read: int | None, write: int | None, timeout_s: float) -> tuple[bool, bool]:
    """Whether there is something to read and room to write, after at most timeout_s seconds.

    poll, not select: a run with many boards may have descriptors that select cannot name.
    """
    poll = select.poll()
    if read is not None:
        poll.register(read, select.POLLIN)
    if write is not None:
        if write == read:
            poll.modify(write, select.POLLIN | select.POLLOUT)
        else:
            poll.register(write, select.POLLOUT)
    readable = writable = False
    for descriptor, event in poll.poll(max(timeout_s, 0.0) * 1000.0):
        if event & (select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLNVAL) and descriptor == read:
            readable = True
        if event & (select.POLLOUT | select.POLLHUP | select.POLLERR | select.POLLNVAL) and descriptor == write:
            writable = True
    return readable, writable


def write_all(
    data: bytes, reader: int, writer: int, send: Callable[[memoryview], int], receive: Callable[[], None]
) -> None:
    """Send all of `data`, taking in what comes meanwhile: a device that cannot send does not read either.

    Args:
        data: the bytes.
        reader, writer: descriptors, both set not to block.
        send: writes some bytes, returns how many.
        receive: reads what has come and keeps it.

    Raises:
        BoardLostError: nothing was taken for WRITE_TIMEOUT_S seconds, or less than LEAST_RATE after them.
    """
    left = memoryview(data)
    left = left[send(left) :]  # mostly that is all
    deadline = time.monotonic() + WRITE_TIMEOUT_S
    end = deadline + len(data) / LEAST_RATE
    while left:
        readable, writable = ready(reader, writer, deadline - time.monotonic())
        if readable:
            receive()
        if writable:
            count = send(left)
            left = left[count:]
            if count:
                deadline = min(time.monotonic() + WRITE_TIMEOUT_S, end)
        if time.monotonic() >= deadline:
            raise BoardLostError(
                f"the board took no bytes for {WRITE_TIMEOUT_S:.0f} s",
                hint="the firmware does not read; reset the board or run again",
            )


def stream_ended() -> BoardLostError:
    """The error of a byte stream that has come to its end."""
    return BoardLostError("the board's byte stream ended", hint="see what the emulator or program said last")

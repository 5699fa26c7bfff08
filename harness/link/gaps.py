"""Which bytes of the arena lost their paint, told by the device as stretches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.errors import ProtocolError
from harness.link.exchange import NotReceivedError
from harness.link.limits import Pace
from harness.link.records import Fields
from harness.link.transfer import Transfer
from harness.link.wire import Kind

_PAIR = 4
_HEAD = 4


def read_touched(transfer: Transfer, size: int) -> npt.NDArray[np.bool_]:
    """By byte of an arena of `size` bytes, whether it lost its paint.

    Raises:
        ProtocolError: the stretches do not lie in the arena one behind the other.
        DeviceTimeoutError: they come too slowly.
    """
    mask = np.ones(size, np.bool_)
    at = losses = 0
    pace = Pace(f"reading which of {size:,} bytes of arena were written", transfer.exchange.timeout_s)
    while at < size:
        room = transfer.piece
        body = at.to_bytes(4, "little") + room.to_bytes(2, "little")
        try:
            tries = transfer.tries_after(losses)
            answer = transfer.ask(Kind.GAPS, body, answer_size=room, tries=tries, timeout_s=pace.left())
        except NotReceivedError:
            losses += 1
            transfer.shrink()
            continue
        transfer.grow()
        pace.add(len(answer))
        at = _mark(mask, at, answer, room)
    return mask


def _mark(mask: npt.NDArray[np.bool_], at: int, answer: bytes, room: int) -> int:
    """Marks the stretches of one answer; where the next begin."""
    fields = Fields(answer, "the answer to GAPS")
    end = fields.number(_HEAD)
    # An answer that is not the last is full, so that there cannot be more of them than bytes
    if len(answer) > room or (end < mask.size and len(answer) + _PAIR <= room):
        raise _nonsense(f"{len(answer)} bytes of stretches where {room} were asked for")
    while fields.left:
        lost, kept = fields.number(2), fields.number(2)
        if lost + kept == 0:
            raise _nonsense("a stretch of no bytes")
        at += lost
        mask[at : at + kept] = False
        at += kept
        if at > mask.size:
            raise _nonsense(f"a stretch of paint up to byte {at:,} of {mask.size:,}")
    if at != end:
        raise _nonsense(f"stretches up to byte {at:,}, and says {end:,}")
    return at


def _nonsense(what: str) -> ProtocolError:
    return ProtocolError(f"the device tells of its arena {what}", hint="build the firmware anew")

"""Sending a relocatable model to the slot of a running firmware, and installing it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.link.exchange import NotReceivedError
from harness.link.limits import Pace
from harness.link.records import Fields
from harness.link.transfer import Transfer
from harness.link.wire import Kind

PutProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SlotInfo:
    """What a firmware has room for.

    Attributes:
        size: bytes of a file, with its weights where they are apart.
        arena: bytes of a model's arena.
        installed: whether a model is there.
    """

    size: int
    arena: int
    installed: bool


def read_slot(transfer: Transfer) -> SlotInfo:
    """What the device's slot is.

    Raises:
        DeviceRefusedError: the firmware has none.
    """
    fields = Fields(transfer.ask(Kind.SLOT, answer_size=16), "the answer to SLOT")
    return SlotInfo(fields.number(4), fields.number(4), bool(fields.number(1)))


def put(transfer: Transfer, offset: int, data: bytes, progress: PutProgress | None = None) -> None:
    """Writes bytes to the slot, in pieces as large as the line carries; what was installed there is so no more.

    Raises:
        DeviceRefusedError: they do not fit.
        LinkError: the line is lost, or too slow.
    """
    at = losses = 0
    pace = Pace(f"sending {len(data):,} bytes to the slot", transfer.exchange.timeout_s)
    while at < len(data):
        part = data[at : at + transfer.piece]
        body = (offset + at).to_bytes(4, "little") + part
        try:
            transfer.ask(Kind.PUT, body, tries=transfer.tries_after(losses), timeout_s=pace.left())
        except NotReceivedError:
            losses += 1
            transfer.shrink()
            continue
        transfer.grow()
        at += len(part)
        pace.add(len(part))
        if progress:
            progress("send", at, len(data))


def install(transfer: Transfer, size: int, weights: tuple[int, int], limit_s: float) -> None:
    """Has the device check what lies in its slot, and make it its model.

    Args:
        size: bytes of the file, from the slot's first byte on.
        weights: where its weights begin, and their bytes; 0 where they are not apart.
        limit_s: seconds that it may take.

    Raises:
        DeviceRefusedError: the file does not run there, and why.
    """
    body = b"".join(number.to_bytes(4, "little") for number in (size, *weights))
    transfer.until_received(
        Kind.INSTALL,
        lambda: transfer.ask_long(Kind.INSTALL, body, limit_s=limit_s, doing="installing the model"),
    )

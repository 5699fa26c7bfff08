"""The status that every answer begins with."""

from __future__ import annotations

from harness.errors import DeviceRefusedError, ProtocolError
from harness.link.framing import Kind

_STATUS = {
    1: "unknown command",
    2: "wrong length",
    3: "no such model, or its tables are inconsistent",
    4: "not in this state",
    5: "out of range",
    6: "the model reports failure",
    7: "too many layers to observe",
    8: "no session",
}
_MODEL_FAILED = 6


def content_of(kind: Kind, answer: bytes, model: str) -> bytes:
    """The answer after its status; `model` is the name of the selected one.

    Raises:
        DeviceRefusedError: the status is not 0.
        ProtocolError: there is none.
    """
    if not answer:
        raise ProtocolError(f"an answer to {kind.name} without status", hint="build the firmware anew")
    status = answer[0]
    if status == 0:
        return answer[1:]
    if status == _MODEL_FAILED:
        at = 9 if kind in (Kind.INVOKE, Kind.CONTINUE) else 0
        code = int.from_bytes(answer[1 + at : 5 + at], "little", signed=True)
        verb = "init" if kind is Kind.INIT else "invoke"
        raise DeviceRefusedError(
            f"{verb} of model {model} returned status {code}",
            hint="the generated header explains the model's status codes",
        )
    raise DeviceRefusedError(
        f"the device refuses {kind.name}: {_STATUS.get(status, f'status {status}')}",
        hint="run again; report this if it happens again",
    )

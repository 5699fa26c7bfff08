"""The status that every answer begins with."""

from __future__ import annotations

from harness.errors import DeviceRefusedError, ProtocolError
from harness.link.install_reasons import install_error
from harness.link.wire import AnswerStatus, Kind

_WORDS: dict[int, str] = {
    AnswerStatus.BAD_COMMAND: "unknown command",
    AnswerStatus.BAD_LENGTH: "wrong length",
    AnswerStatus.BAD_MODEL: "no such model, or its tables are inconsistent",
    AnswerStatus.BAD_STATE: "not in this state",
    AnswerStatus.BAD_RANGE: "out of range",
    AnswerStatus.TOO_MANY_LAYERS: "too many layers to observe",
    AnswerStatus.NO_SESSION: "no session",
}


def content_of(kind: Kind, answer: bytes, model: str) -> bytes:
    """The answer after its status; `model` is the name of the selected one.

    Raises:
        DeviceRefusedError: the status is not 0.
        ProtocolError: there is none.
    """
    if not answer:
        raise ProtocolError(f"an answer to {kind.name} without status", hint="build the firmware anew")
    status = answer[0]
    if status == AnswerStatus.OK:
        return answer[1:]
    if status == AnswerStatus.MODEL_FAILED:
        if kind is Kind.INSTALL:
            raise install_error(int.from_bytes(answer[1:5], "little"))
        at = 9 if kind in (Kind.INVOKE, Kind.CONTINUE) else 0
        code = int.from_bytes(answer[1 + at : 5 + at], "little", signed=True)
        verb = "init" if kind is Kind.INIT else "invoke"
        raise DeviceRefusedError(
            f"{verb} of model {model} returned status {code}",
            hint="the generated header explains the model's status codes",
        )
    raise DeviceRefusedError(
        f"the device refuses {kind.name}: {_WORDS.get(status, f'status {status}')}",
        hint="run again; report this if it happens again",
    )

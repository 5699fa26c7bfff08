"""What a device tells of itself and its models, compared with what is known of the image that it should run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import ProtocolError, TinyhilError, WrongImageError
from harness.link.records import DeviceInfo, ModelInfo, Watermarks

_ANEW = "load the image again; if that does not help, the firmware or its memory is damaged"


@dataclass(frozen=True)
class DeviceClaims:
    """What the answer to HELLO must say of the image; None where it is not known.

    Attributes:
        core: of the image.
        models: how many are in it.
        most_stack: bytes reserved, of which a guard may take some.
        tick_unit: one of harness.link.wire.TICK_UNITS.
    """

    core: str | None = None
    models: int | None = None
    most_stack: int | None = None
    tick_unit: str | None = None

    def check(self, info: DeviceInfo) -> None:
        """Raises WrongImageError if the device says another thing; the message has both."""
        facts = (
            ("core", info.core, self.core),
            ("number of models", info.model_count, self.models),
            ("unit of ticks", info.tick_unit, self.tick_unit),
        )
        for what, told, known in facts:
            if known is not None and told != known:
                raise _mismatch(f"the device on {info.board}", what, told, known)
        if self.most_stack is not None and info.stack_size > self.most_stack:
            raise _mismatch(f"the device on {info.board}", "stack size in bytes", info.stack_size, self.most_stack)


@dataclass(frozen=True)
class ModelClaims:
    """What MODEL must tell of a model.

    Attributes:
        sha256: of its file, hex.
        arena_size: bytes.
        inputs, outputs: bytes of each tensor.
        layers: by layer, bytes of each tensor that it writes.
    """

    name: str
    sha256: str
    arena_size: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    layers: tuple[tuple[int, ...], ...]

    def check_facts(self, index: int, name: str, sha256: str, arena_size: int, counts: Sequence[int]) -> None:
        """Checks the first answer, before the tables are asked for; `counts` are of inputs, outputs and layers.

        Raises:
            WrongImageError: the device says another thing; the message has both.
        """
        if name != self.name or sha256 != self.sha256:
            raise WrongImageError(
                f"model {index} on the device is {name} ({sha256[:12]}), not {self.name} ({self.sha256[:12]})",
                hint="build the image anew from these models, in this order",
            )
        known = (len(self.inputs), len(self.outputs), len(self.layers))
        self._compare("arena size in bytes", arena_size, self.arena_size)
        for what, told, wanted in zip(("inputs", "outputs", "layers"), counts, known, strict=True):
            self._compare(f"number of {what}", told, wanted)

    def check_sizes(self, model: ModelInfo) -> None:
        """Checks the tables. Raises WrongImageError: the device says another thing; the message has both."""
        self._each("input", model.inputs, self.inputs)
        self._each("output", model.outputs, self.outputs)
        for number, (layer, known) in enumerate(zip(model.layers, self.layers, strict=True)):
            what = f"layer {number} ({layer.name})"
            self._compare(f"number of outputs of {what}", len(layer.outputs), len(known))
            self._each(f"{what}, output", layer.outputs, known)

    def _each(self, what: str, told: Sequence[int], known: Sequence[int]) -> None:
        for number, (one, other) in enumerate(zip(told, known, strict=True)):
            self._compare(f"size in bytes of {what} {number}", one, other)

    def _compare(self, what: str, told: int, known: int) -> None:
        if told != known:
            raise _mismatch(f"model {self.name} on the device", what, told, known)


def check_watermarks(marks: Watermarks, model: ModelInfo | None) -> None:
    """Raises ProtocolError if figures of memory use cannot be: more used than there is, or of another arena."""
    if model is not None and marks.arena_size != model.arena_size:
        raise ProtocolError(
            f"the device tells the use of an arena of {marks.arena_size:,} bytes; {model.name}'s has "
            f"{model.arena_size:,}",
            hint=_ANEW,
        )
    uses = (
        ("arena used", marks.arena_high, marks.arena_size),
        ("arena unwritten", marks.arena_untouched, marks.arena_size),
        ("stack used by a run", marks.stack_high, marks.stack_size),
        ("stack used ever", marks.stack_ever, marks.stack_size),
    )
    for what, used, size in uses:
        if used is not None and size is not None and used > size:
            raise ProtocolError(f"the device tells {used:,} bytes of {what}, of {size:,} that there are", hint=_ANEW)


def _mismatch(who: str, what: str, told: object, known: object) -> TinyhilError:
    def figure(value: object) -> str:
        return f"{value:,}" if isinstance(value, int) else str(value)

    return WrongImageError(
        f"{who}: its {what} is {figure(told)} by its own account, {figure(known)} by the image that was built",
        hint=_ANEW,
    )

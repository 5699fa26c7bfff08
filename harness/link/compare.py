"""What a run's layers should write, as digests for the device, and what follows from its answers.

The device stops where a layer's digest is not the expected one, and tells at the end what all digests make together,
which nobody can know who has not the right bytes: see docs/protocol.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from harness.errors import ProtocolError
from harness.link.digest import DIGEST_SIZE, Words, digests
from harness.link.records import DeviceInfo, ModelInfo
from harness.link.wire import WRITE_EXPECTED

ExpectedLayers: TypeAlias = Sequence[Sequence[bytes | None]]
"""[layer][output of the layer]: its right bytes; None where nothing is known."""


def can_compare(model: ModelInfo, info: DeviceInfo) -> bool:
    """Whether the device compares this model's layers: it knows how, and has room for what it is to expect."""
    outputs = sum(len(layer.outputs) for layer in model.layers)
    return info.compares and 0 < outputs <= info.layer_limit and len(model.inputs) <= WRITE_EXPECTED


class Comparison:
    """What one run is expected to write, under a key of its own.

    Attributes:
        table: bytes for the device: the key, then a word for each output of a layer.
    """

    def __init__(self, model: ModelInfo, expected: ExpectedLayers) -> None:
        """Draw a key.

        Raises:
            ValueError: other layers or sizes than the model's: a mistake of the caller.
        """
        shapes = [layer.outputs for layer in model.layers]
        if [len(outputs) for outputs in shapes] != [len(layer) for layer in expected]:
            raise ValueError("these are other layers than the model's")
        self._model = model
        self._expected = expected
        self._key = os.urandom(DIGEST_SIZE)
        self._first = np.cumsum([0, *(len(outputs) for outputs in shapes)]).tolist()
        known: list[tuple[int, bytes]] = []
        for first, sizes, layer in zip(self._first, shapes, expected, strict=False):
            for number, (size, data) in enumerate(zip(sizes, layer, strict=True), first):
                if data is not None:
                    if len(data) != size:
                        raise ValueError(f"{len(data)} bytes are expected of an output of {size}")
                    known.append((number, data))
        self._digests = dict(zip((number for number, _ in known), digests(self._key, known), strict=True))
        words = np.zeros(self._first[-1], "<u4")
        for number, digest in self._digests.items():
            words[number] = digest[0] or 1  # 0: not compared
        self.table = self._key + words.tobytes()

    def layers(self, got: Mapping[int, Sequence[bytes]], together: bytes) -> tuple[tuple[bytes | None, ...], ...]:
        """[layer][output]: what was fetched, and what was expected where the device found nothing else.

        Args:
            got: layer -> its outputs, for those at which the device stopped.
            together: the digest of all that it compared, at the run's end.

        Raises:
            ProtocolError: the digest is not that of these bytes.
        """
        found = {
            number: data
            for layer, outputs in got.items()
            for number, data in enumerate(outputs, self._first[layer])
            if number in self._digests
        }
        made: dict[int, Words] = self._digests | dict(
            zip(found, digests(self._key, list(found.items())), strict=True)
        )
        right = np.bitwise_xor.reduce(list(made.values()), axis=0) if made else np.zeros(4, np.uint32)
        if right.astype("<u4").tobytes() != together:
            raise ProtocolError(
                f"the device's digest of what the layers of {self._model.name} wrote is not that of the bytes that it "
                f"should have, though it stopped at {len(got)} of {len(self._expected)} layers",
                hint="run again; if it happens again, its memory or its firmware is damaged: load the image again",
            )
        return tuple(tuple(got.get(number, layer)) for number, layer in enumerate(self._expected))

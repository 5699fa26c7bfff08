"""Sounds as vectors: a .wav file cut into frames, one after the other, as a device hears them."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.errors import VectorsError, one_line
from harness.files.reading import TooLargeError, read_regular
from harness.ir.graph import Tensor
from harness.quantization.types import Array, DType

SUFFIX = ".wav"
RATE = 16_000
"""Samples a second."""

_MAX_FILE_BYTES = 1 << 28
_FULL_SCALE = 32768
_BROKEN = (wave.Error, EOFError, struct.error, ValueError, RuntimeError, OverflowError, MemoryError)
"""What package wave raises for a damaged file."""


def is_sound(path: Path) -> bool:
    """Whether a file of vectors is a sound, by its name."""
    return path.suffix.lower() == SUFFIX


def frames(path: Path, tensor: Tensor, step: int | None) -> Array:
    """[frames, *tensor.shape] of a mono .wav of 16-bit samples at 16 kHz; what is left behind the last one is not used.

    An int16 input gets the samples as they are, others real numbers from -1 to 1, float32. Frames begin `step` samples
    apart; None: one follows the other.

    Raises:
        VectorsError: the file cannot be read or is of another kind, or the input is no row of samples.
    """
    size = tensor.elements
    if max(tensor.shape, default=1) != size:
        raise VectorsError(
            f"{path}: input '{tensor.name}' has shape {list(tensor.shape)}, which is no row of samples",
            hint="a .wav feeds models that take samples; put the front end into the model, or save features as .npz",
        )
    samples = _samples(path)
    if len(samples) < size:
        raise VectorsError(
            f"{path}: {len(samples):,} samples, fewer than the {size:,} of input '{tensor.name}'",
            hint="give a longer sound",
        )
    values: Array = samples if tensor.dtype is DType.INT16 else samples.astype(np.float32) / np.float32(_FULL_SCALE)
    cut: Array = np.lib.stride_tricks.sliding_window_view(values, size)[:: step or size]
    return cut.reshape(len(cut), *tensor.shape)


def _samples(path: Path) -> npt.NDArray[np.int16]:
    try:
        data = read_regular(path, _MAX_FILE_BYTES)
    except FileNotFoundError as error:
        raise VectorsError(
            f"{path}: no such file", hint="correct the path; paths in a card start from the card's folder"
        ) from error
    except TooLargeError as error:
        raise VectorsError(f"{path}: {error.strerror}", hint="give a shorter sound") from None
    except OSError as error:
        raise VectorsError(f"{path}: {error.strerror or error}", hint="check the path and its permissions") from None
    convert = "convert it: ffmpeg -i IN -ar 16000 -ac 1 -sample_fmt s16 OUT.wav"
    try:
        with wave.open(io.BytesIO(data)) as sound:
            kind = sound.getnchannels(), 8 * sound.getsampwidth(), sound.getframerate()
            raw = sound.readframes(len(data))
    except _BROKEN as error:
        what = one_line(str(error) or type(error).__name__)
        raise VectorsError(f"{path}: not a readable .wav file: {what}", hint=convert) from None
    if kind != (1, 16, RATE):
        channels, bits, rate = kind
        raise VectorsError(
            f"{path}: {channels} channel(s) of {bits}-bit samples at {rate:,} Hz, not 1 of 16 bits at {RATE:,} Hz",
            hint=convert,
        )
    return np.frombuffer(raw, "<i2", len(raw) // 2).astype(np.int16)

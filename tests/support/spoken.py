"""Spoken words, by espeak-ng as the package espeakng-loader brings it: labelled sounds that nobody has to record."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

RATE = 16_000
WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
"""The classes of MLPerf Tiny's kws, in its order; behind them silence and any other word."""
OTHERS = ("bed", "bird", "cat", "dog", "happy", "house", "marvin", "sheila", "tree", "wow", "seven", "three")
SILENCE, UNKNOWN = 10, 11

_VOICES = ("en-us", "en-gb", "en-us+m3", "en-us+f2", "en-us+f4", "en-us+m7", "en-gb+f3", "en-us+m1", "en-us+f1")
_SYNCHRONOUS, _RATE, _PITCH, _RANGE, _UTF8 = 2, 1, 3, 4, 1


def can_speak() -> bool:
    """Whether espeakng-loader is installed."""
    try:
        import espeakng_loader  # noqa: F401
    except ImportError:
        return False
    return True


@cache
def _library() -> tuple[Any, int]:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    assert rate > 0, "espeak-ng does not start"
    return library, rate


def spoken(word: str, voice: str, *, speed: int, pitch: int) -> Floats:
    """A word, from -1 to 1."""
    from scipy.signal import resample_poly

    library, rate = _library()
    heard: list[npt.NDArray[np.int16]] = []

    def take(samples: Any, count: int, _: Any) -> int:
        if samples and count > 0:
            heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)(take)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetVoiceByName(voice.encode())
    for parameter, value in ((_RATE, speed), (_PITCH, pitch), (_RANGE, 60)):
        library.espeak_SetParameter(parameter, value, 0)
    text = word.encode() + b"\0"
    library.espeak_Synth(text, len(text), 0, 1, 0, _UTF8, None, None)
    sound = np.concatenate(heard).astype(np.float64) / 32768
    loud = np.flatnonzero(np.abs(sound) > 0.005)
    return cast(Floats, resample_poly(sound[loud[0] : loud[-1] + 1], RATE, rate).astype(np.float32))


def second(rng: np.random.Generator, label: int) -> Floats:
    """A second with a word of a class somewhere in it and some noise, as loud as it goes."""
    sound = np.zeros(RATE)
    if label != SILENCE:
        word = WORDS[label] if label < len(WORDS) else OTHERS[rng.integers(len(OTHERS))]
        voice = _VOICES[rng.integers(len(_VOICES))]
        made = spoken(word, voice, speed=int(rng.integers(110, 200)), pitch=int(rng.integers(20, 75)))[:RATE]
        at = rng.integers(max(RATE - len(made), 1))
        sound[at : at + len(made)] = made / np.abs(made).max()
    noise = np.cumsum(rng.normal(size=RATE)) if rng.integers(2) else rng.normal(size=RATE)
    noise -= np.convolve(noise, np.ones(400) / 400, "same")
    return np.clip(sound + noise / np.abs(noise).max() * rng.uniform(0.0, 0.08), -1, 1).astype(np.float32)

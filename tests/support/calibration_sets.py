"""Data of a network's kind: noise, drawn images, photographs, digits, spoken words, machines, heartbeats.

Every set is a function of (shape of one input, count, seed) and gives [count, *shape] as the network was trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from tests.support import packaged, spoken

Shape: TypeAlias = tuple[int, ...]
Floats: TypeAlias = npt.NDArray[np.float32]
Labels: TypeAlias = npt.NDArray[np.int64]
Maker: TypeAlias = Callable[[Shape, int, int], Floats]
Labelled: TypeAlias = Callable[[Shape, int, int], tuple[Floats, Labels]]
"""One whose vectors have classes."""

RATE = 16_000
"""Samples of sound a second."""


def noise(low: float, high: float) -> Maker:
    """Uniform between two numbers."""

    def make(shape: Shape, count: int, seed: int) -> Floats:
        return np.random.default_rng(seed).uniform(low, high, (count, *shape)).astype(np.float32)

    return make


def ranged(low: float, high: float, maker: Maker) -> Maker:
    """What lies between 0 and 1, between two other numbers."""

    def make(shape: Shape, count: int, seed: int) -> Floats:
        return (low + (high - low) * maker(shape, count, seed)).astype(np.float32)

    return make


def standardised(maker: Maker) -> Maker:
    """Each with mean 0 and deviation 1."""

    def make(shape: Shape, count: int, seed: int) -> Floats:
        made = maker(shape, count, seed)
        axes = tuple(range(1, made.ndim))
        deviation = made.std(axis=axes, keepdims=True)
        return ((made - made.mean(axis=axes, keepdims=True)) / (deviation + 1e-6)).astype(np.float32)

    return make


def drawn(shape: Shape, count: int, seed: int) -> Floats:
    """Images from 0 to 1 [1, height, width, channels]: power falls with the square of frequency, as in nature.

    Discs with sharp edges lie before them.
    """
    rng = np.random.default_rng(seed)
    _, height, width, channels = shape
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]
    size = np.maximum(np.hypot(rows, columns), 1 / max(height, width))
    made = np.empty((count, *shape), np.float32)
    for image in made:
        colours = rng.normal(size=(channels, channels)) + 2
        waves = rng.normal(size=(channels, height, width)) + 1j * rng.normal(size=(channels, height, width))
        field = np.tensordot(colours, np.fft.ifft2(waves / size).real, 1).transpose(1, 2, 0)
        for _ in range(rng.integers(1, 5)):
            y, x, radius = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0.05, 0.4) * height
            inside = np.hypot(np.arange(height)[:, None] - y, np.arange(width)[None] - x) < radius
            field[inside] = 0.4 * field[inside] + field.std() * rng.normal(size=channels)
        field -= field.min()
        image[0] = np.clip(field / field.max() * rng.uniform(0.5, 1.2), 0, 1)
    return made


def photographs(shape: Shape, count: int, seed: int) -> Floats:
    """Cuttings of scikit-learn's two photographs, from 0 to 1; odd seeds have the right halves. Needs Pillow."""
    rng = np.random.default_rng(seed)
    _, height, width, channels = shape
    made = np.empty((count, *shape), np.float32)
    for image in made:
        whole = _photographs()[rng.integers(2)]
        half = whole[:, whole.shape[1] // 2 :] if seed % 2 else whole[:, : whole.shape[1] // 2]
        side = int(rng.integers(max(height, 48), half.shape[1]))
        top, left = rng.integers(half.shape[0] - side), rng.integers(half.shape[1] - side)
        cut = half[top : top + side, left : left + side]
        cut = cut[:, ::-1] if rng.integers(2) else cut
        small = resized(cut.astype(np.float32) / 255, height, width)
        image[0] = small if channels == 3 else small.mean(axis=2, keepdims=True)
    return made


@cache
def _photographs() -> list[npt.NDArray[np.uint8]]:
    from sklearn.datasets import load_sample_images

    return list(load_sample_images().images)


def digits(shape: Shape, count: int, seed: int) -> Floats:
    """scikit-learn's handwritten digits as MNIST has them: 20 x 20 in the middle of 28 x 28, from 0 to 1.

    Even seeds have the even images, odd ones the others.
    """
    from sklearn.datasets import load_digits

    whole = load_digits().images
    chosen = np.random.default_rng(seed).permutation(np.arange(seed % 2, len(whole), 2))[:count]
    _, height, width, _ = shape
    top, left = (height - 20) // 2, (width - 20) // 2
    made = np.zeros((len(chosen), *shape), np.float32)
    for image, index in zip(made, chosen, strict=True):
        sharp = np.clip(resized(whole[index][..., None] / 16, 20, 20) * 3 - 1, 0, 1)
        image[0, top : top + 20, left : left + 20] = sharp
    return made


def labelled_mnist(shape: Shape, count: int, seed: int) -> tuple[Floats, Labels]:
    """MNIST's own, from 0 to 1; other seeds have other images."""
    given = packaged.mnist()
    assert given is not None, "package mnist is not there"
    images, labels = (part[seed * count : (seed + 1) * count] for part in given)
    return images.reshape(-1, *shape), labels


def resized(image: npt.NDArray[np.floating], height: int, width: int) -> Floats:
    """[rows, columns, channels], each pixel the mean of what it covers."""
    for axis, size in ((0, height), (1, width)):
        given = image.shape[axis]
        # the integral of the image between the edges of the new pixels
        sums = np.concatenate([np.zeros_like(image.take([0], axis)), np.cumsum(image, axis)], axis)
        edges = np.linspace(0, given, size + 1)
        low = np.minimum(edges.astype(int), given - 1)
        share = (edges - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        at = sums.take(low, axis) * (1 - share) + sums.take(low + 1, axis) * share
        image = np.diff(at, axis=axis) * (size / given)
    return image.astype(np.float32)


def speech(rng: np.random.Generator, seconds: float) -> Floats:
    """A word that no one says: voiced parts (pulses through resonances), hissing and pauses, in some noise."""
    from scipy.signal import lfilter

    total = int(seconds * RATE)
    sound, at = np.zeros(total), int(rng.uniform(0, 0.3) * total)
    pitch = rng.uniform(90, 260)
    while at < total * 0.85:
        size = min(int(rng.uniform(0.05, 0.2) * RATE), total - at)
        kind = rng.choice(3, p=[0.65, 0.2, 0.15])
        if kind < 2:
            phase = np.cumsum(np.full(size, pitch * rng.uniform(0.9, 1.1) / RATE))
            source = np.diff(np.floor(phase), prepend=0) * 6 + rng.normal(0, 0.05 if kind == 0 else 1, size)
            low, high = ((250, 850), (900, 2600)) if kind == 0 else ((2500, 4000), (4000, 6500))
            for frequency in (rng.uniform(*low), rng.uniform(*high), 3000):
                radius = np.exp(-np.pi * rng.uniform(60, 160) / RATE)
                angle = 2 * np.pi * frequency / RATE
                source = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius * radius], source)
            source *= np.hanning(size) / (np.abs(source).max() + 1e-9)
            sound[at : at + size] += source * rng.uniform(0.2, 1)
        at += int(size * rng.uniform(0.8, 1))
    sound = sound * 10 ** rng.uniform(-1.5, 0) + rng.normal(0, 10 ** rng.uniform(-4, -1.5), total)
    return np.clip(sound, -1, 1).astype(np.float32)


def machine(rng: np.random.Generator, seconds: float) -> Floats:
    """A motor: harmonics of a slowly changing speed, and coloured noise."""
    from scipy.signal import lfilter

    total = int(seconds * RATE)
    time = np.arange(total) / RATE
    speed = rng.uniform(20, 120) * (1 + 0.05 * np.sin(2 * np.pi * rng.uniform(0.2, 2) * time))
    phase = 2 * np.pi * np.cumsum(speed) / RATE
    tones = sum(rng.exponential(1) / h * np.sin(h * phase + rng.uniform(0, 6)) for h in range(1, 40))
    hiss = lfilter([1], [1, -rng.uniform(0.3, 0.95)], rng.normal(size=total))
    sound = tones * rng.uniform(0.01, 0.1) + hiss * 10 ** rng.uniform(-3, -1.5)
    return np.asarray(sound, np.float32)


def mel_power(
    sound: Floats, window: int, step: int, bands: int, top: float, *, power: int = 2
) -> npt.NDArray[np.float64]:
    """[frames, bands]: magnitudes to a power, summed under triangles of the mel scale from 20 Hz to `top`."""
    size = 1 << (window - 1).bit_length()
    count = (len(sound) - window) // step + 1
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[::step][:count]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(window + 1)[:-1], size)) ** power
    mels = 1127 * np.log1p(np.linspace(0, RATE / 2, size // 2 + 1) / 700)
    edges = np.linspace(1127 * np.log1p(20 / 700), 1127 * np.log1p(top / 700), bands + 2)
    rise = (mels[:, None] - edges[None, :-2]) / np.diff(edges)[None, :-1]
    fall = (edges[None, 2:] - mels[:, None]) / np.diff(edges)[None, 1:]
    return cast(npt.NDArray[np.float64], spectrum @ np.maximum(0, np.minimum(rise, fall)))


def keywords(shape: Shape, count: int, seed: int) -> Floats:
    """MLPerf Tiny's features of a second of speech: 10 cepstral coefficients of 40 bands, every 20 ms."""
    rng = np.random.default_rng(seed)
    return np.stack([cepstrum(speech(rng, 1)) for _ in range(count)]).reshape(count, *shape)


def labelled_words(shape: Shape, count: int, seed: int) -> tuple[Floats, Labels]:
    """The same of words that espeak-ng speaks, with labels, which take turns. Needs espeakng-loader."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % (spoken.UNKNOWN + 1))
    made = np.stack([cepstrum(spoken.second(rng, int(label))) for label in labels])
    return made.reshape(count, *shape), labels


def cepstrum(sound: Floats) -> Floats:
    """[49, 10]: MLPerf Tiny's features of a second for kws: coefficients of 40 bands, every 20 ms."""
    bands = 40
    turn = np.cos(np.pi / bands * (np.arange(bands)[:, None] + 0.5) * np.arange(10)[None]) * 2 / np.sqrt(2 * bands)
    return (np.log(mel_power(sound, 480, 320, bands, 4000, power=1) + 1e-6) @ turn).astype(np.float32)


def spectrograms(shape: Shape, count: int, seed: int) -> Floats:
    """Bands of speech on a logarithmic scale as a microphone front end has them, from -128 to 127."""
    rng = np.random.default_rng(seed)
    _, frames, *rest = shape
    bands, step = int(np.prod(rest)), RATE // 100
    made = np.empty((count, *shape), np.float32)
    for image in made:
        sound = speech(rng, (frames * step + 480) / RATE)
        level = np.log10(mel_power(sound, 480, step, bands, 7500)[:frames] + 1e-5)
        image[...] = np.clip((level + 5) * 28 - 128, -128, 127).reshape(shape)
    return made


def motors(shape: Shape, count: int, seed: int) -> Floats:
    """MLPerf Tiny's features of a machine: 5 frames of 128 bands in dB."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        level = 10 * np.log10(mel_power(machine(rng, 0.25), 1024, 512, 128, 8000) + 1e-8)
        made.append(level[:5])
    return np.stack(made).reshape(count, *shape).astype(np.float32)


def heartbeats(shape: Shape, count: int, seed: int) -> Floats:
    """140 samples of a heart's beat, from 0 to 1: waves P, Q, R, S and T with some variation."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, int(np.prod(shape)))
    places, widths, heights = (0.2, 0.36, 0.4, 0.44, 0.7), (0.03, 0.012, 0.015, 0.013, 0.06), (0.15, -0.2, 1, -0.3, 0.3)
    made = np.zeros((count, len(time)))
    for beat in made:
        for place, width, height in zip(places, widths, heights, strict=True):
            centre = place + rng.normal(0, 0.015)
            away = (time - centre) / (width * rng.uniform(0.8, 1.3))
            beat += height * rng.uniform(0.7, 1.3) * np.exp(-np.square(away) / 2)
        beat += rng.normal(0, 0.02, len(time))
    return ((made + 0.6) / 2).reshape(count, *shape).astype(np.float32)

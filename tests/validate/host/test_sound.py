"""Vectors from a .wav: cut into frames for models that take samples, refused by name otherwise."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from harness.errors import TinyhilError, VectorsError
from harness.ir.graph import Graph
from harness.quantization.types import DType, Quantization
from harness.validate import vectors
from harness.validate.card import FileVectors, load_card
from harness.validate.card.vectors import parse_vectors
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.builders import BUILDERS
from tests.support.draft import Draft
from tests.support.front_end import CHANNELS, SAMPLES, front_end


def tone(samples: int, hertz: float = 700) -> np.ndarray:
    """Silence, then a tone that grows."""
    t = np.arange(samples)
    return np.round(9000 * np.maximum(t / samples - 0.3, 0) * np.sin(2 * np.pi * hertz * t / 16000)).astype("<i2")


def write(path: Path, samples: np.ndarray, *, rate: int = 16000, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(samples.tobytes())
    return path


def model_of(shape: tuple[int, ...], dtype: DType, quant: Quantization | None = None) -> Graph:
    draft = Draft(np.random.default_rng(0))
    return draft.finish("m", (BUILDERS["RESHAPE"](draft, draft.input(shape, quant, dtype)),))


def test_an_int16_input_gets_the_samples_as_they_are(tmp_path: Path) -> None:
    samples = tone(1600)
    write(tmp_path / "t.wav", samples)
    graph = model_of((1, 480), DType.INT16)
    whole = vectors.load(FileVectors(file="t.wav"), graph, tmp_path)
    assert whole.name == "t.wav" and len(whole) == 3
    np.testing.assert_array_equal(np.concatenate([row[0].reshape(-1) for row in whole.inputs]), samples[:1440])
    stepped = vectors.load(FileVectors(file="t.wav", step=320, count=4), graph, tmp_path)
    assert len(stepped) == 4 and len(vectors.load(FileVectors(file="t.wav", step=320), graph, tmp_path)) == 4
    np.testing.assert_array_equal(stepped.inputs[3][0][0], samples[960:1440])


def test_others_get_real_numbers(tmp_path: Path) -> None:
    samples = tone(480)
    write(tmp_path / "t.wav", samples)
    spec = FileVectors(file="t.wav")
    floats = vectors.load(spec, model_of((480, 1), DType.FLOAT32), tmp_path).inputs[0][0]
    np.testing.assert_array_equal(floats[:, 0], samples.astype(np.float32) / 32768)
    graph = model_of((1, 480), DType.INT8, Quantization((1 / 128,), (3,)))
    given = vectors.load(spec, graph, tmp_path)
    np.testing.assert_array_equal(given.inputs[0][0][0], np.clip(np.round(samples / 256) + 3, -128, 127))
    ((real,),) = vectors.real_inputs(spec, graph, tmp_path, given)
    np.testing.assert_array_equal(real[0], samples.astype(np.float32) / 32768)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rate": 44100}, "1 channel(s) of 16-bit samples at 44,100 Hz, not 1 of 16 bits at 16,000 Hz"),
        ({"channels": 2}, "2 channel(s) of 16-bit"),
        ({"width": 1}, "1 channel(s) of 8-bit"),
    ],
)
def test_sounds_of_another_kind_are_refused(change: dict[str, int], told: str, tmp_path: Path) -> None:
    write(tmp_path / "t.wav", tone(960), **change)
    with pytest.raises(VectorsError) as caught:
        vectors.load(FileVectors(file="t.wav"), model_of((1, 480), DType.INT16), tmp_path)
    assert told in caught.value.message and "ffmpeg" in caught.value.hint


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.wav", tone(479))
    graph = model_of((1, 480), DType.INT16)
    for spec, model, told in (
        (FileVectors(file="t.wav"), graph, "479 samples, fewer than the 480"),
        (FileVectors(file="none.wav"), graph, "no such file"),
        (FileVectors(file="t.wav"), model_of((1, 24, 20), DType.INT16), r"shape \[1, 24, 20\], which is no row of sam"),
        (FileVectors(file="t.npz", step=3), graph, "`step` is for sounds"),
    ):
        with pytest.raises(VectorsError, match=told):
            vectors.load(spec, model, tmp_path)
    draft = Draft(np.random.default_rng(0))
    pair = draft.finish("two", (BUILDERS["MAXIMUM"](draft, None),))
    with pytest.raises(VectorsError, match="one sound for a model with 2 inputs"):
        vectors.load(FileVectors(file="t.wav"), pair, tmp_path)
    whole = path.read_bytes()
    for damaged in (b"", b"RIFF", whole[:20], whole[:40], b"\0" * 100, whole.replace(b"fmt ", b"fmtx")):
        path.write_bytes(damaged)
        with pytest.raises(VectorsError, match=r"not a readable \.wav file"):
            vectors.load(FileVectors(file="t.wav"), graph, tmp_path)


def test_damaged_bytes_never_crash(tmp_path: Path) -> None:
    path = write(tmp_path / "t.wav", tone(500))
    whole, graph = path.read_bytes(), model_of((1, 480), DType.INT16)
    for at in range(44):
        for value in (0, 1, 127, 255):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            try:
                vectors.load(FileVectors(file="t.wav"), graph, tmp_path)
            except TinyhilError:
                pass


def test_an_option_takes_a_sound(tmp_path: Path) -> None:
    assert parse_vectors("a.wav", tmp_path) == FileVectors(file=str(tmp_path / "a.wav"))


def test_a_front_end_hears_a_tone(tmp_path: Path) -> None:
    """Card, sound and model: every layer is TFLM's over the whole sequence, and the loudest channel is the tone's."""
    write(tmp_path / "tone.wav", tone(16000))
    graph = front_end()
    (tmp_path / "ear.tflite").write_bytes(graph.model)
    card = tmp_path / "ear.hil.yaml"
    card.write_text("model: ear.tflite\nvectors: {file: tone.wav, step: 320}\n")
    outcome = Workbench().validate(load_card(card), "host", Options(opinions=()))
    assert outcome.passed
    heard = [row[0] for row in outcome.measurement.outputs]
    assert heard[-1].shape == (CHANNELS,) and len(heard) == (16000 - SAMPLES) // 320 + 1
    bin_of_tone = 700 / (16000 / 512)
    assert abs(int(np.argmax(heard[-1])) - bin_of_tone // 10) <= 1

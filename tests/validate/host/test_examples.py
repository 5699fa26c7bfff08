"""The examples: small, what their scripts make, and good at their tasks on what they were not trained on."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

from fixtures.scripts.ctc import decode
from fixtures.scripts.exact import Random
from fixtures.scripts.examples import (
    EXAMPLES as MAKERS,
)
from fixtures.scripts.examples import (
    anomaly_detection,
    fashion,
    image_classification,
    keyword_spotting,
    noise_suppression,
    person_detection,
    speech_recognition,
    streaming_keyword,
)
from fixtures.scripts.front_end import STEP
from fixtures.scripts.speech import recorded
from harness.frontends import load
from harness.oracle import open_oracle
from harness.validate.card import TRUTHS, load_card
from harness.validate.tasks import edit_distance
from harness.validate.vectors import load as load_vectors
from tests.support.paths import EXAMPLES
from tests.support.scale import scaled

LIMIT = 100_000
"""Bytes of an example: model and vectors."""

DATA: dict[str, Callable[[], dict[str, np.ndarray]]] = {
    "image_classification": image_classification.vectors,
    "keyword_spotting": keyword_spotting.vectors,
    "speech_recognition": speech_recognition.vectors,
    "anomaly_detection": anomaly_detection.vectors,
    "person_detection": person_detection.vectors,
    "noise_suppression": noise_suppression.vectors,
}
NO_DATA = pytest.mark.skipif(not fashion.FOLDER.exists(), reason="Debian's dataset-fashion-mnist is not installed")


def with_data(names) -> list:
    return [pytest.param(n, marks=NO_DATA) if n == "image_classification" else n for n in names]


@pytest.mark.parametrize("name", MAKERS)
def test_an_example_is_small_and_its_card_has_a_truth(name):
    card = load_card(EXAMPLES / f"{name}.hil.yaml")
    files = [EXAMPLES / f"{name}{end}" for end in (".hil.yaml", ".tflite", "_vectors.npz", ".wav")]
    assert sum(path.stat().st_size for path in files if path.exists()) <= LIMIT
    assert len(load_vectors(card.vectors, load(card.model), card.base)) >= 20
    asked = [check for check in TRUTHS if getattr(card.checks, check) is not None]
    assert asked or name == "streaming_keyword"  # whose words the test below compares
    assert card.description


def test_all_cards_have_scripts():
    assert {path.name.removesuffix(".hil.yaml") for path in EXAMPLES.glob("*.hil.yaml")} == set(MAKERS)


@pytest.mark.parametrize("name", with_data(DATA))
def test_vectors_are_what_their_scripts_make(name):
    made = DATA[name]()
    with np.load(EXAMPLES / f"{name}_vectors.npz") as shipped:
        assert set(shipped.files) == set(made)
        assert all(np.array_equal(shipped[key], values) for key, values in made.items())


def test_the_wav_is_what_its_script_makes():
    assert streaming_keyword.wav(streaming_keyword.clip()) == (EXAMPLES / "streaming_keyword.wav").read_bytes()


@pytest.mark.timeout(3600)
@pytest.mark.skipif(os.environ.get("TINYHIL_LONG") != "1", reason="trains for minutes; TINYHIL_LONG=1")
@pytest.mark.parametrize("name", with_data(MAKERS))
def test_scripts_make_the_same_models_again(name):
    assert MAKERS[name]().model == (EXAMPLES / f"{name}.tflite").read_bytes()


def outputs(name: str, rows: list[np.ndarray], output: int = 0) -> list[np.ndarray]:
    """What TFLM computes of inputs in a row, from the model's initial state."""
    with open_oracle("tflm", load(EXAMPLES / f"{name}.tflite")) as oracle:
        return [oracle.invoke((row,)).outputs[output] for row in rows]


def words(samples: np.ndarray) -> list[str]:
    """What the streaming keyword spotter hears in a sound: one word as long as it says the same."""
    steps = samples[: len(samples) // STEP * STEP].reshape(-1, 1, STEP)
    best = np.array([int(word.item()) for word in outputs("streaming_keyword", list(steps))])
    return [streaming_keyword.CLASSES[k] for k in decode(best)]


def test_the_wav_says_yes_and_stop_and_between_them_what_is_no_keyword():
    assert words(streaming_keyword.clip()) == ["yes", "stop"]


def test_silence_says_nothing():
    noises = [np.random.default_rng(n).integers(-n, n + 1, 8 * 16_000).astype(np.int16) for n in (30, 100, 300)]
    assert [words(sound) for sound in (np.zeros(16_000, np.int16), *noises)] == [[]] * 4


def test_the_streaming_spotter_hears_voices_that_it_was_not_trained_on():
    random = Random(1001)
    utterances, made = streaming_keyword.spoken(scaled(40, 100), random)
    errors = said = 0
    for utterance, sound in zip(utterances, recorded(made.sounds, random, streaming_keyword.NOISE), strict=True):
        wanted = [w for w in utterance.words if w in streaming_keyword.KEYWORDS]
        errors += edit_distance(words(sound), wanted)
        said += len(wanted)
    assert said >= 35
    assert errors / said <= 0.1


def test_noise_suppression_makes_noise_less_and_leaves_speech():
    mixed, speech, noise = noise_suppression.noisy(2, seed=noise_suppression.TEST_SEED)
    with np.load(EXAMPLES / "noise_suppression_vectors.npz") as data:
        rows = list(data["input_0"])
    gains = np.stack([(y.astype(float) + 128) / 256 for y in outputs("noise_suppression", rows)])
    gains = gains.reshape(mixed.shape)

    def decibels(a: np.ndarray, b: np.ndarray) -> float:
        return float(10 * np.log10((a.astype(float) ** 2).sum() / (b.astype(float) ** 2).sum()))

    assert decibels(gains * speech, gains * noise) >= decibels(speech, noise) + 8
    assert decibels(gains * speech, speech) >= -1

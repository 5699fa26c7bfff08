"""Words out of a sound: the streaming keyword spotter of examples/, on the board that the test was given.

    pytest examples/test_streaming_keyword.py --board mps2-an500

A model with states sees the vectors of one `hil.run` as a sequence, so a sound is cut into steps, in order.
"""

import wave
from itertools import groupby
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
WORDS = ("", "yes", "no", "left", "right", "stop", "go")
STEP = 320


def test_a_sound_goes_in_and_its_keywords_come_out(hil):
    with wave.open(str(FOLDER / "streaming_keyword.wav")) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.int16)
    steps = samples[: len(samples) // STEP * STEP].reshape(-1, 1, STEP)
    heard = [WORDS[int(word.item())] for word, _ in hil.run(FOLDER / "streaming_keyword.tflite", [[x] for x in steps])]
    assert [word for word, _ in groupby(heard) if word] == ["yes", "stop"]

"""A test of your own beside model cards. Run it from the checkout:

    pytest examples --board host
    pytest examples --board mps2-an386 --board mps2-an500 --board mps3-an547 -n 2

The fixture `hil` runs models on the board that the test was given; each test runs once per --board.
"""

from pathlib import Path

import numpy as np

FIXTURES = Path(__file__).parent.parent / "fixtures"


def test_card_holds_and_leaves_room_on_a_small_chip(hil):
    """Everything the card asks for, plus a limit across figures that a card cannot express."""
    outcome = hil.validate(FIXTURES / "digits.hil.yaml")
    assert outcome.passed, outcome.explain()
    arena = outcome.measurement.arena_high
    assert arena == outcome.plan.arena_size, "the device must use exactly the arena that was planned"
    assert arena + outcome.measurement.stack_high < 8 * 1024


def test_brightness_does_not_change_the_answer(hil):
    """A property of the model itself, asked of the code on the board: the same digit, a little fainter."""
    vectors = np.load(FIXTURES / "digits_vectors.npz")
    images = vectors["input_0"][:20]
    lowest = images.min()
    fainter = (lowest + 0.9 * (images.astype(float) - lowest)).round().astype(images.dtype)
    bright = [output[0].argmax() for output in hil.run(FIXTURES / "digits.tflite", [[x] for x in images])]
    faint = [output[0].argmax() for output in hil.run(FIXTURES / "digits.tflite", [[x] for x in fainter])]
    assert np.mean(np.equal(bright, faint)) >= 0.9

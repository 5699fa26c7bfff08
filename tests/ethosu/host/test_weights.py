"""Our decoder gives back what Vela's encoder was given."""

from __future__ import annotations

import numpy as np
import pytest
from ethosu import mlw_codec

from harness.ethosu.weights import WeightOrder, arranged, decode
from tests.support.scale import scaled


def _weights(rng: np.random.Generator) -> np.ndarray:
    """Few or many values, with runs of zeros or without, of 8 and 9 bits."""
    count = int(rng.integers(1, 6000))
    limit = int(rng.choice([1, 3, 15, 127, 255]))
    made = rng.integers(-limit, limit, count, endpoint=True)
    if rng.random() < 0.3:
        made = np.rint(rng.laplace(0, limit / 8, count)).clip(-limit, limit).astype(np.int64)
    made[rng.random(count) < rng.choice([0, 0.5, 0.95])] = 0
    return made


@pytest.mark.parametrize("part", range(scaled(1, 10)))
def test_decoder_inverts_the_encoder_of_vela(part: int) -> None:
    rng = np.random.default_rng([3, part])
    for _ in range(60):
        # Streams of several cores' or slices' weights follow each other.
        whole = [_weights(rng) for _ in range(int(rng.integers(1, 3)))]
        content = b"".join(bytes(mlw_codec.encode([int(w) for w in weights], 0)) for weights in whole)
        found = decode(content)
        wanted = np.concatenate(whole)
        # The encoder may fill up with zeros.
        np.testing.assert_array_equal(found[: len(whole[0])], whole[0])
        assert len(found) >= len(wanted)
        np.testing.assert_array_equal(found[np.flatnonzero(found)], wanted[np.flatnonzero(wanted)])


def test_weights_that_are_too_few_are_told() -> None:
    order = WeightOrder(8, 8, 3, 3, 8, 8, 8, False, False, 8, (8, 8))
    with pytest.raises(Exception, match="10 weights for 8 x 3 x 3 x 8"):
        arranged(np.zeros(10, np.int64), order)


def test_a_huge_window_with_few_weights_takes_no_time() -> None:
    order = WeightOrder(65536, 65536, 65536, 65536, 1, 8, 8, False, True, 8, (4, 4))
    with pytest.raises(Exception, match="weights for"):
        arranged(np.zeros(100, np.int64), order)

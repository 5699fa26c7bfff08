"""Indices and tables give the elements back, and there are never more values than asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.quantization.shared_values import distinct, is_int4, restored, shared_values

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=6)
FEW = [-0.0, 0.0, 1.5, -2.0, float("inf"), float("nan"), 1e-42]


@given(hnp.arrays(np.int8, SHAPES), st.integers(1, 256), st.booleans())
def test_integers_come_back(data, most, per_channel):
    axis = data.ndim - 1 if per_channel else None
    found = shared_values(data, most, axis)
    counts = [len(np.unique(part)) for part in (np.moveaxis(data, axis, 0) if per_channel else [data])]
    assert (found is None) == (max(counts) > most)
    if found is not None:
        assert found.indices.shape == data.shape and found.tables.dtype == data.dtype and list(found.counts) == counts
        assert (restored(found, axis) == data).all()


@given(hnp.arrays(np.float32, SHAPES, elements=st.sampled_from(FEW).map(np.float32)), st.booleans())
def test_floats_come_back_bit_for_bit(data, per_channel):
    axis = 0 if per_channel else None
    found = shared_values(data, 256, axis)
    assert restored(found, axis).astype(np.float32).tobytes() == data.tobytes()


def test_more_values_than_asked_for():
    assert shared_values(np.arange(17, dtype=np.int8), 16) is None
    assert shared_values(np.arange(256).astype(np.uint8), 256).tables.shape == (1, 256)


def test_zeros_of_both_signs_are_two_values():
    assert np.signbit(distinct(np.array([0.0, -0.0, 0.0], np.float32))).tolist() == [True, False]


@pytest.mark.parametrize(("values", "right"), [([-8, 7], True), ([-9], False), ([8], False)])
def test_int4(values, right):
    assert is_int4(np.array(values, np.int8)) is right
    assert not is_int4(np.zeros(3, np.float32))

"""The arena of TFLM: placed as its planner does, and near what was measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tflm import costs, records
from harness.tflm.arena import PlannedBuffer, placed_bytes
from tests.bench.tflm_models import memory_of

BUFFERS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9), st.integers(0, 4)), max_size=30)


def buffers(parts) -> list[PlannedBuffer]:
    return [PlannedBuffer(16 * size, first, first + more) for size, first, more in parts]


def test_the_largest_is_placed_first_and_each_at_the_first_gap():
    assert placed_bytes([]) == 0
    assert placed_bytes([PlannedBuffer(32, 0, 1), PlannedBuffer(64, 1, 2), PlannedBuffer(32, 2, 3)]) == 96
    assert placed_bytes([PlannedBuffer(32, 0, 0), PlannedBuffer(32, 1, 1)]) == 32
    between = [PlannedBuffer(64, 0, 3), PlannedBuffer(48, 1, 1), PlannedBuffer(32, 1, 2), PlannedBuffer(16, 2, 2)]
    assert placed_bytes(between) == 144


@given(BUFFERS)
def test_a_plan_holds_all_that_live_at_once_and_no_more_than_all(parts):
    planned = buffers(parts)
    alive = max((sum(b.size for b in planned if b.first <= at <= b.last) for at in range(14)), default=0)
    assert alive <= placed_bytes(planned) <= sum(b.size for b in planned)


@pytest.mark.parametrize("core", records.cores())
def test_the_arena_of_real_models_is_near_what_tflm_used(core):
    wrong = []
    for model in records.models():
        memory = memory_of(model)
        if not model.generated and memory is not None:
            wrong.append(abs(costs.arena(memory, core).value / model.runs[core].arena - 1))
    assert len(wrong) >= 30
    assert np.median(wrong) < 0.01 and np.quantile(wrong, 0.9) < 0.05 and max(wrong) < 0.2


def test_of_most_generated_layers_it_is_exact():
    found = [
        abs(costs.arena(memory_of(model), "cortex-m55").value - model.runs["cortex-m55"].arena)
        for model in records.models()[::9]
        if model.generated
    ]
    assert len(found) > 80 and np.median(found) <= 32 and np.quantile(found, 0.9) <= 100

"""ONNX's own node cases: equal within 1e-5, or refused with a reason, and never wrong."""

from __future__ import annotations

import random
from collections import Counter

from tests.support.onnx_cases import cases, outcome
from tests.support.scale import scaled

PASSING = 690
"""Of all cases of onnx 1.23; versions differ by some."""

NAMED = tuple(
    f"test_{name}"
    for name in (
        *("basic_conv_with_padding", "conv_with_autopad_same", "convtranspose_pad", "gemm_all_attributes"),
        *("maxpool_2d_same_lower", "averagepool_2d_pads_count_include_pad", "softmax_axis_0", "lstm_defaults"),
        *("batchnorm_example", "layer_normalization_2d_axis0", "gelu_default_1", "gru_seq_length"),
        *("resize_upsample_scales_linear", "qlinearconv", "reduce_l2_do_not_keepdims_random", "slice_neg_steps"),
        *("where_example", "argmax_keepdims_random", "depthtospace_crd_mode_example", "convtranspose_autopad_same"),
    )
)
"""Cases that always run."""


def test_cases_are_equal_or_refused_and_never_wrong():
    every = {case.name: case for case in cases()}
    others = sorted(set(every) - set(NAMED))
    chosen = [*(name for name in NAMED if name in every), *random.Random(14).sample(others, scaled(120, len(others)))]
    results = [outcome(every[name]) for name in chosen]
    assert [one for one in results if one.result == "wrong"] == []
    assert all(one.why for one in results if one.result == "refused")
    passing = Counter(one.result for one in results)["pass"]
    assert passing >= scaled(40, PASSING), passing
    by_name = {one.name: one for one in results}
    refused = [name for name in NAMED if name in by_name and by_name[name].result != "pass"]
    assert refused == [], [by_name[name].why for name in refused]

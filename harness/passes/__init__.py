"""Passes: rewrites of a Graph that keep its outputs bit for bit; PASSES is their order. A new one is a file here."""

from __future__ import annotations

from collections.abc import Callable

from harness.ir.graph import Graph
from harness.passes.apart_channels import apart_channels
from harness.passes.centre_weights import centre_weights
from harness.passes.delay_assignments import delay_assignments
from harness.passes.drop_channels import drop_channels
from harness.passes.fold_constants import fold_constants
from harness.passes.fuse_islands import fuse_islands
from harness.passes.fuse_pad import fuse_pad
from harness.passes.fuse_tables import fuse_tables
from harness.passes.one_channel import one_channel
from harness.passes.place_outputs import place_outputs
from harness.passes.remove_dead import remove_dead
from harness.passes.remove_noops import remove_noops

PASSES: tuple[Callable[[Graph], Graph], ...] = (
    fold_constants,
    centre_weights,
    remove_noops,
    fuse_pad,
    fuse_islands,
    fuse_tables,
    drop_channels,
    apart_channels,
    one_channel,
    place_outputs,
    remove_dead,
    delay_assignments,
)


def optimize(graph: Graph) -> Graph:
    """The graph after all passes; the outputs for any inputs stay the same, bit for bit."""
    for rewrite in PASSES:
        graph = rewrite(graph)
    return graph

"""Plan: what the compiler decided: layers with their kernels, and where every tensor lives in the arena."""

from __future__ import annotations

from dataclasses import dataclass

from harness.compiler.goals import Goals
from harness.ir.graph import Graph, Node
from harness.kernels.base import Kernel, Lowered
from harness.kernels.context import Context


@dataclass(frozen=True)
class KernelUse:
    """A kernel and what it computes, `times` times over: a layer, or some rows of one."""

    kernel: Kernel
    context: Context
    times: int = 1


@dataclass(frozen=True)
class LayerCode:
    """What one layer computes.

    Attributes:
        nodes: in order; several where they are computed together, a few rows at a time.
        parts: what kernels compute.
        reads: tensors that are read as wholes, constants too.
        lowered: the calls.
        around: instructions expected between the kernels: rows that are moved, and their calls.
    """

    nodes: tuple[Node, ...]
    parts: tuple[KernelUse, ...]
    reads: tuple[int, ...]
    lowered: Lowered
    around: float = 0.0

    @property
    def node(self) -> Node:
        """The node whose outputs are written."""
        return self.nodes[-1]

    @property
    def kernel(self) -> Kernel:
        """The kernel of a layer that is computed at once."""
        return self.parts[0].kernel

    @property
    def context(self) -> Context:
        """What the kernel of a layer that is computed at once was given."""
        return self.parts[0].context


@dataclass(frozen=True)
class ArenaPlacement:
    """A tensor's, state's or scratch buffer's place in the arena.

    Attributes:
        tensor: tensor id, or None for states and scratch.
        state: index into Graph.states, or None.
        offset, size: bytes from the start of the arena.
        first, last: indices of the first and last layer during which the bytes must be kept (inputs start at -1;
            outputs and states end at len(layers)).
    """

    name: str
    tensor: int | None
    state: int | None
    offset: int
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class Layer:
    """One call in the generated code, and one line of every per-layer table.

    Attributes:
        index: position in execution order.
        name: C identifier, such as "conv_2d_03".
        op: operator name; fused ones are in `fused`.
        kernel: name of the kernel that computes it, which is its file's name.
        outputs: tensor ids in Plan.graph; their Tensor.source is the tensor index in the model file.
        macs: multiply-accumulates.
        scratch: scratch bytes.
        sources: operator indices of the model file that this layer computes.
        fused: operators computed along with `op`, such as ("PAD",).
        hidden: operators among these whose output never exists as a whole: it is computed a few rows at a time.
    """

    index: int
    name: str
    op: str
    kernel: str
    outputs: tuple[int, ...]
    macs: int
    scratch: int
    sources: tuple[int, ...]
    fused: tuple[str, ...] = ()
    hidden: int = 0


@dataclass(frozen=True, eq=False)
class Plan:
    """A compiled network before it is written out.

    Attributes:
        name: C identifier, prefix of everything generated.
        core: "cortex-m4" and so on, or "host".
        graph: the graph after all passes.
        steps: per layer the nodes of `graph` and the calls that compute them.
        arena_size: bytes the caller must provide: inputs, activations, outputs, states and scratch.
        arena_align: required alignment of the arena in bytes.
        arena_bound: bytes without which no placement of these layers does.
        goals: what was compiled for.
        liveness_bound: bytes of tensors and states alive at once at the worst layer, when none overlap; no scratch.
        removed: (operator index in the file, operator name, why) of operators that cost nothing at run time.
    """

    name: str
    core: str
    graph: Graph
    layers: tuple[Layer, ...]
    steps: tuple[LayerCode, ...]
    placements: tuple[ArenaPlacement, ...]
    arena_size: int
    arena_align: int
    arena_bound: int
    liveness_bound: int
    goals: Goals
    removed: tuple[tuple[int, str, str], ...] = ()

    def placement_of(self, tensor: int) -> ArenaPlacement:
        """Where a non-constant tensor of `graph` lives.

        Raises:
            KeyError: the tensor is not placed.
        """
        for placement in self.placements:
            if placement.tensor == tensor:
                return placement
        raise KeyError(tensor)

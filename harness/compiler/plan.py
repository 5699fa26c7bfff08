"""Plan: the compiled network before it is written as C: layers with their kernels, and the arena's layout."""

from __future__ import annotations

from dataclasses import dataclass

from harness.compiler.goals import Goals
from harness.ir.graph import Graph, Node
from harness.kernels.base import Kernel, Lowered
from harness.kernels.context import Context


@dataclass(frozen=True)
class KernelUse:
    """A kernel with the layer, or the rows of a layer, that it computes; `times` parts of one shape."""

    kernel: Kernel
    context: Context
    times: int = 1


@dataclass(frozen=True)
class LayerCode:
    """The code of one layer.

    Attributes:
        nodes: in order; several where their rows are fused.
        parts: the kernels, and what each computes.
        reads: tensors that are read from outside the layer, constants too.
        lowered: the calls.
        overhead: instructions expected between the kernels: calls, and rows that are moved.
    """

    nodes: tuple[Node, ...]
    parts: tuple[KernelUse, ...]
    reads: tuple[int, ...]
    lowered: Lowered
    overhead: float = 0.0

    @property
    def node(self) -> Node:
        """The node whose outputs are written."""
        return self.nodes[-1]

    @property
    def kernel(self) -> Kernel:
        """The kernel of a layer that is not fused rows."""
        return self.parts[0].kernel

    @property
    def context(self) -> Context:
        """The context of the kernel of a layer that is not fused rows."""
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
    """One function of the generated code, and one line of every table by layer.

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
        hidden: operators among these whose output never exists whole, since their rows are fused.
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
        prefetch_at: where the buffers for weights that are copied ahead lie in the arena; None where none are.
        scratch_size: bytes of scratch that the caller must provide besides, where it is no part of the arena; else 0.
        arena_align: required alignment of the arena in bytes.
        arena_bound: lower bound in bytes of the arena of these layers, whatever the placement.
        goals: what was compiled for.
        macs_of_file: multiply-accumulates of the operators of the model file, before the passes.
        liveness_bound: bytes of tensors and states alive at once at the worst layer, if no two overlap; no scratch.
        removed: (operator index in the file, operator name, reason) of operators that no layer computes.
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
    macs_of_file: int = 0
    scratch_size: int = 0
    prefetch_at: int | None = None
    removed: tuple[tuple[int, str, str], ...] = ()

    @property
    def macs(self) -> int:
        """Multiply-accumulates that the layers compute."""
        return sum(layer.macs for layer in self.layers)

    @property
    def scratch_apart(self) -> bool:
        """Whether scratch is no part of the arena."""
        return self.scratch_size > 0

    def placement_of(self, tensor: int) -> ArenaPlacement:
        """Where a non-constant tensor of `graph` lives.

        Raises:
            KeyError: the tensor is not placed.
        """
        for placement in self.placements:
            if placement.tensor == tensor:
                return placement
        raise KeyError(tensor)

"""What a kernel may look at."""

from __future__ import annotations

from dataclasses import dataclass

from harness.hardware.target import Target
from harness.ir.graph import ABSENT, Graph, Node, Tensor
from harness.ir.window import Window2D, window_of


@dataclass(frozen=True)
class Context:
    """What a kernel may look at: a node of a graph, and what code is generated for."""

    graph: Graph
    node: Node
    target: Target

    def input(self, index: int = 0) -> Tensor:
        """Input tensor `index`, which must be there."""
        return self.graph.tensors[self.node.inputs[index]]

    def output(self, index: int = 0) -> Tensor:
        """Output tensor `index`."""
        return self.graph.tensors[self.node.outputs[index]]

    @property
    def window(self) -> Window2D:
        """The node's windows, which must be a convolution or pooling."""
        return window_of(self.graph, self.node)

    def optional(self, index: int) -> Tensor | None:
        """Input tensor `index`, or None when it is absent."""
        if index >= len(self.node.inputs) or self.node.inputs[index] == ABSENT:
            return None
        return self.input(index)

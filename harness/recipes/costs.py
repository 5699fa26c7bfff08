"""What a network costs on a board: the compiler's memory and the cycle model's time, of the code that will run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import OptionError
from harness.fit import Microcontroller, Wishes, fit, known_parts
from harness.fit.catalogue import find_part
from harness.ir.operators import operator_of
from harness.training.data import TrainingData

if TYPE_CHECKING:
    from harness.compiler.goals import Mode
    from harness.ir.graph import Graph
    from harness.training.layers import NetworkSpec
    from harness.training.network import TorchNetwork

_FEW = 8
"""Pictures whose ranges do for a network that is only costed."""


@dataclass(frozen=True)
class Costs:
    """Of an int8 network on a board.

    Attributes:
        macs: multiplications of an inference.
        weights: numbers that layers multiply with.
        arena, flash: bytes; of `flash` the code is estimated.
        cycles: modelled.
    """

    macs: int
    weights: int
    arena: int
    flash: int
    cycles: int


@dataclass(frozen=True, eq=False)
class BoardCosts:
    """Costs on one board; those of a network of the same layers are found once.

    Attributes:
        part: the board.
        data: whose pictures the networks take.
        mode: of the compiler.
    """

    part: Microcontroller
    data: TrainingData
    mode: Mode = "balanced"
    _known: dict[NetworkSpec, Costs] = field(default_factory=dict)

    def of(self, network: TorchNetwork) -> Costs:
        """Of a network that is not quantized yet, with whatever weights: nearly always its shape decides alone."""
        from harness.training.lined import lined_model

        spec = network.spec
        if spec not in self._known:
            made = lined_model(network, self.data, scheme="min-max", vectors=_FEW)
            self._known[spec] = self.of_graph(made.graph)
        return self._known[spec]

    def by_schemes(self, network: TorchNetwork, schemes: Sequence[str]) -> list[Costs]:
        """Of a network with the weights that it has, by each of some schemes of docs/ptq.md: nothing is remembered."""
        from harness.training.lined import lined_model

        return [self.of_graph(lined_model(network, self.data, scheme=scheme).graph) for scheme in schemes]

    def of_graph(self, graph: Graph) -> Costs:
        """Of an int8 graph.

        Raises:
            OptionError: no time is modelled on this board.
        """
        found = fit(graph, self.part, Wishes(modes=(self.mode,)))
        mode = found.modes[0] if found.modes else None
        if mode is None or mode.time is None:
            why = found.refused or found.untimed
            raise OptionError(f"no time is expected on {self.part.name}: {why}", hint="name another board")
        macs = sum(operator_of(node).macs(graph, node) for node in graph.nodes)
        weights = sum(graph.tensors[t].elements for t in _weights(graph))
        return Costs(macs, weights, mode.arena, mode.constants + mode.code, round(mode.time.cycles.value))


def board_costs(board: str, data: TrainingData) -> BoardCosts:
    """Costs on a board or microcontroller by its name.

    Raises:
        OptionError: it is not known.
    """
    return BoardCosts(find_part(board, known_parts(None)), data)


def _weights(graph: Graph) -> set[int]:
    constants = (t for node in graph.nodes for t in node.inputs[1:2] if t >= 0)
    return {t for t in constants if graph.tensors[t].data is not None}

"""Parts of a model on the Ethos-U: the driver is given the command stream and the places of its regions."""

from __future__ import annotations

import numpy as np

from harness.ir.operators import OPERATORS, names_of
from harness.ir.operators.ethos_u import ARENA, FAST, INPUTS, OUTPUTS, EthosUAttrs
from harness.kernels.base import BlockStart, Call, ConstantTable, In, Kernel, Lowered
from harness.kernels.context import Context
from harness.kernels.work import Work

ALIGNMENT = 16
"""Of command streams, constants and the arena, in bytes: the NPU's own rule."""


class EthosU(Kernel):
    """The NPU computes; the core waits."""

    ops = names_of(EthosUAttrs)
    types = tuple(types for name in sorted(ops) for types in OPERATORS[name].types)
    costs_itself = False
    instructions = 5_000.0
    function = "ethos_u"

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, EthosUAttrs)
        ends = {block: stop for block, (_, stop) in attrs.blocks.items()}
        fast = FAST if FAST in dict(attrs.regions) else ARENA
        named = {"arena": ARENA, "fast": fast, "inputs": INPUTS, "outputs": OUTPUTS}
        shape = {"words": len(attrs.words), "config": attrs.accelerator.config, "constants": len(attrs.constants)}
        shape |= {name: ends.get(block, 0) for name, block in named.items()}
        somewhere = next(iter(ends))  # a region that is not there has a pointer and no bytes
        regions = (BlockStart(block if block in ends else somewhere) for block in named.values())
        constants = np.frombuffer(attrs.constants or bytes(ALIGNMENT), np.uint8)
        run = Call(
            self.function,
            (
                ConstantTable("commands", "uint32_t", attrs.words, ALIGNMENT),
                ConstantTable("constants", "uint8_t", constants, ALIGNMENT),
                *regions,
            ),
            shape,
            may_fail=True,
        )
        return Lowered(self.function, (*self._given(context, attrs), run))

    @staticmethod
    def _given(context: Context, attrs: EthosUAttrs) -> list[Call]:
        """Copies of inputs that passes found to be constant to where the NPU reads them."""
        calls = []
        for i, place in zip(range(len(context.node.inputs)), attrs.tensors, strict=False):
            tensor = context.input(i)
            if tensor.data is not None:
                target = BlockStart(place.block, offset=place.offset)
                calls.append(Call("move_portable", (In(i, "uint8_t"), target), {"bytes": tensor.bytes}))
        return calls

    def work(self, context: Context) -> Work:
        return Work({})


KERNELS: tuple[Kernel, ...] = (EthosU(),)

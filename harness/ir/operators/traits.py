"""Traits of operators: passes, fusion and kernels ask for these, never for an operator's name."""

from __future__ import annotations

from enum import Enum, auto


class Trait(Enum):
    """A property of all nodes of an operator; tests/ir/host/test_traits.py checks those that operators declare."""

    ELEMENTWISE = auto()
    """One input; each output element is the same function of the input element at the same place."""
    BYTE_FUNCTION = auto()
    """ELEMENTWISE, and for 8-bit types best computed as a table of 256 bytes."""
    PAIRWISE = auto()
    """Two inputs, broadcast; each output element is the same function of the two elements at its place."""
    ROW_BY_ROW = auto()
    """Each row of the output follows from the same row of the input: images may be computed a few rows at a time."""
    SAME_BYTES = auto()
    """The output has the input's bytes, in their order, under another shape."""
    SAME_VALUES = auto()
    """The output stands for the same real numbers, in their order: shape and quantization may differ."""
    WEIGHTS = auto()
    """Input 1 is constant weights, input 2 an optional constant bias."""
    CHANNELS_APART = auto()
    """With WEIGHTS: every output channel reads one input channel only."""
    AS_THEY_ARE = auto()
    """Numbers are taken as they are: all tensors have one scale, whatever it is."""
    ONE_SCALE = auto()
    """Of integers: inputs and outputs have one scale and zero point, as they are not requantized."""
    ONE_SCALE_IN = auto()
    """Of integers: all inputs have one scale and zero point; the output has its own."""
    AVERAGES = auto()
    """The output elements are means of input elements."""
    PRODUCT = auto()
    """Two inputs; where one is its zero point, the output is its own zero point, whatever the other input."""
    PROBABILITIES = auto()
    """The output elements are probabilities: a model that ends in it is a classifier."""
    OF_SHAPE = auto()
    """The outputs follow from the inputs' shapes alone: known when the model is read."""
    READS_STATE = auto()
    """What it computes depends on its states, too: never a constant."""
    WRITES_STATE = auto()
    """Changes its states: must not be removed, even if nothing reads its outputs."""
    PLACED = auto()
    """Its tensors lie at given places in the arena, as others do before and after: none is written earlier or read
    later than the model says."""
    COPIES_STATE = auto()
    """One state, which is only copied: to the output (READS_STATE), or from the input (WRITES_STATE)."""

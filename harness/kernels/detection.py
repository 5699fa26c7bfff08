"""TFLite_Detection_PostProcess."""

from __future__ import annotations

from typing import cast

import numpy as np

from harness.ir.operators import OPERATORS
from harness.ir.operators.detection import DetectionAttrs
from harness.kernels.base import Call, ConstantTable, In, Kernel, Lowered, Out, Scratch, packed
from harness.kernels.context import Context
from harness.kernels.work import Work

_BYTES = "uint8_t"


class DetectionPortable(Kernel):
    """TFLite_Detection_PostProcess; boxes are decoded one at a time, as their scores call for them."""

    ops = frozenset({"TFLite_Detection_PostProcess"})
    types = OPERATORS["TFLite_Detection_PostProcess"].types

    def lower(self, context: Context) -> Lowered:
        attrs = cast(DetectionAttrs, context.node.attrs)
        encodings, scores = context.input(), context.input(1)
        boxes = encodings.shape[1]
        shape = {"boxes": boxes, "size": encodings.shape[2], "classes": attrs.classes, "columns": scores.shape[2]}
        shape |= {"most": attrs.most, "room": context.output(1).elements, "each": min(attrs.each, boxes)}
        constants = packed(np.array((*attrs.scales, attrs.score, attrs.overlap)), "float32")
        inputs = tuple(In(i, _BYTES) for i in range(3))
        outputs = tuple(Out(i, _BYTES) for i in range(4))
        table = ConstantTable("constants", "float", constants)
        call = Call("detection_portable", (*inputs, table, *outputs, Scratch(_BYTES)), shape)
        return Lowered("detection_portable", (call,), scratch=self.work(context).scratch)

    def work(self, context: Context) -> Work:
        attrs = cast(DetectionAttrs, context.node.attrs)
        boxes, scores = context.input().shape[1], context.input(1).elements
        each = min(attrs.each, boxes)
        # Which boxes compete is known at run time alone; here every one does, against half of those that stay.
        rounds, kept = (attrs.classes, each) if each else (1, min(attrs.most, boxes))
        loops = {"score": scores, "candidate": rounds * boxes, "pair": rounds * boxes * kept / 2}
        return Work(loops, scratch=4 * boxes + (16 * each if each else 4 * boxes))


KERNELS: tuple[Kernel, ...] = (DetectionPortable(),)

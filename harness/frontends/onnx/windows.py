"""OnnxWindows of ONNX's convolutions and pools, one-dimensional ones as images of one row.

Source: ONNX operator documentation, Conv, MaxPool and AveragePool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import OnnxNode, Unsupported
from harness.frontends.onnx.value import OnnxValue, channels_last
from harness.ir.operators.tflite import MAX_WINDOW

Pair = tuple[int, int]
"""(height, width)."""


@dataclass(frozen=True)
class OnnxWindows:
    """The windows over an image. All are (height, width).

    Attributes:
        size: of the image.
        kernel, stride, dilation: of a window.
        before, after: padding at the top and left, and at the bottom and right.
        out: number of windows.
    """

    size: Pair
    kernel: Pair
    stride: Pair
    dilation: Pair
    before: Pair
    after: Pair
    out: Pair

    @property
    def reach(self) -> Pair:
        """From a window's first to its last element, both included."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))  # type: ignore[return-value]

    @property
    def beyond(self) -> Pair:
        """Elements behind the image that the last window reaches, at least `after`."""
        return tuple(  # type: ignore[return-value]
            max((o - 1) * s + r - b - n, 0)
            for o, s, r, b, n in zip(self.out, self.stride, self.reach, self.before, self.size, strict=True)
        )


def spatial(values: Sequence[int] | None, count: int, default: int, what: str, least: int = 1) -> Pair:
    """An attribute of one or two numbers as (height, width)."""
    found = [default] * count if values is None else list(values)
    if len(found) != count:
        raise Unsupported(f"{what} {found} of an image of {count} dimensions")
    if any(not least <= n <= MAX_WINDOW for n in found):
        raise Unsupported(f"{what} {found}")
    first = (1 if least else 0) if count == 1 else found[0]
    return first, found[-1]


def windows_of(node: OnnxNode, shape: Sequence[int], kernel: Sequence[int]) -> OnnxWindows:
    """The windows of a node with auto_pad, pads, strides, dilations and ceil_mode over an NCHW or NCW image."""
    count = len(shape) - 2
    if count not in (1, 2) or len(kernel) != count:
        raise Unsupported(f"{count} spatial dimensions")
    size = spatial(shape[2:], count, 0, "size")
    taps = spatial(kernel, count, 1, "kernel")
    stride = spatial(node.integers("strides"), count, 1, "strides")
    dilation = spatial(node.integers("dilations"), count, 1, "dilations")
    reach = [(k - 1) * d + 1 for k, d in zip(taps, dilation, strict=True)]
    auto, pads = node.text("auto_pad", "NOTSET"), node.integers("pads")
    ceil = node.integer("ceil_mode") != 0
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        if ceil:
            raise Unsupported(f"ceil_mode with {auto}")
        out = [-(-n // s) for n, s in zip(size, stride, strict=True)]
        total = [max((o - 1) * s + r - n, 0) for o, s, r, n in zip(out, stride, reach, size, strict=True)]
        less = [t // 2 for t in total]
        more = [t - t // 2 for t in total]
        before, after = (less, more) if auto == "SAME_UPPER" else (more, less)
        return OnnxWindows(size, taps, stride, dilation, _pair(before), _pair(after), _pair(out))
    if auto == "VALID":
        pads = None
    elif auto != "NOTSET":
        raise Unsupported(f"auto_pad {auto}")
    found = list(pads) if pads is not None else [0] * (2 * count)
    if len(found) != 2 * count:
        raise Unsupported(f"pads {found}")
    before_, after_ = (spatial(part, count, 0, "pads", least=0) for part in (found[:count], found[count:]))
    spans = [n + b + a - r for n, b, a, r in zip(size, before_, after_, reach, strict=True)]
    if min(spans) < 0:
        raise Unsupported("a kernel larger than the padded image")
    out = [(-(-span // s) if ceil else span // s) + 1 for span, s in zip(spans, stride, strict=True)]
    if ceil:  # a window that would start behind the image and the padding before it is left out
        starts = zip(out, stride, size, before_, strict=True)
        out = [o - 1 if (o - 1) * s >= n + b else o for o, s, n, b in starts]
    return OnnxWindows(size, taps, stride, dilation, before_, after_, _pair(out))


def _pair(values: Sequence[int]) -> Pair:
    return values[0], values[1]


def image(net: Network, value: OnnxValue) -> int:
    """The tensor of an NCHW or NCW value as NHWC."""
    tensor = net.stored(value, channels_last(value.rank))
    if value.rank == 3:
        batch, width, channels = net.tensors[tensor].shape
        return net.reshaped(tensor, (batch, 1, width, channels))
    return tensor


def from_image(net: Network, tensor: int, rank: int) -> OnnxValue:
    """The value of that rank that an NHWC tensor is."""
    batch, height, width, channels = net.tensors[tensor].shape
    if rank == 3:
        assert height == 1
        return net.made(
            (batch, channels, width), net.reshaped(tensor, (batch, width, channels)), channels_last(3)
        )
    return net.made((batch, channels, height, width), tensor, channels_last(4))

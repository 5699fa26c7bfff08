"""Windows over an image: kernel, stride, dilation and padding of convolutions and poolings, axis by axis.

Window i of an axis has its taps at start(i) + t * dilation, t = 0 .. kernel - 1. Places below 0 and from `size` on are
padding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.ir.graph import Attrs, Graph, Node, Tensor
from harness.quantization.types import Clamp

Padding: TypeAlias = Literal["SAME", "VALID"]

NO_WINDOW = -1
"""Number of the window of an element that no window has a tap at."""


@dataclass(frozen=True)
class Pads:
    """Rows and columns of padding around an image; the value padded is the input's zero point."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


@dataclass(frozen=True)
class ConvAttrs(Attrs):
    """CONV_2D and DEPTHWISE_CONV_2D. Inputs: x NHWC, weights, bias or ABSENT.

    CONV_2D weights are OHWI (I = input channels / groups), DEPTHWISE_CONV_2D weights 1HWO (O = channels * multiplier).
    """

    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: Pads
    clamp: Clamp


@dataclass(frozen=True)
class PoolAttrs(Attrs):
    """AVERAGE_POOL_2D and MAX_POOL_2D. Input: x NHWC; padded elements do not count."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    pads: Pads
    clamp: Clamp


def same_pads(
    size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> Pads:
    """Padding that TensorFlow calls SAME: ceil(size / stride) outputs, the odd row or column at the end.

    All arguments are (height, width). Source: TensorFlow `tf.nn` documentation, "Notes on padding".
    """
    before, after = [], []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return Pads(before[0], after[0], before[1], after[1])


@dataclass(frozen=True)
class WindowAxis:
    """The windows along one axis of an image. All sizes are in elements of the axis.

    Attributes:
        size: of the image.
        out: number of windows, which is the output's size.
        kernel: taps of a window.
        stride: from one window to the next.
        dilation: from one tap to the next.
        pad_before: padding in front of the image, where window 0 starts.
    """

    size: int
    out: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    pad_before: int = 0

    @property
    def reach(self) -> int:
        """Elements from the first tap of a window to its last, both included."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def length(self) -> int:
        """Elements from the first tap of the first window to the last tap of the last, both included."""
        return (self.out - 1) * self.stride + self.reach

    @property
    def pad_after(self) -> int:
        """Elements of padding behind the image that the last window reaches."""
        return max(self.length - self.pad_before - self.size, 0)

    @property
    def reaches_padding(self) -> bool:
        """Whether a tap of a window lies outside the image."""
        return self.pad_before > 0 or self.pad_after > 0

    @property
    def whole(self) -> range:
        """The windows with all taps in the image ("whole windows"); may be empty."""
        first = -(-self.pad_before // self.stride)
        end = min((self.size - self.reach + self.pad_before) // self.stride + 1, self.out)
        return range(first, max(end, first))

    def start(self, window: int) -> int:
        """Place of a window's first tap; negative in the padding."""
        return window * self.stride - self.pad_before

    def span(self, first: int, end: int) -> tuple[int, int]:
        """(first, end) places from the first to the last tap of windows first..end, padding included."""
        return self.start(first), self.start(end - 1) + self.reach

    def needed(self, first: int, end: int) -> tuple[int, int]:
        """`span` clipped to the image; end <= first where all of it is padding."""
        start, stop = self.span(first, end)
        return max(start, 0), min(stop, self.size)

    def inside(self) -> npt.NDArray[np.bool_]:
        """[window, tap]: whether the tap lies in the image."""
        places = self._places()
        lies: npt.NDArray[np.bool_] = (places >= 0) & (places < self.size)
        return lies

    def taps_inside(self) -> int:
        """Taps of all windows together that lie in the image."""
        return int(self.inside().sum())

    def padding_taps(self) -> npt.NDArray[np.bool_]:
        """[tap]: whether it lies in the padding in some window."""
        met: npt.NDArray[np.bool_] = np.any(~self.inside(), axis=0)
        return met

    def last_windows(self) -> npt.NDArray[np.int64]:
        """[element of the image]: the last window that has a tap there, or NO_WINDOW."""
        last = np.full(self.size, NO_WINDOW, np.int64)
        places, inside = self._places(), self.inside()
        windows = np.broadcast_to(np.arange(self.out)[:, None], places.shape)
        np.maximum.at(last, places[inside], windows[inside])
        return last

    def canonical(self) -> WindowAxis:
        """The same windows with dilation 1 if there is a single tap, so that equal windows compare equal."""
        return self if self.kernel > 1 else replace(self, dilation=1)

    def _places(self) -> npt.NDArray[np.int64]:
        """[window, tap]: where the tap lies."""
        starts = np.arange(self.out, dtype=np.int64) * self.stride - self.pad_before
        places: npt.NDArray[np.int64] = starts[:, None] + np.arange(self.kernel) * self.dilation
        return places


ONE = WindowAxis(1, 1, 1)
"""An axis of one element, which is its only window."""


@dataclass(frozen=True)
class Window2D:
    """The windows of a convolution or pooling over images [batches, rows, columns, channels].

    Attributes:
        in_c, out_c: channels of the input and of the output.
    """

    batches: int
    in_c: int
    out_c: int
    rows: WindowAxis
    columns: WindowAxis

    @property
    def pixels(self) -> int:
        """Output pixels of all images."""
        return self.batches * self.rows.out * self.columns.out

    @property
    def taps(self) -> int:
        """Pixels of a window."""
        return self.rows.kernel * self.columns.kernel

    @property
    def reaches_padding(self) -> bool:
        """Whether a tap of a window lies outside the image."""
        return self.rows.reaches_padding or self.columns.reaches_padding

    def taps_inside(self) -> int:
        """Taps of all windows of all images that lie in the image."""
        return self.batches * self.rows.taps_inside() * self.columns.taps_inside()

    def transposed(self) -> Window2D:
        """Rows for columns and columns for rows; the kernel's taps are transposed as well."""
        return replace(self, rows=self.columns, columns=self.rows)

    def column_as_row(self) -> Window2D:
        """An image one column wide, and its output, as one row: the same bytes in memory. Any other as it is."""
        columns = self.columns
        return self.transposed() if columns.size == columns.out == columns.kernel == 1 else self


def one_row(pixels: int, in_c: int, out_c: int) -> Window2D:
    """A row of pixels, each of which is a window: FULLY_CONNECTED, and CONV_2D of 1x1."""
    return Window2D(1, in_c, out_c, ONE, WindowAxis(pixels, pixels, 1))


def window_of(graph: Graph, node: Node) -> Window2D:
    """The windows of CONV_2D, DEPTHWISE_CONV_2D, AVERAGE_POOL_2D or MAX_POOL_2D."""
    attrs = node.attrs
    assert isinstance(attrs, ConvAttrs | PoolAttrs), f"{node.op} has no windows"
    x, y = graph.tensors[node.inputs[0]].shape, graph.tensors[node.outputs[0]].shape
    kernel = attrs.kernel if isinstance(attrs, PoolAttrs) else graph.tensors[node.inputs[1]].shape[1:3]
    dilation = _dilation(attrs)
    rows, columns = (
        WindowAxis(x[1 + i], y[1 + i], kernel[i], attrs.stride[i], dilation[i], before)
        for i, before in enumerate((attrs.pads.top, attrs.pads.left))
    )
    return Window2D(x[0], x[3], y[3], rows, columns)


def _dilation(attrs: ConvAttrs | PoolAttrs) -> tuple[int, int]:
    return attrs.dilation if isinstance(attrs, ConvAttrs) else (1, 1)


def window_fault(x: Tensor, y: Tensor, kernel: tuple[int, int], attrs: ConvAttrs | PoolAttrs) -> str | None:
    """What is wrong with the sizes of a convolution or pooling from x to y; None if nothing is.

    The text continues a sentence that begins with the operator's name: "has a kernel larger than ...".
    """
    p = attrs.pads
    if len(x.shape) != 4 or len(y.shape) != 4:
        return f"reads {list(x.shape)} and writes {list(y.shape)}, not NHWC"
    for i, (before, after) in enumerate(((p.top, p.bottom), (p.left, p.right))):
        k, s, d = kernel[i], attrs.stride[i], _dilation(attrs)[i]
        if min(before, after) < 0 or min(k, s, d) < 1:
            return "has a negative padding, or a zero kernel or stride"
        size, out = x.shape[1 + i], y.shape[1 + i]
        room = size + before + after - WindowAxis(size, out, k, s, d).reach
        if room < 0:
            return f"has a kernel larger than its padded input {list(x.shape)}"
        if room // s + 1 != out:
            return f"gives {room // s + 1} rows or columns, '{y.name}' is {list(y.shape)}"
    return None if x.shape[0] == y.shape[0] else "changes the batch size"


def padding_of(x: Tensor, y: Tensor, kernel: tuple[int, int], attrs: ConvAttrs | PoolAttrs) -> Padding | None:
    """TensorFlow's name of the padding of a convolution or pooling from x to y; None if it is neither SAME nor VALID.

    No padding, where both names fit, is VALID.
    """
    size, out, dilation = (x.shape[1], x.shape[2]), (y.shape[1], y.shape[2]), _dilation(attrs)
    valid = tuple(
        (n - WindowAxis(n, n, k, s, d).reach) // s + 1
        for n, k, s, d in zip(size, kernel, attrs.stride, dilation, strict=True)
    )
    if attrs.pads == Pads() and out == valid:
        return "VALID"
    same = tuple(-(-n // s) for n, s in zip(size, attrs.stride, strict=True))
    return "SAME" if attrs.pads == same_pads(size, kernel, attrs.stride, dilation) and out == same else None

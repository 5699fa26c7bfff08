"""The bytes that the NPU can reach: its regions and its SHRAM; nothing is read or written outside of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harness.ethosu.fault import FaultCause, FaultError

Bytes = npt.NDArray[np.uint8]
REGIONS = 8
SHRAM = -1
"""Stands for the NPU's own memory where a region is asked for."""


@dataclass
class NpuMemory:
    """Regions by number, each an array of bytes, and the NPU's own memory.

    Attributes:
        regions: what the driver's base pointers point to; arrays that are not writeable stay as they are.
        shram: bytes of SHRAM.
    """

    regions: Mapping[int, Bytes]
    shram: int
    own: Bytes = field(init=False)

    def __post_init__(self) -> None:
        self.own = np.zeros(self.shram, np.uint8)

    def bytes_of(self, region: int) -> Bytes:
        """All bytes of a region."""
        if region == SHRAM:
            return self.own
        if region not in self.regions:
            raise FaultError(f"region {region} is not there; there are {sorted(self.regions)}", cause=FaultCause.BUS)
        return self.regions[region]

    def span(self, region: int, start: int, length: int, *, write: bool = False) -> Bytes:
        """`length` bytes from `start`, as a view."""
        content = self._checked(region, start, start + length, write)
        return content[start : start + length]

    def strided(
        self,
        region: int,
        start: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        kind: str,
        *,
        write: bool = False,
    ) -> npt.NDArray[np.generic]:
        """Elements of numpy type `kind`, `strides` bytes apart in each dimension, as a view."""
        dtype = np.dtype(kind)
        reach = [(n - 1) * stride for n, stride in zip(shape, strides, strict=True)]
        low = start + sum(r for r in reach if r < 0)
        high = start + sum(r for r in reach if r > 0) + dtype.itemsize
        content = self._checked(region, low, high, write)
        elements = 1
        for n in shape:
            elements *= n
        if elements * dtype.itemsize > len(content):
            raise FaultError(
                f"{' x '.join(map(str, shape))} elements of {dtype.itemsize} bytes in {self._name(region)}, which has "
                f"{len(content)}"
            )
        view: npt.NDArray[np.generic] = np.ndarray(shape, dtype, content, start, strides)
        return view

    def _checked(self, region: int, low: int, high: int, write: bool) -> Bytes:
        content = self.bytes_of(region)
        if low < 0 or high > len(content) or high < low:
            raise FaultError(
                f"{'writes' if write else 'reads'} bytes {low} to {high - 1} of {self._name(region)}, which has "
                f"{len(content)}",
                cause=FaultCause.BUS,
            )
        if write and not content.flags.writeable:
            raise FaultError(f"writes into {self._name(region)}, which is constant", cause=FaultCause.BUS)
        return content

    @staticmethod
    def _name(region: int) -> str:
        return "SHRAM" if region == SHRAM else f"region {region}"

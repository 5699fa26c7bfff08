"""Networks as recipes write them: a list of blocks, with paddings as TensorFlow's SAME."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.errors import RecipeError
from harness.ir.window import same_pads
from harness.training.layers import PICTURE, Kind, NetworkSpec, Shape, SpecLayer

if TYPE_CHECKING:
    from harness.training.network import TorchNetwork

_Count = Annotated[int, Field(ge=1, le=4096)]


class ConvEntry(BaseModel):
    """A convolution, batch norm and ReLU6."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: _Count
    kernel: _Count = 1
    stride: _Count = 1


class DepthwiseEntry(BaseModel):
    """A depthwise convolution, batch norm and ReLU6."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kernel: _Count = 3
    stride: _Count = 1


class BlockEntry(BaseModel):
    """MobileNetV2's block: wider by 1x1, depthwise, narrower by 1x1, and added to what it reads where both fit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: _Count
    expansion: Annotated[float, Field(ge=1, le=16)] = 3
    kernel: _Count = 3
    stride: _Count = 1


class DenseEntry(BaseModel):
    """A fully connected layer, with a ReLU where `relu`; a picture that it reads is flattened."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outputs: _Count
    relu: bool = False


class PoolEntry(BaseModel):
    """The largest of each window, or the mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: _Count = 2
    mean: bool = False


class BlockChoice(BaseModel):
    """One block: exactly one key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    conv: ConvEntry | None = None
    depthwise: DepthwiseEntry | None = None
    block: BlockEntry | None = None
    dense: DenseEntry | None = None
    pool: PoolEntry | None = None
    global_pool: Mapping[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {value: {}} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> BlockChoice:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"one of {', '.join(type(self).model_fields)}, and no two in one entry")
        return self


Blocks: TypeAlias = tuple[BlockChoice, ...]


def spec_of(blocks: Sequence[BlockChoice], shape: tuple[int, int, int]) -> NetworkSpec:
    """The layers of a list of blocks over pictures (height, width, channels).

    Raises:
        GraphError: a block does not fit what is before it.
    """
    made = _Layers(shape)
    for choice in blocks:
        made.add(choice)
    return NetworkSpec(shape, tuple(made.layers))


class _Layers:
    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.layers: list[SpecLayer] = []
        self._shape = shape

    def add(self, choice: BlockChoice) -> None:
        if choice.conv:
            self._conv("conv", choice.conv.channels, choice.conv.kernel, choice.conv.stride)
        elif choice.depthwise:
            self._depthwise(choice.depthwise.kernel, choice.depthwise.stride)
        elif choice.block:
            self._block(choice.block)
        elif choice.pool:
            size = choice.pool.size
            kind: Kind = "avg_pool" if choice.pool.mean else "max_pool"
            self._layer(kind, kernel=(size, size), stride=(size, size))
        elif choice.dense:
            if len(self._read()) == 3:
                self._layer("flatten")
            self._layer("dense", outputs=choice.dense.outputs)
            if choice.dense.relu:
                self._layer("relu")
        else:
            self._layer("global_pool")

    def _read(self) -> Shape:
        """Shape of what the next layer reads."""
        height, width, channels = self._shape
        return NetworkSpec(self._shape, tuple(self.layers)).shapes()[-1] if self.layers else (channels, height, width)

    def _layer(self, kind: Kind, *others: int, **more: Any) -> int:
        number = len(self.layers)
        name = f"{kind}_{sum(layer.kind == kind for layer in self.layers)}"
        self.layers.append(SpecLayer(name, kind, (number - 1, *others), **more))
        return number

    def _conv(self, what: str, channels: int, kernel: int, stride: int, *, relu: bool = True, groups: int = 1) -> None:
        _, height, width = self._read()
        pads = same_pads((height, width), (kernel, kernel), (stride, stride), (1, 1))
        self._layer(
            "conv",
            outputs=channels,
            kernel=(kernel, kernel),
            stride=(stride, stride),
            pads=(pads.top, pads.bottom, pads.left, pads.right),
            groups=groups,
            bias=False,
        )
        self._layer("norm")
        if relu:
            self._layer("relu6")

    def _depthwise(self, kernel: int, stride: int) -> None:
        channels = self._read()[0]
        self._conv("depthwise", channels, kernel, stride, groups=channels)

    def _block(self, entry: BlockEntry) -> None:
        before, channels = len(self.layers) - 1, self._read()[0]
        if entry.expansion > 1:
            self._conv("conv", round(channels * entry.expansion), 1, 1)
        self._depthwise(entry.kernel, entry.stride)
        self._conv("conv", entry.channels, 1, 1, relu=False)
        if entry.stride == 1 and entry.channels == channels and before != PICTURE:
            self._layer("add", before)


def network_from(source: str, shape: tuple[int, int, int], folder: Path) -> TorchNetwork:
    """The network that a function of a Python file makes: "net.py:make" gives a torch module.

    The file's code is run.

    Raises:
        RecipeError: there is no such file or function, or it fails.
        UnsupportedModelError: as of network_of.
    """
    from harness.training.network import network_of

    file, _, function = source.partition(":")
    path = folder / file
    spec = importlib.util.spec_from_file_location(f"recipe_{path.stem}", path)
    if not function or spec is None or spec.loader is None or not path.is_file():
        hint = "a list of blocks, or FILE.py:FUNCTION that gives a torch module"
        raise RecipeError(f"no network '{source}'", hint=hint)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        made = getattr(module, function)()
    except Exception as error:  # code of others
        raise RecipeError(f"{source}: {type(error).__name__}: {error}", hint="run the file by itself") from None
    return network_of(made, shape)

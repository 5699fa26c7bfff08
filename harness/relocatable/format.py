"""NAME.bin and NAME_weights.bin, read with every bound checked, and written; docs/relocatable.md describes them."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from harness.errors import RelocatableError
from harness.quantization.types import DType
from harness.relocatable.numbers import cores, feature_bits, number, type_numbers

HEADER = struct.Struct("<IHHIHHHHHH" + "IIIIIIII" + "HHIIIII" + "52s20s32s" + "I32sI" + "I32s8sI")
WEIGHTS_HEADER = struct.Struct("<IHHII32s")
_TENSOR = struct.Struct("<BBHIIfi8I28s")
_REGION = struct.Struct("<II")
_LAYER = struct.Struct("<H")


@dataclass(frozen=True)
class RelocatableTensor:
    """An input or output: where it lies in the arena, and what it holds.

    Attributes:
        scale, zero_point: of the first channel; None where there is no quantization.
        per_channel: other channels have other scales.
    """

    name: str
    dtype: DType
    shape: tuple[int, ...]
    offset: int
    bytes: int
    scale: float | None = None
    zero_point: int = 0
    per_channel: bool = False


@dataclass(frozen=True)
class LayerOutput:
    """Bytes of the arena."""

    offset: int
    bytes: int


Region = LayerOutput
"""The name in C."""


@dataclass(frozen=True)
class PartChecks:
    """A part of the model with its checks: what lies behind the header, or the file of the weights."""

    size: int
    crc32: int
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> PartChecks:
        """The checks of these bytes."""
        return cls(len(data), zlib.crc32(data), hashlib.sha256(data).hexdigest())

    def holds(self, data: bytes) -> bool:
        """Whether these are its bytes."""
        return self == PartChecks.of(data)


@dataclass(frozen=True)
class RelocatableModel:
    """What NAME.bin says.

    Attributes:
        core: the only one that it runs on.
        features: names of harness.relocatable.numbers.FEATURES that it needs.
        align, weights_align: of the addresses of the file and of the weights' file; 0 for weights that are not apart.
        init, invoke: offsets of the entries, without the Thumb bit.
        code_offset, code_bytes: code and constants, in the file.
        stack_bytes: 0 where it is not known.
        layers: what each writes.
        body: all behind the header.
        weights: the file of the weights; None where they are not apart.
    """

    name: str
    version: str
    model_sha256: str
    core: str
    features: frozenset[str]
    align: int
    weights_align: int
    total_bytes: int
    code_offset: int
    code_bytes: int
    init: int
    invoke: int
    arena_bytes: int
    arena_align: int
    context_bytes: int
    stack_bytes: int
    inputs: tuple[RelocatableTensor, ...]
    outputs: tuple[RelocatableTensor, ...]
    layers: tuple[tuple[LayerOutput, ...], ...]
    body: PartChecks = field(default_factory=lambda: PartChecks(0, 0, "0" * 64))
    weights: PartChecks | None = None
    abi: int = 0


# --- writing ----------------------------------------------------------------------------------------------------------


def pack(model: RelocatableModel, code: bytes, weights: bytes | None = None) -> tuple[bytes, RelocatableModel]:
    """(NAME.bin, what it says) for a model; sizes, the place of the code and hashes are filled in.

    Args:
        model: what it is to say; entries are offsets in the file.
        code: code and constants, as linked for the place behind the header.
        weights: NAME_weights.bin as `pack_weights` gives it; made with the same code.
    """
    body = code + bytes(-len(code) % 4)
    start = HEADER.size
    tensors_offset = start + len(body)
    body += b"".join(map(_packed_tensor, (*model.inputs, *model.outputs)))
    regions = [region for written in model.layers for region in written]
    regions_offset = start + len(body)
    body += b"".join(_REGION.pack(region.offset, region.bytes) for region in regions)
    layers_offset = start + len(body)
    body += b"".join(_LAYER.pack(len(written)) for written in model.layers)
    body += bytes(-len(body) % 4)
    said = replace(
        model,
        total_bytes=start + len(body),
        code_offset=start,
        code_bytes=len(code),
        body=PartChecks.of(body),
        weights=None if weights is None else PartChecks.of(weights),
        abi=number("ABI"),
    )
    header = _packed_header(said, (tensors_offset, layers_offset, len(regions), regions_offset))
    return header + body, said


def body_of(file: bytes) -> PartChecks:
    """The checks of all behind the header of a NAME.bin."""
    return PartChecks.of(file[HEADER.size :])


def pack_weights(constants: bytes, body_sha256: str) -> bytes:
    """NAME_weights.bin; `constants` are linked for the place behind its header."""
    size = WEIGHTS_HEADER.size
    constants += bytes(-len(constants) % 4)
    header = WEIGHTS_HEADER.pack(
        number("WEIGHTS_MAGIC"), number("FORMAT"), size, size + len(constants), 0, bytes.fromhex(body_sha256)
    )
    return header + constants


def _packed_header(model: RelocatableModel, tables: Sequence[int]) -> bytes:
    tensors_offset, layers_offset, region_count, regions_offset = tables
    weights = model.weights
    fields = HEADER.pack(
        number("MAGIC"), number("FORMAT"), HEADER.size, model.total_bytes, model.abi,
        0 if weights is None else number("WEIGHTS_APART"),
        cores()[model.core], sum(feature_bits()[name] for name in model.features),
        model.align, model.weights_align,
        model.code_offset, model.code_bytes, model.init, model.invoke,
        model.arena_bytes, model.arena_align, model.context_bytes, model.stack_bytes,
        len(model.inputs), len(model.outputs), tensors_offset,
        len(model.layers), layers_offset, region_count, regions_offset,
        _text(model.name, 52), _text(model.version, 20), bytes.fromhex(model.model_sha256),
        model.body.crc32, bytes.fromhex(model.body.sha256), 0 if weights is None else weights.size,
        0 if weights is None else weights.crc32, bytes(32) if weights is None else bytes.fromhex(weights.sha256),
        bytes(8), 0,
    )  # fmt: skip
    return fields[:-4] + struct.pack("<I", zlib.crc32(fields[:-4]))


def _packed_tensor(tensor: RelocatableTensor) -> bytes:
    flags = number("QUANTIZED") if tensor.scale is not None else 0
    flags |= number("PER_CHANNEL") if tensor.per_channel else 0
    shape = (*tensor.shape, *[0] * (number("RANK_MAX") - len(tensor.shape)))
    return _TENSOR.pack(
        type_numbers()[tensor.dtype], len(tensor.shape), flags, tensor.offset, tensor.bytes,
        tensor.scale or 0.0, tensor.zero_point, *shape, _text(tensor.name, 28),
    )  # fmt: skip


def _text(text: str, size: int) -> bytes:
    """UTF-8 that ends with a zero, cut between characters."""
    data = text.replace("\0", "_").encode("utf-8", "replace")[: size - 1]
    return data.decode("utf-8", "ignore").encode().ljust(size, b"\0")


# --- reading ----------------------------------------------------------------------------------------------------------


def read(data: bytes, source: str) -> RelocatableModel:
    """What NAME.bin says; header, bounds and hashes are checked.

    Args:
        data: the file.
        source: its name, for messages.

    Raises:
        RelocatableError: it is no such file, of another format, or damaged.
    """
    return _ModelReader(data, source).model()


def check_weights(model: RelocatableModel, weights: bytes, source: str) -> None:
    """Checks that NAME_weights.bin is that of the model.

    Raises:
        RelocatableError: it belongs to another model, or is damaged.
    """
    hint = f"take the file that was made together with {model.name}.bin"
    if model.weights is None:
        raise RelocatableError(f"{source}: {model.name}.bin holds its weights itself", hint="leave this file out")
    if len(weights) < WEIGHTS_HEADER.size or weights[:4] != struct.pack("<I", number("WEIGHTS_MAGIC")):
        raise RelocatableError(f"{source} is no file of weights: it does not begin with THRW", hint=hint)
    if bytes(weights[16:48]).hex() != model.body.sha256:
        raise RelocatableError(f"{source} holds the weights of another model than {model.name}.bin", hint=hint)
    if not model.weights.holds(weights):
        raise RelocatableError(f"{source} is damaged: its hash is not the one that {model.name}.bin tells", hint=hint)


class _ModelReader:
    """Reads one file."""

    def __init__(self, data: bytes, source: str) -> None:
        self._data = data
        self._source = source

    def model(self) -> RelocatableModel:
        f = self._header()
        (total, abi, flags, part, bits, align, weights_align), rest = f[3:10], f[10:]
        code_offset, code_bytes, init, invoke, arena, arena_align, context, stack = rest[:8]
        inputs, outputs, tensors_at, layer_count, layers_at, region_count, regions_at = rest[8:15]
        name, version, model_sha, body_crc, body_sha, weights_bytes, weights_crc, weights_sha, reserved, _ = rest[15:]
        self._need(total == len(self._data), f"it has {len(self._data):,} bytes, not {total:,}")
        self._need(abi == number("ABI"), f"its ABI is {abi}, not {number('ABI')}")
        self._need(not any(reserved) and not flags & ~number("FLAGS"), "what is reserved is not 0")
        core = {known: one for one, known in cores().items()}.get(part)
        self._need(core is not None, f"there is no core 0x{part:03X}")
        self._need(not bits & ~number("FEATURES"), f"it needs features 0x{bits:x} that are not known")
        for what, value in (("file", align), ("arena", arena_align), ("weights", weights_align or 4)):
            self._need(_is_alignment(value), f"the alignment of its {what} is {value}")
        self._within("the code", code_offset, code_bytes, 1)
        for what, entry in (("init", init), ("invoke", invoke)):
            inside = code_offset <= entry < code_offset + code_bytes and entry % 2 == 0
            self._need(inside, f"the entry of {what} lies outside the code")
        self._need(context <= number("CONTEXT_MAX"), f"its context has {context} bytes")
        self._need(arena <= number("BYTES_MAX"), f"its arena has {arena:,} bytes")
        apart = bool(flags & number("WEIGHTS_APART"))
        self._need(apart == (weights_bytes > 0) == (weights_align > 0), "weights are apart and are not")
        body = PartChecks(total - HEADER.size, body_crc, body_sha.hex())
        self._need(body.holds(self._data[HEADER.size :]), "its hash is another one")
        tensors = self._tensors(tensors_at, inputs + outputs, arena)
        return RelocatableModel(
            name=self._string(name),
            version=self._string(version),
            model_sha256=model_sha.hex(),
            core=core or "",
            features=frozenset(feature for feature, bit in feature_bits().items() if bits & bit),
            align=align,
            weights_align=weights_align,
            total_bytes=total,
            code_offset=code_offset,
            code_bytes=code_bytes,
            init=init,
            invoke=invoke,
            arena_bytes=arena,
            arena_align=arena_align,
            context_bytes=context,
            stack_bytes=stack,
            inputs=tensors[:inputs],
            outputs=tensors[inputs:],
            layers=self._layers((layers_at, layer_count), self._regions(regions_at, region_count, arena)),
            body=body,
            weights=PartChecks(weights_bytes, weights_crc, weights_sha.hex()) if apart else None,
            abi=abi,
        )

    def _header(self) -> tuple[Any, ...]:
        data = self._data
        if data[:4] == struct.pack("<I", number("WEIGHTS_MAGIC")):
            raise RelocatableError(
                f"{self._source} holds the weights of a relocatable model",
                hint="name the model: NAME.bin of this NAME_weights.bin",
            )
        if data[:4] != struct.pack("<I", number("MAGIC")):
            raise RelocatableError(
                f"{self._source} is no relocatable model: it does not begin with THRM",
                hint="make one with: tinyhil generate MODEL --relocatable",
            )
        self._need(len(data) >= HEADER.size, f"it ends within the header, after {len(data)} bytes")
        fields = HEADER.unpack(data[: HEADER.size])
        if fields[1] != number("FORMAT"):
            raise RelocatableError(
                f"{self._source} has format {fields[1]}; this tinyhil reads format {number('FORMAT')}",
                hint="take the version of tinyhil that made it",
            )
        self._need(fields[2] == HEADER.size, f"its header has {fields[2]} bytes, not {HEADER.size}")
        self._need(zlib.crc32(data[: HEADER.size - 4]) == fields[-1], "the CRC of its header is another one")
        return fields

    def _tensors(self, at: int, count: int, arena: int) -> tuple[RelocatableTensor, ...]:
        self._need(count <= number("TENSORS_MAX"), f"it has {count} inputs and outputs")
        self._within("the table of inputs and outputs", at, count * _TENSOR.size, 4)
        return tuple(self._tensor(at + index * _TENSOR.size, arena) for index in range(count))

    def _tensor(self, at: int, arena: int) -> RelocatableTensor:
        kind, rank, flags, offset, size, scale, zero, *rest = _TENSOR.unpack_from(self._data, at)
        *shape, name = rest
        dtype = {value: known for known, value in type_numbers().items()}.get(kind)
        self._need(dtype is not None and rank <= len(shape), f"a tensor has type {kind} and {rank} dimensions")
        assert dtype is not None
        elements = 1
        for extent in shape[:rank]:
            elements *= extent
        self._need(size == elements * dtype.size, f"a tensor of {elements} {dtype.value} has {size} bytes")
        self._need(offset + size <= arena, "a tensor lies outside the arena")
        quantized = bool(flags & number("QUANTIZED"))
        return RelocatableTensor(
            name=self._string(name),
            dtype=dtype,
            shape=tuple(shape[:rank]),
            offset=offset,
            bytes=size,
            scale=scale if quantized else None,
            zero_point=zero,
            per_channel=bool(flags & number("PER_CHANNEL")),
        )

    def _regions(self, at: int, count: int, arena: int) -> tuple[LayerOutput, ...]:
        self._need(count <= number("REGIONS_MAX"), f"its layers have {count} outputs")
        self._within("the table of layers' outputs", at, count * _REGION.size, 4)
        places = (at + index * _REGION.size for index in range(count))
        found = tuple(LayerOutput(*_REGION.unpack_from(self._data, place)) for place in places)
        for region in found:
            self._need(region.offset + region.bytes <= arena, "a layer's output lies outside the arena")
        return found

    def _layers(self, table: tuple[int, int], regions: Sequence[LayerOutput]) -> tuple[tuple[LayerOutput, ...], ...]:
        at, count = table
        self._need(count <= number("LAYERS_MAX"), f"it has {count} layers")
        self._within("the table of layers", at, count * _LAYER.size, 4)
        counts = [_LAYER.unpack_from(self._data, at + index * _LAYER.size)[0] for index in range(count)]
        said = f"its layers have {sum(counts)} outputs, and {len(regions)}"
        self._need(sum(counts) == len(regions), said)
        each = iter(regions)
        return tuple(tuple(islice(each, outputs)) for outputs in counts)

    def _within(self, what: str, at: int, size: int, align: int) -> None:
        inside = HEADER.size <= at and at + size <= len(self._data) and at % align == 0
        self._need(inside, f"{what} lies outside the file")

    def _string(self, data: bytes) -> str:
        self._need(b"\0" in data, "a text in it does not end")
        return data.split(b"\0")[0].decode("utf-8", "replace")

    def _need(self, holds: bool, message: str) -> None:
        if not holds:
            raise RelocatableError(
                f"{self._source} is damaged: {message}", hint="copy it again, or make it again with tinyhil generate"
            )


def _is_alignment(value: int) -> bool:
    return 4 <= value <= number("ALIGN_MAX") and value & (value - 1) == 0

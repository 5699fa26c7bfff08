"""Plan -> NAME.bin, and NAME_weights.bin: compiled as for a firmware, but position independent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from harness import resources
from harness.build import toolchain as toolchains
from harness.build.cache import BuildCache, default_root
from harness.build.jobs import Job, SourceTree, compile_all
from harness.build.port import core_flags
from harness.build.progress import Progress
from harness.build.sources import COMMON_FLAGS, WARNING_FLAGS
from harness.build.stack import stack_need
from harness.compiler.emit.relocatable import RelocatableSources, emit_relocatable
from harness.compiler.plan import Plan
from harness.elf.sizes import Origin
from harness.errors import CompileError
from harness.hardware.cores import core
from harness.ir.graph import Tensor
from harness.relocatable.format import (
    HEADER,
    WEIGHTS_HEADER,
    LayerOutput,
    RelocatableModel,
    RelocatableTensor,
    body_of,
    pack,
    pack_weights,
)
from harness.relocatable.linking import LinkedModel, check_object, link_model
from harness.relocatable.numbers import cores
from harness.version import __version__

POSITION_FLAGS = ("-fpie", "-fvisibility=hidden")


@dataclass(frozen=True, eq=False)
class Relocatable:
    """A model as files.

    Attributes:
        model: what the file says.
        file, weights: the bytes of NAME.bin and NAME_weights.bin; None where they are not apart.
        elf: the code with symbols and lines, for debuggers and reports: linked for the file at address 0.
        toolchain: compiler and version.
        constant_bytes: bytes of weights and tables.
    """

    model: RelocatableModel
    file: bytes
    weights: bytes | None
    elf: bytes
    toolchain: str
    constant_bytes: int


def make_relocatable(
    plan: Plan,
    *,
    weights_apart: bool = False,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> Relocatable:
    """The relocatable form of a plan; the same plan, compiler and options give the same bytes.

    Args:
        plan: what is computed.
        weights_apart: whether weights and tables are a file of their own.
        cache_dir: the cache of objects; None for $TINYHIL_CACHE or the user's.
        progress: called with ("compile" or "link", done, total).

    Raises:
        ToolchainMissingError: no usable arm-none-eabi-gcc.
        CompileError: the plan is for a core that runs no such models.
        UnsupportedModelError: a layer runs on an NPU.
        BuildError: a source does not compile, or not into code that runs at any address.
    """
    check_core(plan.core)
    toolchain = toolchains.find("arm")
    sources = with_library(emit_relocatable(plan, HEADER.size, WEIGHTS_HEADER.size if weights_apart else None))
    flags = core_flags(resources.firmware(), plan.core)
    cache = BuildCache(default_root() if cache_dir is None else cache_dir)
    jobs = compile_jobs(sources, flags)
    with cache.workspace() as workspace:
        objects, _ = compile_all(jobs, toolchain, cache, workspace, path_flags(workspace), progress)
        for job, path in zip(jobs, objects, strict=True):
            check_object(path, job.origin.label)
        if progress:
            progress("link", 0, 1)
        linked = link_model(toolchain, flags, objects, sources.linker_script, plan.name, workspace)
        if progress:
            progress("link", 1, 1)
    stack = stack_need(sources)
    return _packed(_described(sources, linked, 0 if stack is None else stack.bytes), sources, linked, toolchain.version)


def with_library(sources: RelocatableSources) -> RelocatableSources:
    """The sources, with those that stand in for functions of libgcc that hold addresses."""
    if "registers" in core(sources.plan.core).features:
        return sources
    texts = {
        path.name: path.read_text(encoding="utf-8") for path in sorted((resources.firmware() / "soft_float").iterdir())
    }
    compiled = [name for name in texts if name.endswith(".c")]
    return replace(sources, files={**sources.files, **texts}, sources=(*sources.sources, *compiled))


def path_flags(workspace: Path) -> list[str]:
    """Flags that replace this machine's paths in the objects, so that builds are reproducible."""
    return [f"{kind}={workspace}=." for kind in ("-fdebug-prefix-map", "-fmacro-prefix-map")]


def check_core(name: str) -> None:
    """Checks that models for a core can be relocatable.

    Raises:
        CompileError: they cannot.
    """
    if name not in cores():
        raise CompileError(
            f"there are no relocatable models for {name}",
            hint=f"name one of these with --core: {', '.join(sorted(cores()))}",
        )


def compile_jobs(sources: RelocatableSources, core_options: tuple[str, ...]) -> list[Job]:
    """The jobs of a model's own sources and of its kernels; `core_options` are the flags of its core."""
    name = sources.plan.name
    tree = SourceTree(name, sources.files)
    headers = tree.headers()
    flags = (*COMMON_FLAGS, *WARNING_FLAGS, *core_options, *POSITION_FLAGS)
    return [
        Job(Origin(label, name), label, tree, sources.files[source], flags, (name,), headers)
        for source in sources.sources
        for label in (f"{name}/{source}",)
    ]


def _packed(
    model: RelocatableModel, sources: RelocatableSources, linked: LinkedModel, toolchain: str
) -> Relocatable:
    weights = None
    if sources.constants is not None:
        alone, _ = pack(replace(model, weights_align=0), linked.code)
        weights = pack_weights(sources.constants, body_of(alone).sha256)
    file, said = pack(model, linked.code, weights)
    return Relocatable(said, file, weights, linked.elf, toolchain, sources.constant_bytes)


def _described(sources: RelocatableSources, linked: LinkedModel, stack_bytes: int) -> RelocatableModel:
    """What the header says, without what `pack` fills in."""
    plan = sources.plan
    graph = plan.graph
    return RelocatableModel(
        name=plan.name,
        version=__version__,
        model_sha256=graph.sha256 or "0" * 64,
        core=plan.core,
        features=linked.features,
        align=sources.align,
        weights_align=sources.weights_align,
        total_bytes=0,
        code_offset=0,
        code_bytes=0,
        init=linked.init,
        invoke=linked.invoke,
        arena_bytes=plan.arena_size,
        arena_align=plan.arena_align,
        context_bytes=sources.context_bytes,
        stack_bytes=stack_bytes,
        inputs=tuple(_tensor(plan, number) for number in graph.inputs),
        outputs=tuple(_tensor(plan, number) for number in graph.outputs),
        layers=tuple(
            tuple(LayerOutput(place.offset, place.size) for place in map(plan.placement_of, layer.outputs))
            for layer in plan.layers
        ),
    )


def _tensor(plan: Plan, number: int) -> RelocatableTensor:
    tensor: Tensor = plan.graph.tensors[number]
    quant = tensor.quant
    return RelocatableTensor(
        name=tensor.name,
        dtype=tensor.dtype,
        shape=tuple(tensor.shape),
        offset=plan.placement_of(number).offset,
        bytes=tensor.bytes,
        scale=None if quant is None else quant.scale,
        zero_point=0 if quant is None else quant.zero_point,
        per_channel=quant is not None and len(quant.scales) > 1,
    )

"""Runs a model with Arm's runner on QEMU's mps3-an547: outputs, instructions by operator, arena and stack.

The runner takes a model file, inputs and outputs at fixed addresses. It runs one inference and ends; the gdb stub takes
it back to the call of that inference for every further vector, so that the states of a model stay as they are. The
plugin counts instructions without a change of the code that runs. Command streams of a model that is compiled for an
NPU run in our simulator (npu.py); nothing is counted of the core then.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.boards.backends.qemu.gdb import SP, Gdb
from harness.boards.backends.qemu.plugin import escape, plugin_library, plugin_loads
from harness.boards.backends.qemu.qmp import Qmp
from harness.boards.backends.qemu.session import PROGRAM, find_qemu
from harness.boards.channels import CONNECT_TIMEOUT_S, Channels
from harness.build.progress import Progress
from harness.errors import BoardError, TinyhilError
from harness.ethosu.counts import StreamCounts
from harness.link.subprocess import Subprocess
from harness.runtimes.tflm.builds import Build, GraphLoop
from harness.runtimes.tflm.npu import NpuBehindDriver

MACHINE = "mps3-an547"
MODEL_ADDRESS, MODEL_LIMIT = 0x9000_0000, 0x0200_0000
INPUT_ADDRESS, INPUT_LIMIT = 0x9200_0000, 0x0100_0000
OUTPUT_ADDRESS, OUTPUT_LIMIT = 0x9300_0000, 0x0100_0000
START_TIMEOUT_S = 120.0
INVOKE_TIMEOUT_S = 1800.0
STACK_ALIGN = 8

PLUGIN_PACKAGE = "harness.runtimes.tflm"
PLUGIN = ("count.c",)
_ARENA = re.compile(r"arena\) size used: (\d+)")
_COUNT = re.compile(r"([0-9a-f]+) (\d+)")
_COMPLAINT = re.compile(r"(?:TFLM|ERROR) - .*\S")
_MOST_SAID = 12


class RunnerRefusedError(TinyhilError):
    """TFLM in Arm's runner does not take the model, or fails on it; details carry what it said."""

    code = "tflm-refused"
    stage = "runtime"


@dataclass(frozen=True)
class TflmExecution:
    """What a run of a model showed.

    Attributes:
        outputs: [vector], all outputs of the model one behind the other.
        total: instructions of Invoke() on the first vector; None where a model is compiled for an NPU.
        operators: instructions by operator of the main graph, in the order of execution, on the first vector; with the
            interpreter's own around each. They add up to `total`. None where that is not known.
        arena: bytes that TFLM used of its arena.
        stack: bytes of stack used by Invoke() on the first vector; None where `total` is.
        npu: the command streams of the first vector, in order.
        complaints: lines in which TFLM says that something is wrong, though it went on.
    """

    outputs: tuple[bytes, ...]
    total: int | None
    operators: tuple[int, ...]
    arena: int
    stack: int | None
    npu: tuple[StreamCounts, ...] = ()
    complaints: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {**asdict(self), "outputs": [output.hex() for output in self.outputs]}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> TflmExecution:
        """The inverse of `as_dict`."""
        return cls(
            outputs=tuple(bytes.fromhex(output) for output in content["outputs"]),
            total=content["total"],
            operators=tuple(content["operators"]),
            arena=content["arena"],
            stack=content["stack"],
            npu=tuple(StreamCounts.from_dict(stream) for stream in content["npu"]),
            complaints=tuple(content["complaints"]),
        )


def execute(
    image: Path,
    build: Build,
    model: bytes,
    vectors: Sequence[bytes],
    output_bytes: int,
    folder: Path,
    progress: Progress | None = None,
    *,
    npu: bool = False,
) -> TflmExecution:
    """Runs a model over vectors in order.

    Args:
        image: the runner with its patches.
        build: which runner it is.
        model: the bytes of a .tflite file.
        vectors: for each inference the bytes of all inputs, one behind the other; at least one.
        output_bytes: of all outputs of the model.
        folder: for files that QEMU reads and writes.
        progress: told of every vector.
        npu: the model is compiled for the NPU of the build.

    Raises:
        RunnerRefusedError: the model is too large, has operators that the runner has not, or fails.
        CommandStreamError, ModelFileError: the NPU cannot carry out what the model asks of it.
        EmulatorMissingError, ToolchainMissingError: no QEMU, or no host compiler for its plugin.
        BoardError: QEMU cannot run it.
    """
    _check_sizes(len(model), max(map(len, vectors)), output_bytes)
    (folder / "model").write_bytes(model)
    (folder / "inputs").write_bytes(vectors[0])
    loop = None if npu else build.loop
    if loop is not None:
        places = [build.invoke_call, build.invoke_return, loop.begin, *loop.ends, loop.node]
        (folder / "marks").write_text("".join(f"{place:x}\n" for place in places), encoding="ascii")
    with _emulator(image, folder, counts=loop is not None) as (gdb, qmp):
        answering = NpuBehindDriver(gdb, qmp.read_memory, build.fast_memory, model, MODEL_ADDRESS) if npu else None
        run = _Run(gdb, build, folder, answering)
        run.start()
        outputs = []
        stack = None
        for number, vector in enumerate(vectors):
            if number:
                run.again(vector)
            used = run.infer(first=number == 0, measure_stack=number == 0 and loop is not None)
            stack = used if number == 0 else stack
            outputs.append(gdb.read_memory(OUTPUT_ADDRESS, output_bytes))
            if progress:
                progress("TFLM", number + 1, len(vectors))
        arena, complaints = run.arena(), run.complaints()
    streams = () if answering is None else tuple(answering.invokes)
    if loop is None:
        return TflmExecution(tuple(outputs), None, (), arena, None, streams, complaints)
    total, operators = read_counts((folder / "counts").read_text(encoding="ascii"), build, loop)
    return TflmExecution(tuple(outputs), total, operators, arena, stack, streams, complaints)


def read_counts(text: str, build: Build, loop: GraphLoop) -> tuple[int, tuple[int, ...]]:
    """(instructions of the first inference, of each operator of the main graph) from the plugin's lines.

    An operator's are those from the head of the interpreter's loop to the next time it is there; the first has those
    before it too, the last those behind it, so that the sum is the inference. Graphs that an operator runs are its own.

    Raises:
        BoardError: the lines are not those of an inference.
    """
    beginning: int | None = None
    last = depth = 0
    operators: list[int] = []
    for line in text.splitlines():
        found = _COUNT.fullmatch(line)
        if found is None:  # cut short, where the disk is full
            break
        place, count = int(found[1], 16), int(found[2])
        if place == build.invoke_call:
            beginning = last = count + 1  # the call itself is the caller's
        elif beginning is None:
            continue
        elif place == loop.begin:
            depth += 1
        elif place in loop.ends:
            depth -= 1
        elif place == loop.node and depth == 1:
            if operators:
                operators[-1] = count - last
                last = count
            operators.append(0)
        elif place == build.invoke_return:
            if operators:
                operators[-1] = count - last
            return count - beginning, tuple(operators)
    raise BoardError(
        "QEMU's plugin counted no whole inference", hint="is the disk full? Else this is a bug, please report it"
    )


class _Run:
    """The runner under the gdb stub."""

    def __init__(self, gdb: Gdb, build: Build, folder: Path, npu: NpuBehindDriver | None) -> None:
        self._gdb, self._build, self._folder, self._npu = gdb, build, folder, npu
        self._argument = 0

    def start(self) -> None:
        """Runs to the first inference: the model is loaded then, its tensors are allocated."""
        build = self._build
        for place in (build.handler_call, build.handler_return, build.abort, *build.given_up):
            self._gdb.set_breakpoint(place)
        if self._npu is not None:
            self._gdb.set_breakpoint(build.npu_invoke)
        self._reach(build.handler_call, START_TIMEOUT_S)
        self._argument = self._gdb.registers()[0]

    def again(self, inputs: bytes) -> None:
        """Back to the call of the inference, with other inputs."""
        self._gdb.write_memory(INPUT_ADDRESS, inputs)
        self._gdb.set_register(0, self._argument)
        self._gdb.set_register(15, self._build.handler_call)

    def infer(self, *, first: bool, measure_stack: bool) -> int | None:
        """One inference; returns the bytes of stack that it used, where they were asked for."""
        build, gdb = self._build, self._gdb
        for place in (build.invoke_call, build.invoke_return):
            gdb.set_breakpoint(place)
        self._reach(build.invoke_call, START_TIMEOUT_S)
        paint = _paint(gdb.registers()[SP] - build.stack_limit) if measure_stack else b""
        gdb.write_memory(build.stack_limit, paint)
        self._reach_with_npu(build.invoke_return, count=first)
        if gdb.registers()[0]:
            raise self._refused("fails in Invoke()")
        used = None
        if measure_stack:
            found = gdb.read_memory(build.stack_limit, len(paint))
            untouched = next((i for i, (a, b) in enumerate(zip(found, paint, strict=True)) if a != b), len(paint))
            used = len(paint) - untouched // STACK_ALIGN * STACK_ALIGN
        for place in (build.invoke_call, build.invoke_return):
            gdb.remove_breakpoint(place)
        self._reach(build.handler_return, START_TIMEOUT_S)
        return used

    def arena(self) -> int:
        """Bytes of the arena that TFLM says it used."""
        found = _ARENA.search(self._said())
        if found is None:
            raise BoardError("the runner did not say how much of its arena it used", hint="the bug is ours, report it")
        return int(found[1])

    def _reach_with_npu(self, place: int, *, count: bool) -> None:
        """Runs there; calls of the NPU's driver on the way are answered."""
        here = self._gdb.run(INVOKE_TIMEOUT_S)
        while self._npu is not None and here == self._build.npu_invoke:
            self._npu.answer(count=count)
            here = self._gdb.run(INVOKE_TIMEOUT_S)
        self._came_to(here, place, "fails in Invoke()")
        if self._npu is not None and self._npu.failure is not None:
            raise self._npu.failure

    def _reach(self, place: int, timeout_s: float) -> None:
        self._came_to(self._gdb.run(timeout_s), place, "does not take the model")

    def _came_to(self, here: int, place: int, otherwise: str) -> None:
        if here == self._build.abort:
            raise self._refused(f"{otherwise}, by a check of its own")
        if here in self._build.given_up:
            raise self._refused(otherwise)
        if here != place:
            raise BoardError(f"the runner came to 0x{here:x} instead of 0x{place:x}", hint="this is a bug, report it")

    def complaints(self) -> tuple[str, ...]:
        """Lines in which TFLM or the runner says that something is wrong."""
        return tuple(line for line in self._said().splitlines() if _COMPLAINT.match(line))[-_MOST_SAID:]

    def _refused(self, how: str) -> RunnerRefusedError:
        lines = self.complaints()
        said = lines[0].partition(" - ")[2] if lines else ""
        return RunnerRefusedError(
            f"TFLM in Arm's runner {how}" + (f": {said}" if said else ""),
            hint="`--runtime tinyhil` runs it without TFLM",
            details="\n".join(lines),
        )

    def _said(self) -> str:
        """What the runner printed."""
        return (self._folder / "uart").read_bytes().decode("utf-8", "replace").replace("\r", "")


def _paint(size: int) -> bytes:
    """Bytes of which no two neighbours are alike, so that hardly any value that is stored leaves them as they were."""
    return (bytes((index * 37 + 11) & 0xFF for index in range(256)) * (size // 256 + 1))[:size]


@contextlib.contextmanager
def _emulator(image: Path, folder: Path, *, counts: bool) -> Iterator[tuple[Gdb, Qmp]]:
    """QEMU with the runner, the model and the first inputs, before the first instruction."""
    channels = Channels()
    with contextlib.ExitStack() as at_end:
        at_end.callback(channels.close)
        channel, monitor = channels.listen("gdb"), channels.listen("qmp")
        command = [
            str(find_qemu()), "-no-user-config", "-machine", MACHINE, "-display", "none", "-monitor", "none",
            "-serial", f"file:{folder / 'uart'}", "-kernel", str(image), "-S",
            "-device", f"loader,file={escape(folder / 'model')},addr=0x{MODEL_ADDRESS:x},force-raw=on",
            "-device", f"loader,file={escape(folder / 'inputs')},addr=0x{INPUT_ADDRESS:x},force-raw=on",
            "-chardev", f"socket,id=qmp,{monitor.option}", "-mon", "chardev=qmp,mode=control",
            "-chardev", f"socket,id=gdb,{channel.option}", "-gdb", "chardev:gdb",
        ]  # fmt: skip
        if counts:
            plugin = plugin_library(PLUGIN_PACKAGE, PLUGIN)
            files = f"marks={escape(folder / 'marks')},counts={escape(folder / 'counts')}"
            command += ["-plugin", f"{escape(plugin)},{files}"]
        child = Subprocess(PROGRAM, command, pipes=False)
        at_end.callback(child.close)
        with plugin_loads("the plugin that counts TFLM's instructions"):
            accepted = monitor.accept(child, CONNECT_TIMEOUT_S), channel.accept(child, CONNECT_TIMEOUT_S)
            gdb, qmp = Gdb(accepted[1]), Qmp(accepted[0])
        at_end.callback(qmp.close)
        at_end.callback(gdb.close)
        yield gdb, qmp


def _check_sizes(model: int, inputs: int, outputs: int) -> None:
    """Raises RunnerRefusedError if something is larger than its room in the runner's memory."""
    for what, size, limit in (
        ("model file", model, MODEL_LIMIT),
        ("inputs", inputs, INPUT_LIMIT),
        ("outputs", outputs, OUTPUT_LIMIT),
    ):
        if size > limit:
            raise RunnerRefusedError(
                f"Arm's runner has {limit:,} B for the {what}, and there are {size:,}",
                hint="`--runtime tinyhil` runs it without TFLM",
            )


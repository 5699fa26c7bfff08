"""What the NPU counted: by layer where a device model ran them, the last one's where hardware did."""

from __future__ import annotations

import re
from types import SimpleNamespace

from harness.boards.npu_record import NpuRecord, read_record
from harness.errors import BoardError
from harness.validate.npu_counts import NpuCounts, npu_counts, npu_notes
from tests.support.paths import FIRMWARE

LAYERS = [SimpleNamespace(index=index, op=op) for index, op in enumerate(("ethos-u", "SOFTMAX", "ethos-u"))]
RECORD = NpuRecord(1000, 20, 1, 2, 3, 4, 0x22, 64, 2, 0)


def _run(active: int) -> SimpleNamespace:
    counters = SimpleNamespace(active=active, beats=lambda port, direction: active + 10 * port + (direction == "write"))
    return SimpleNamespace(accelerator=SimpleNamespace(name="ethos-u55-64"), counters=counters)


def _session(runs: tuple[SimpleNamespace, ...] = (), record: NpuRecord | None = None) -> SimpleNamespace:
    return SimpleNamespace(npu_runs=lambda: runs, npu_record=lambda: record)


def test_the_last_runs_are_those_of_the_last_inference() -> None:
    counts = npu_counts(_session((_run(1), _run(100), _run(200))), LAYERS)
    assert counts == (
        NpuCounts(0, "ethos-u55-64", 100, 0, 100, 101, 110, 111),
        NpuCounts(2, "ethos-u55-64", 200, 0, 200, 201, 210, 211),
    )
    assert npu_notes(counts) == (
        "NPU (ethos-u55-64, modelled): 300 active cycles in 2 layers; beats: AXI0 300 read, 302 written; "
        "AXI1 320 read, 322 written",
    )


def test_hardware_keeps_those_of_its_last_run() -> None:
    counts = npu_counts(_session(record=RECORD), LAYERS)
    assert counts == (NpuCounts(2, "", 1000, 20, 1, 2, 3, 4),)
    assert "the NPU's own counters): 1,000 active cycles in 1 layer" in npu_notes(counts)[0]


def test_nothing_is_told_where_nothing_is_known() -> None:
    assert npu_counts(_session(record=RECORD), LAYERS[1:2]) == (), "no layer runs there"
    assert npu_counts(_session(), LAYERS) == ()
    assert npu_notes(()) == ()


def test_the_record_of_a_driver() -> None:
    content = b"".join(value.to_bytes(8, "little") for value in (1000, 20))
    content += b"".join(value.to_bytes(4, "little") for value in (1, 2, 3, 4, 0x22, 64, 2, 0))
    assert read_record(lambda address, length: content[:length], 0x2000_0000) == RECORD
    assert read_record(lambda address, length: content[:length], None) is None
    assert RECORD.error() is None

    def unreadable(address: int, length: int) -> bytes:
        raise BoardError("no memory here", hint="none")

    assert read_record(unreadable, 0x2000_0000) is None


def test_every_way_to_fail_has_a_sentence_and_a_hint() -> None:
    header = (FIRMWARE / "kernels" / "hil_ethosu.h").read_text(encoding="utf-8")
    codes = [int(code) for code in re.findall(r"^#define HIL_ETHOSU_[A-Z]+ (\d+) ", header, re.MULTILINE)]
    assert codes == list(range(1, len(codes) + 1)) and len(codes) > 10
    for result in (*codes, len(codes) + 1):
        error = NpuRecord(0, 0, 0, 0, 0, 0, 6, 328, 1, result).error()
        assert error is not None
        assert (f"result {result}" in str(error)) == (result > len(codes))
        assert "byte 328 of the command stream, STATUS 0x00000006" in str(error)
        assert error.hint
    assert NpuRecord(0, 0, 0, 0, 0, 0, 0, 0, 0, 5).error() is None, "nothing has run"

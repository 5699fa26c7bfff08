"""The host's side of MLPerf Tiny's language against devices that misbehave, and the firmware's numbers as text."""

import math
import re
import subprocess
import tracemalloc

import pytest

from harness.errors import DeviceRefusedError, DeviceTimeoutError, FloodError, NoBytesError, ProtocolError
from harness.mlperf.client import Laps, MlperfClient, Performance
from tests.support.paths import FIRMWARE
from tests.support.patience import ends


class Line:
    """A device that answers each command from a list, in pieces of a few bytes."""

    def __init__(self, *answers, piece=5):
        self._answers = list(answers)
        self._piece = piece
        self.waiting = b""
        self.sent = b""

    def write(self, data):
        self.sent += data
        for _ in range(data.count(b"%")):
            if self._answers:
                self.waiting += self._answers.pop(0)

    def read(self, timeout_s):
        data, self.waiting = self.waiting[: self._piece], self.waiting[self._piece :]
        return data

    def close(self):
        pass


READY = b"m-ready\r\n"
LAPS = b"m-lap-us-100\r\nm-lap-us-700\r\nm-results-[0.25,-1.5e-7,nan]\r\n" + READY


def test_what_came_before_is_passed_over_until_the_name_comes():
    line = Line(b"e-[x]\r\n" + READY, b"m-name-dut-[b]\r\n" + READY, b"m-model-[kws01]\r\n" + READY)
    line.waiting = b"\x00\xffm-init-done\r\n" + READY
    client = MlperfClient(line, timeout_s=1)
    client.wait_ready()
    assert client.model_id() == "kws01"


def test_a_name_that_is_asked_for_twice_is_answered_twice():
    late = b"m-name-dut-[b]\r\n" + READY
    line = Line(b"", b"", READY, late + READY + late, b"m-model-[m]\r\n" + READY)
    client = MlperfClient(line, timeout_s=0.3)
    client.wait_ready()
    assert client.model_id() == "m"


def test_input_goes_in_pieces_and_must_be_acknowledged():
    line = Line(b"m-[Expecting 40 bytes]\r\n" + READY, READY, b"m-load-done\r\n" + READY)
    MlperfClient(line).load(bytes(range(40)))
    assert line.sent == b"db load 40%" + b"db " + bytes(range(31)).hex().encode() + b"%" + b"db 1f2021222324252627%"
    with pytest.raises(ProtocolError, match="no m-load-done"):
        MlperfClient(Line(READY, READY)).load(b"x")


def test_laps_and_results_are_read():
    laps = MlperfClient(Line(LAPS)).infer(3)
    assert (laps.inferences, laps.microseconds, laps.latency_us) == (3, 600, 200.0)
    assert laps.results[:2] == (0.25, -1.5e-7) and math.isnan(laps.results[2])
    performance = Performance((laps, Laps(3, 900, ()), Laps(3, 1200, ())))
    assert (performance.latency_us, performance.throughput) == (300.0, pytest.approx(3333.3, rel=1e-3))


def test_performance_mode_lasts_as_long_as_it_must():
    def run(microseconds):
        return b"m-lap-us-0\r\nm-lap-us-%d\r\nm-results-[1]\r\n" % microseconds + READY

    line = Line(READY, b"m-load-done\r\n" + READY, run(100), run(990), run(1001), run(1000), run(1002))
    performance = MlperfClient(line).performance(b"x", least_seconds=0.001, runs=3)
    assert [lap.inferences for lap in performance.runs] == [11, 11, 11]
    assert b"infer 1 10%infer 10 0%infer 11 0%infer 11 0%infer 11 0%" in line.sent


def test_a_clock_that_stands_still_ends_performance_mode():
    still = b"m-lap-us-5\r\nm-lap-us-5\r\nm-results-[1]\r\n" + READY
    line = Line(READY, b"m-load-done\r\n" + READY, *[still] * 1000, piece=100)
    with pytest.raises(ProtocolError, match="take 0 us of the device's clock, not 0.001 s"):
        MlperfClient(line).performance(b"x", least_seconds=0.001)


def test_a_device_that_never_stops_talking_is_not_listened_to_for_ever():
    class Babble(Line):
        def read(self, timeout_s):
            return super().read(timeout_s) or b"m-load-done\r\n"

    client = MlperfClient(Babble(b"", b"m-name-dut-[b]\r\n" + READY), timeout_s=0.3)
    with ends():
        client.wait_ready()


@pytest.mark.parametrize("flood", [b"\n", b"a\n", b"m-x-[1]\r\n", b"x", b"\0"])
def test_a_flood_ends_in_time_and_memory(flood):
    """As much at once as a transport holds: no line of it may cost as much as all that follow."""
    block = flood * (1_500_000 // len(flood))

    class Flood(Line):
        def read(self, timeout_s):
            return block

    tracemalloc.start()
    with ends(), pytest.raises((FloodError, ProtocolError)):
        MlperfClient(Flood(), timeout_s=60).name()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000


def test_numbers_that_no_clock_counts_to():
    with pytest.raises(ProtocolError):
        MlperfClient(Line(b"m-lap-us-" + b"9" * 5000 + b"\r\n" + READY)).timestamp()


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (b"", NoBytesError, "'name' was not answered"),
        (b"m-name-dut-[b]\r\n", DeviceTimeoutError, "'name' was not answered"),
        (b"m-name", DeviceTimeoutError, "'name' was not answered"),
        (b"e-[No]\r\n" + READY, DeviceRefusedError, r"'name': e-\[No\]"),
        (READY, ProtocolError, "no line like"),
    ],
)
def test_every_way_not_to_answer_has_its_own_error(answer, kind, message):
    with pytest.raises(kind, match=message):
        MlperfClient(Line(answer), timeout_s=0.2).name()


@pytest.mark.parametrize(
    "answer",
    [
        READY,
        LAPS.replace(b"m-lap-us-700\r\n", b""),
        LAPS.replace(b"100", b"800"),
        LAPS.replace(b"m-results-[0.25", b"m-results-[x"),
        LAPS.replace(b"m-results", b"m-other"),
    ],
)
def test_an_inference_without_times_or_results_is_an_error(answer):
    with pytest.raises(ProtocolError):
        MlperfClient(Line(answer)).infer()


def test_a_line_without_end_is_an_error(monkeypatch):
    monkeypatch.setattr("harness.mlperf.client.LINE_LIMIT", 1000)
    with pytest.raises(ProtocolError, match="without end"):
        MlperfClient(Line(b"x" * 5000, piece=512)).name()


def test_accuracy_needs_a_label_for_each_input():
    with pytest.raises(ValueError, match="2 inputs and 1 labels"):
        MlperfClient(Line()).accuracy([b"a", b"b"], [0])


def test_the_firmware_writes_numbers_that_read_back(tmp_path):
    values = [
        *(0.0, 1.0, -1.0, 0.5, 1e-3, 9.99e-4, -3.90625e-3, 1 / 3, 123456.789, 999999999.9, 1e9, 1.5e12, -2e20, 3.4e38),
        *(1e-7, -1.25e-30, 1e-38, 0.9999995, 0.9999994, 1e-45, 5e-324),
    ]
    cases = "".join(f"    mlperf_put_real({value!r}); mlperf_end_line();\n" for value in values)
    source = tmp_path / "main.c"
    source.write_text(
        '#include "mlperf.h"\n#include "hil_port.h"\n#include <stdio.h>\n#include <math.h>\n'
        "void hil_port_write(const uint8_t *b, size_t n) { fwrite(b, 1, n, stdout); }\n"
        f"int main(void) {{\n{cases}"
        "    mlperf_put_real((double)INFINITY); mlperf_put_char(','); mlperf_put_real((double)-INFINITY);\n"
        "    mlperf_put_char(','); mlperf_put_real((double)NAN); mlperf_end_line();\n"
        "    mlperf_put_signed(INT64_MIN); mlperf_put_char(','); mlperf_put_unsigned(UINT64_MAX); mlperf_end_line();\n"
        "    return 0;\n}\n"
    )
    program = tmp_path / "main"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=address,undefined"]
    includes = [f"-I{FIRMWARE / 'runtime'}", f"-I{FIRMWARE / 'mlperf'}"]
    sources = [str(source), str(FIRMWARE / "mlperf" / "mlperf_text.c")]
    subprocess.run(["gcc", *flags, *includes, *sources, "-o", str(program)], check=True)
    done = subprocess.run([str(program)], capture_output=True, text=True, check=True)
    *reals, special, integers = done.stdout.splitlines()
    assert done.stderr == ""
    for value, text in zip(values, reals, strict=True):
        assert re.fullmatch(r"-?\d+\.\d{6}(e-?\d+)?", text), text
        tolerance = 1e-6 if "e" in text else 0.0  # six decimals, with or without a power of ten
        assert float(text) == pytest.approx(value, rel=tolerance, abs=0.0 if tolerance else 5.1e-7)
    assert special == "inf,-inf,nan"
    assert integers == f"{-(2**63)},{2**64 - 1}"

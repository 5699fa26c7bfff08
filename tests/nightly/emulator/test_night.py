"""Nights on a bench of this host: reports, resumption after kills, failures and regressions."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness.cli.commands.nightly import shard_number
from harness.errors import FarmFileError, OptionError
from harness.nightly.file import load_night
from tests.support.farm import bench_text
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.scale import scaled

pytestmark = pytest.mark.timeout(280)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a bench of two boards of one type, and two models."""
    monkeypatch.setenv("TINYHIL_LEASES", str(tmp_path / "leases"))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    (tmp_path / "bench.yaml").write_text(bench_text("bench", {"one": "host", "two": "host"}))
    for name in ("digits", "stream"):
        for file in FIXTURES.glob(f"{name}*"):
            shutil.copy(file, tmp_path)
    return tmp_path


def write(place: Path, **more: object) -> Path:
    content = {
        "farm": "bench.yaml", "models": ["*.hil.yaml"], "boards": ["host"], "vectors": "1", "history": "history.db",
        **more,
    }  # fmt: skip
    file = place / "farm.yaml"
    file.write_text(json.dumps(content))
    return file


def command(file: Path, folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "harness.cli", "nightly", str(file), "--folder", str(folder), "--json", *more]


def run(file: Path, folder: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(command(file, folder, *more), capture_output=True, text=True, timeout=240)
    try:
        return done.returncode, json.loads(done.stdout), done.stderr
    except ValueError:
        raise AssertionError(done.stderr) from None


@pytest.mark.skipif(scaled(True, False), reason="a part of the long suite: TINYHIL_LONG=1")
@pytest.mark.timeout(1500)
def test_a_night_that_is_killed_at_random_ends_with_the_same_report(place: Path) -> None:
    kills = 50 if os.environ.get("TINYHIL_LONG") == "1" else 3
    (place / "bench.yaml").write_text(bench_text("bench", {"one": "mps2-an386", "two": "mps2-an386"}))
    night = {"boards": ["mps2-an386"], "modes": ["own", "time"], "repeats": 2, "link": "uart"}
    file = write(place, **night, history="whole.db")
    code, whole, said = run(file, place / "whole")
    assert (code, whole["report"]["verdicts"]) == (0, {"pass": 8, "fail": 0, "error": 0}), said
    file = write(place, **night, history="cut.db")
    draw, done = random.Random(11), 0
    for _ in range(kills):
        process = subprocess.Popen(command(file, place / "cut"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.0 + draw.random() * 4.0)
        process.send_signal(signal.SIGKILL)
        process.wait()
        now = len(list((place / "cut").rglob("results/*/*.json")))
        assert now >= done - 1  # one may have been written and not recorded, and swept
        done = now
    code, resumed, said = run(file, place / "cut")
    assert code == 0, said
    assert resumed["report"] == whole["report"]
    again_code, again, _ = run(file, place / "cut")  # nothing is left to do, and nothing changes
    assert (again_code, again) == (code, resumed)
    texts = [(place / name / "report.md").read_text() for name in ("whole", "cut")]
    told = [text.partition("## Boards")[0].splitlines()[2:] for text in texts]
    assert told[0] == told[1]


def test_a_failure_is_confirmed_on_a_second_board_and_a_regression_is_told(place: Path) -> None:
    file = write(place, models=["digits.hil.yaml"])
    code, first, said = run(file, place / "monday")
    assert code == 0, said
    assert first["report"]["changes"] == {"new": 1} and first["farm"]["leases"] >= 1

    card = place / "digits.hil.yaml"
    text = card.read_text()
    (place / "digits.tflite").write_bytes((FIXTURES / "residual.tflite").read_bytes())
    (place / "digits_vectors.npz").write_bytes((FIXTURES / "residual_vectors.npz").read_bytes())
    code, second, said = run(file, place / "tuesday")
    assert code == 1, said
    (suspect,) = second["report"]["suspects"]
    assert suspect["finding"] == "confirmed"
    boards = [each["board"] for each in second["farm"]["runs"]]
    assert len(boards) == 2 and set(boards) == {"one", "two"}
    assert "digits on host" in (place / "tuesday" / "report.md").read_text()
    assert "regressed" in (place / "tuesday" / "comparison.md").read_text()
    assert ElementTree.parse(place / "tuesday" / "junit.xml").getroot().findall(".//failure")
    assert "<html" in (place / "tuesday" / "history.html").read_text()
    assert text == card.read_text()


def test_failures_and_errors_are_told_apart_and_a_missing_second_board_is_said(place: Path) -> None:
    (place / "bench.yaml").write_text(bench_text("bench", {"one": "host"}))
    card = place / "digits.hil.yaml"
    card.write_text(card.read_text().replace("arena: 3500", "arena: 5"))
    assert "arena: 5" in card.read_text()
    (place / "broken.tflite").write_bytes(b"no model")
    code, found, said = run(write(place, models=["*.hil.yaml", "broken.tflite"]), place / "night")
    assert code == 4, said
    assert found["report"]["verdicts"] == {"pass": 1, "fail": 1, "error": 1}
    assert [each["finding"] for each in found["report"]["suspects"]] == ["no second board"]
    problems = {each["verdict"]: each["what"] for each in found["report"]["problems"]}
    assert "model-file" in problems["error"] and "arena" in problems["fail"]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "-1/2", "1/2/3"])
def test_wrong_shards_are_refused(place: Path, text: str) -> None:
    with pytest.raises(OptionError, match="no N/COUNT"):
        shard_number(text)
    assert shard_number("2/5") == (2, 5)


def test_a_night_is_run_by_one_at_a_time(place: Path) -> None:
    file = write(place, repeats=20)
    first = subprocess.Popen(command(file, place / "night"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (place / "night" / "night.db").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    second = subprocess.run(command(file, place / "night"), capture_output=True, text=True)
    first.kill()
    first.wait()
    assert second.returncode == 4 and "is being run by process" in second.stdout


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"models": []}, "models"),
        ({"models": ["gone.tflite"]}, "gone.tflite: no such file"),
        ({"modes": ["fast"]}, "modes"),
        ({"repeats": 0}, "repeats"),
        ({"farm": "nowhere"}, "neither HOST:PORT"),
        ({"link": "string"}, "no link is named"),
        ({"runtimes": ["none"]}, "no runtime is named"),
        ({"vectors": "many"}, "many"),
        ({"colour": "red"}, "colour"),
        ({"repeats": 1000, "models": ["*.hil.yaml"], "boards": ["all"] * 1, "modes": ["own"] * 200}, "jobs, more than"),
    ],
)
def test_wrong_files_are_refused_by_name(place: Path, more: dict[str, object], said: str) -> None:
    with pytest.raises(FarmFileError) as caught:
        load_night(write(place, **more))
    assert "farm.yaml" in caught.value.message and said in caught.value.message


def test_two_models_of_one_name_are_told_apart(place: Path) -> None:
    (place / "more").mkdir()
    for file in place.glob("digits*"):
        shutil.copy(file, place / "more")
    plan = load_night(write(place, models=["digits.hil.yaml", "more/*.hil.yaml"]))
    assert [model.name for model in plan.models] == ["digits.hil.yaml", "more/digits.hil.yaml"]

"""Cards: what is accepted, and that every mistake is refused with its place."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import CardError, OptionError
from harness.validate.card import FileVectors, RandomVectors, Tolerance, card_for_model, load_card, parse_vectors
from harness.validate.checks import check_names
from tests.support.scale import scaled


def card(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "m.hil.yaml"
    path.write_text(text)
    return path


def test_smallest_card_checks_outputs_and_layers_exactly_against_tflm(tmp_path):
    found = load_card(card(tmp_path, "model: net.tflite\n"))
    assert found.name == "m"
    assert found.model == tmp_path / "net.tflite"
    assert found.vectors == RandomVectors(random=20, seed=0)
    assert found.oracle == "tflm"
    assert found.checks.outputs == found.checks.layers == Tolerance(max_lsb=0)
    assert check_names(found, "host") == ("outputs", "layers", "memory")


def test_full_card_of_the_design(tmp_path):
    found = load_card(
        card(
            tmp_path,
            "model: kws.tflite\n"
            "vectors: kws_vectors.npz\n"
            "oracle: tflm\n"
            "checks: {outputs: exact, layers: {max_lsb: 1}, accuracy: {min: 0.90}}\n"
            "budgets:\n"
            "  default: {arena: 16000, flash: 40000, stack: 2048}\n"
            "  nucleo-h743: {cycles: 4_000_000, arena: 12000}\n",
        )
    )
    assert found.vectors == FileVectors(file="kws_vectors.npz")
    assert found.checks.layers == Tolerance(max_lsb=1)
    assert found.budget("mps2-an500").limits() == {"arena": 16000, "flash": 40000, "stack": 2048}
    assert found.budget("nucleo-h743").limits() == {"arena": 12000, "flash": 40000, "stack": 2048, "cycles": 4_000_000}
    assert check_names(found, "nucleo-h743") == (
        "outputs", "layers", "accuracy", "memory", "arena", "flash", "stack", "cycles",
    )  # fmt: skip


def test_a_check_can_be_switched_off_by_name_only(tmp_path):
    assert load_card(card(tmp_path, "model: a\nchecks: {layers: off}\n")).checks.layers is None
    with pytest.raises(CardError):
        load_card(card(tmp_path, "model: a\nchecks: {layers: none}\n"))


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("modl: a\n", "line 1: model", "missing"),
        ("model: a\nchecks:\n  outptus: exact\n", "line 3: checks.outptus", "unknown key"),
        ("model: a\nvectors: {random: 0}\n", "line 2: vectors.random", "greater than or equal to 1"),
        ("model: a\nbudgets: {default: {arena: 1.5}}\n", "line 2: budgets.default.arena", "integer"),
        ("model: a\nbudgets: {default: {arena: true}}\n", "line 2: budgets.default.arena", "integer"),
        ("model: a\noracle: tf\n", "line 2: oracle", "'tflm'"),
        ("model: a\nchecks: {accuracy: {min: 1.5}}\n", "line 2: checks.accuracy.min", "less than or equal to 1"),
        ("model: ''\n", "line 1: model", "no path"),
        ('model: "a\\0b"\n', "line 1: model", "no path"),
        ('model: a\nvectors: "a\\0.npz"\n', "line 2: vectors.file", "no path"),
        ("model: a\nvectors: 20\n", "line 2: vectors", "{random: N, seed: S}"),
        ("model: a\nchecks: {outputs: yes}\n", "line 2: checks.outputs", "{max_lsb: N}"),
        ("model: a\nchecks: {accuracy: 0.9}\n", "line 2: checks.accuracy", "{min: SHARE, drop_max: SHARE}"),
        ("model: a\nbudgets:\n  mps2-an5000: {arena: 1}\n", "line 3: budgets.mps2-an5000", "no board named"),
        ("model: a\nbudgets:\n  defualt: {arena: 1}\n", "line 3: budgets.defualt", "no board named"),
        ("model: a\nmodel: b\n", "line 2", "stands twice"),
        ("model: &x a\nvectors: *x\n", "line 2", "aliases"),
        ("- a\n", "m.hil.yaml", "mapping"),
        ("model: [", "m.hil.yaml", "YAML"),
        ("", "m.hil.yaml", "mapping"),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_key(tmp_path, text, place, words):
    with pytest.raises(CardError) as caught:
        load_card(card(tmp_path, text))
    assert "m.hil.yaml" in caught.value.message
    assert place in caught.value.message
    assert words in caught.value.message
    assert caught.value.hint


def test_all_mistakes_are_told_at_once_and_a_near_key_is_suggested(tmp_path):
    with pytest.raises(CardError) as caught:
        load_card(card(tmp_path, "model: 3\nvectrs: a.npz\nbudgets: {default: {stak: 1}}\n"))
    for words in ("line 1: model", "line 2: vectrs: unknown key", "line 3: budgets.default.stak: unknown key"):
        assert words in caught.value.details
    assert "stack" in caught.value.hint or "vectors" in caught.value.hint


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 50_000, b"a" * (2 << 20), b"model: \x00\n"])
def test_files_that_are_no_cards(tmp_path, content):
    path = tmp_path / "m.hil.yaml"
    path.write_bytes(content)
    with pytest.raises(CardError):
        load_card(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(CardError, match="none.hil.yaml"):
        load_card(tmp_path / "none.hil.yaml")


@settings(max_examples=scaled(100, 3000), deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet="model:vectors{}[]&*-'\"\n #1!|>%@", max_size=80).map(str.encode))
def test_any_bytes_give_a_card_or_a_card_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("card") / "m.hil.yaml"
    path.write_bytes(content)
    try:
        load_card(path)
    except CardError as error:
        assert str(path) in error.message


def test_vectors_on_a_command_line(tmp_path):
    assert parse_vectors("20", tmp_path) == RandomVectors(random=20, seed=0)
    assert parse_vectors("20:7", tmp_path) == RandomVectors(random=20, seed=7)
    assert parse_vectors("v.npz", tmp_path) == FileVectors(file=str(tmp_path / "v.npz"))
    for wrong in ("0", "-1", "20:x", "v.npy", "", "999999999"):
        with pytest.raises(OptionError):
            parse_vectors(wrong, tmp_path)


def test_model_without_a_card_has_no_budgets():
    found = card_for_model(Path("x/net.tflite"))
    assert (found.name, found.path, found.budget("host").limits()) == ("net", None, {})


@pytest.mark.parametrize("key", ["arena", "flash", "stack"])
@pytest.mark.parametrize(("given", "found"), [("20k", 20_000), ("20KiB", 20_480), ("1.5M", 1_500_000), ("400", 400)])
def test_budgets_in_bytes_take_units(tmp_path, key, given, found):
    loaded = load_card(card(tmp_path, f"model: m.tflite\nbudgets: {{default: {{{key}: {given}}}}}\n"))
    assert loaded.budget("host").limits() == {key: found}


@pytest.mark.parametrize("key", ["instructions", "cycles"])
def test_budgets_that_count_take_thousands_and_millions(tmp_path, key):
    text = "model: m.tflite\nbudgets: {{default: {{{}: {}}}}}\n"
    assert load_card(card(tmp_path, text.format(key, "1.5M"))).budget("host").limits() == {key: 1_500_000}
    for wrong in ("20KiB", "20kB", "many", "''", "-1k"):
        with pytest.raises(CardError, match=f"line 2: budgets.default.{key}: "):
            load_card(card(tmp_path, text.format(key, wrong)))


@pytest.mark.parametrize("wrong", ["20q", "0k", "-20k", "k", "''", "0.0001"])
def test_a_budget_that_is_no_number_of_bytes_is_refused(tmp_path, wrong):
    with pytest.raises(CardError, match=r"line 2: budgets.default.arena: "):
        load_card(card(tmp_path, f"model: m.tflite\nbudgets: {{default: {{arena: {wrong}}}}}\n"))


def test_a_card_can_pin_its_model(tmp_path):
    (tmp_path / "m.tflite").write_bytes(b"model")
    right = hashlib.sha256(b"model").hexdigest()
    for spelt in (right, right.upper()):
        assert load_card(card(tmp_path, f"model: m.tflite\nsha256: {spelt}\n")).sha256 == right
    pinned = card(tmp_path, f"model: m.tflite\nsha256: {right}\n")
    (tmp_path / "m.tflite").write_bytes(b"another")
    with pytest.raises(CardError, match="line 2: sha256: .*m.tflite is another file, of SHA-256 ") as caught:
        load_card(pinned)
    assert hashlib.sha256(b"another").hexdigest() in caught.value.message
    (tmp_path / "m.tflite").unlink()
    load_card(pinned)  # that the model is missing is told by whatever reads it


@pytest.mark.parametrize("wrong", ["abc", "'" + 64 * "g" + "'", "'" + 63 * "0" + "'", "12", "''"])
def test_what_is_no_sha256_is_refused(tmp_path, wrong):
    with pytest.raises(CardError, match="line 2: sha256: "):
        load_card(card(tmp_path, f"model: m.tflite\nsha256: {wrong}\n"))

"""What a person gave instead of a .tflite model, told by its name and first bytes, and the next step from there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

HEAD = 512
"""Bytes from the beginning of a file that are looked at."""

_INT8 = "full-integer int8 quantization (a representative dataset, TFLITE_BUILTINS_INT8)"
_KERAS = f"load it with Keras and convert it with tf.lite.TFLiteConverter.from_keras_model, with {_INT8}"
_TORCH = f"export it from PyTorch with litert-torch (ai-edge-torch), with {_INT8}, and give the .tflite"
_ONNX = f"convert it with onnx2tf -oiqt, which makes a .tflite by {_INT8}, and give that file"
_SAVED = f"convert it with tf.lite.TFLiteConverter.from_saved_model, with {_INT8}, and give the .tflite"

KINDS: dict[str, tuple[str, str]] = {
    ".onnx": ("an ONNX model", _ONNX),
    ".h5": ("a Keras model (HDF5)", _KERAS),
    ".hdf5": ("a Keras model (HDF5)", _KERAS),
    ".keras": ("a Keras model", _KERAS),
    ".pt": ("a PyTorch file", _TORCH),
    ".pth": ("a PyTorch file", _TORCH),
    ".pt2": ("a program exported by PyTorch", _TORCH),
    ".ckpt": ("a checkpoint of weights", f"load it in its framework; then, with TensorFlow, {_SAVED}"),
    ".safetensors": ("a file of weights without a network", _TORCH),
    ".pte": ("an ExecuTorch program", f"go back to the PyTorch model and {_TORCH}"),
    ".pb": ("a TensorFlow graph", _SAVED),
    ".pkl": ("a Python pickle", f"build the same network in Keras, set its weights and convert that, with {_INT8}"),
    ".joblib": ("a Python pickle", f"build the same network in Keras, set its weights and convert that, with {_INT8}"),
    ".mlmodel": ("a Core ML model", "convert the model that it was made from to .tflite"),
    ".zip": ("a ZIP archive", "unpack it and give the .tflite in it"),
    ".gz": ("a gzip archive", "unpack it and give the .tflite in it"),
    ".cc": ("C source", "give the .tflite that its array was made from (xxd -r -p turns the bytes back)"),
    ".h": ("C source", "give the .tflite that its array was made from (xxd -r -p turns the bytes back)"),
}
"""Suffix of a file -> what it is, and the next step."""


def is_url(text: str) -> bool:
    """Whether a path is really an address; pathlib has made one slash of two."""
    scheme, colon, rest = text.partition(":/")
    return bool(colon) and scheme.isalpha() and len(scheme) > 1 and bool(rest)


def of_content(head: bytes) -> tuple[str, str] | None:
    """What the first bytes of a file are known to be, and the next step; None: nothing that is known."""
    text = head.lstrip().lower()
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file itself", "fetch the file: git lfs install, then git lfs pull"
    if text.startswith((b"<!doctype", b"<html")):
        return "a web page, not the file itself", "download the raw file (on GitHub and Hugging Face: the raw link)"
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return KINDS[".h5"]
    if head[4:8] in (b"ET12", b"ET13", b"ET14"):
        return KINDS[".pte"]
    if head.startswith(b"PK\x03\x04"):
        keras = b"metadata.json" in head or b"config.json" in head
        torch = b"data.pkl" in head or b"/version" in head
        return KINDS[".keras" if keras else ".pt" if torch else ".zip"]
    if head.startswith(b"\x1f\x8b"):
        return KINDS[".gz"]
    if head.startswith(b"\x80") and head[1:2] in b"\x02\x03\x04\x05":
        return KINDS[".pkl"]
    if head.startswith(b"\x08") and any(maker in text for maker in (b"onnx", b"pytorch")):
        return KINDS[".onnx"]
    return None


def of_folder(path: Path) -> tuple[str, str] | None:
    """What a folder is known to be, and the next step."""
    if (path / "saved_model.pb").exists():
        return "a SavedModel folder", _SAVED
    models, cards = sorted(path.glob("*.tflite")), sorted(path.glob("*.hil.yaml"))
    if cards:
        return f"a folder of cards ({len(cards)})", f"give one model or card, or: tinyhil validate {path}"
    if models:
        names = ", ".join(found.name for found in models[:5])
        return f"a folder with {len(models)} .tflite", f"give one of its models: {names}"
    return None


def of_path(path: Path, head: bytes) -> tuple[str, str] | None:
    """What a path that no frontend reads is known to be, and the next step; content says more than a suffix."""
    if is_url(str(path)):
        return "an address, and tinyhil downloads nothing", "download the file and give its path"
    if path.is_dir():
        return of_folder(path) or ("a folder", "give a model, a file named *.tflite")
    return of_content(head) or KINDS.get(path.suffix.lower())


# --- models that are .tflite, but not int8 ---------------------------------------------------------------------------

_COMPILERS = (("ethos-u", "Vela (Ethos-U)"), ("edgetpu", "the Edge TPU compiler"), ("xc_", "XMOS's xformer"))


def compiler_of(operators: Iterable[str]) -> str:
    """Who compiled a model for an accelerator, by its custom operators; "" for nobody known."""
    names = [name.lower() for name in operators if name.startswith("custom operator")]
    return next((who for mark, who in _COMPILERS if any(f"'{mark}" in name for name in names)), "")


def step_for(operators: Iterable[str], types: Iterable[str]) -> str:
    """What helps a model with these unsupported operators and types ("float32 weights"); "" for nothing known."""
    operators, types = list(operators), list(types)
    compiled = compiler_of(operators)
    if compiled:
        return f"compiled by {compiled}: give the original .tflite, from before that compiler"
    steps = []
    activations = {what.split()[0] for what in types if "weights" not in what and "bias" not in what}
    weights = {what.split()[0] for what in types if "weights" in what}
    again = f"convert the original model again with {_INT8} and int8 inputs and outputs"
    if "float16" in activations | weights:
        steps.append(f"this is a float16 model; quantize the model to int8: {again}")
    elif "float32" in activations and "float32" in weights:
        steps.append(f"this is a float model; quantize the model to int8: {again}")
    elif "float32" in activations:
        steps.append(f"only its weights are quantized (dynamic range); quantize the model to int8: {again}")
    if "int16" in activations:
        steps.append(f"this is an int16x8 model; {again}, not EXPERIMENTAL_..._INT16_ACTIVATIONS_WEIGHTS_INT8")
    if "uint8" in activations | weights:
        steps.append(f"this is a uint8 model, TensorFlow Lite's scheme until 2019; {again}")
    if {"SHAPE", "PACK"} & set(operators):
        steps.append("SHAPE and PACK compute a shape at run time: convert with a fixed batch (batch_size=1)")
    return "; ".join(steps)

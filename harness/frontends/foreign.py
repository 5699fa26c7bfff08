"""What a person gave instead of a .tflite model, told by its name and first bytes, and the next step from there.

Commands that are named were run: docs/quantize.md has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

HEAD = 512
"""Bytes from the beginning of a file that are looked at."""

_PAGE = "`tinyhil docs quantize`"
_QUANTIZE = "tinyhil quantize MODEL --data SAMPLES.npz -o OUT.tflite makes it int8: `tinyhil docs ptq`"
_KERAS = "export it from Keras as ONNX: export_keras.py of `tinyhil docs from-keras`"
_SAVED = f"convert its folder to a float .tflite: to_float.py of {_PAGE}"
_TORCH = "load it in PyTorch and export the network with torch.onnx.export: `tinyhil docs from-pytorch`"
_ONNX = "give the .onnx file itself, under that suffix: pip install 'tinyhil[onnx]', then `tinyhil docs onnx`"
_WEIGHTS = "it has weights and no network: load them into the network in the framework that wrote them"
_SKLEARN = "a perceptron of scikit-learn becomes a .tflite where it was fitted: `tinyhil docs from-sklearn`"
_UNPACK = "unpack it and give the .tflite in it"
_ARRAY = f"give the .tflite that its array was made from; {_PAGE} has a line that turns the bytes back"
_ORIGINAL = "give the .tflite from before it was compiled for that runtime"

_ONNX_MODEL = ("an ONNX model", _ONNX)
_KERAS_H5 = ("a Keras model (HDF5)", _KERAS)
_TORCH_FILE = ("a PyTorch file", _TORCH)
_PICKLE = ("a Python pickle", _SKLEARN)
_ARCHIVE = ("an archive", _UNPACK)
_SOURCE = ("C source", _ARRAY)
_CORE_ML = ("a Core ML model", f"go back to the model that it was made from and convert that: {_PAGE}")
_TENSORRT = ("a TensorRT engine, compiled for one GPU", f"go back to the model that it was made from: {_PAGE}")
_EXECUTORCH = ("an ExecuTorch program", f"go back to the PyTorch model; then {_TORCH}")
_CARD = ("a card, not a model", "give the model that it names, or: tinyhil validate CARD")
_ARRAYS = ("an archive of numpy arrays, not a model", "give a model; arrays are its vectors: --vectors FILE.npz")
_PROGRAM = ("a compiled program, not a model", "give the .tflite that was built into it")

KINDS: dict[str, tuple[str, str]] = {
    ".onnx": _ONNX_MODEL,
    ".h5": _KERAS_H5,
    ".hdf5": _KERAS_H5,
    ".keras": ("a Keras model", _KERAS),
    ".pt": _TORCH_FILE,
    ".pth": _TORCH_FILE,
    ".pt2": ("a program exported by PyTorch", _TORCH),
    ".pte": _EXECUTORCH,
    ".ckpt": ("a checkpoint of weights", f"{_WEIGHTS}, then convert that: {_PAGE}"),
    ".safetensors": ("a file of weights", f"{_WEIGHTS}; then {_TORCH}"),
    ".gguf": ("a GGUF file, a language model's weights", "no microcontroller holds it; give an int8 .tflite"),
    ".pb": ("a TensorFlow graph", f"go back to the SavedModel or Keras model of it; then {_SAVED}"),
    ".pbtxt": ("a TensorFlow graph as text", f"go back to the SavedModel or Keras model of it; then {_SAVED}"),
    ".pkl": _PICKLE,
    ".pickle": _PICKLE,
    ".joblib": _PICKLE,
    ".mlmodel": _CORE_ML,
    ".mlpackage": _CORE_ML,
    ".engine": _TENSORRT,
    ".trt": _TENSORRT,
    ".plan": _TENSORRT,
    **dict.fromkeys((".zip", ".7z", ".rar"), _ARCHIVE),
    **dict.fromkeys((".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst"), _ARCHIVE),
    **dict.fromkeys((".cc", ".cpp", ".c", ".h", ".hpp", ".inc"), _SOURCE),
    **dict.fromkeys((".rknn", ".hef", ".kmodel", ".dlc", ".nb", ".cvimodel", ".mnn", ".vmfb"), ("compiled", _ORIGINAL)),
    **dict.fromkeys((".elf", ".axf", ".hex", ".exe", ".so", ".o"), _PROGRAM),
    **dict.fromkeys((".npz", ".npy"), _ARRAYS),
    **dict.fromkeys((".yaml", ".yml"), _CARD),
}
"""Suffix of a file -> what it is, and the next step."""

_LFS = ("a pointer of Git LFS, not the file itself", "fetch the file: git lfs install, then git lfs pull")
_RAW = "download the file itself (on GitHub and Hugging Face: the raw or download link)"
_MAGIC: tuple[tuple[str, tuple[str, str]], ...] = (
    (r"version https://git-lfs", _LFS),
    (r"(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)*<(!doctype|html|\?xml|head)", ("a web page, not the file itself", _RAW)),
    (r"\x89HDF\r\n\x1a\n", _KERAS_H5),
    (r".{4}ET\d\d", _EXECUTORCH),
    (r"PK\x03\x04.*(metadata|config)\.json", KINDS[".keras"]),
    (r"PK\x03\x04.*(data\.pkl|/version)", _TORCH_FILE),
    (r"PK\x03\x04.*\.npy", _ARRAYS),
    (r"\x93NUMPY", _ARRAYS),
    (r"PK\x03\x04|\x1f\x8b|BZh\d|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd|.{257}ustar", _ARCHIVE),
    (r"\x80\x02\x8a\x0al\xfc\x9cF\xf9", _TORCH_FILE),
    (r"\x80[\x02-\x05]", _PICKLE),
    (r"\x08.*(onnx|pytorch)", _ONNX_MODEL),
    (r"GGUF", KINDS[".gguf"]),
    (r".{8}\{\"", KINDS[".safetensors"]),
    (r"\x7fELF", _PROGRAM),
    (r"\s*\{.*\"modelTopology\"", ("a TensorFlow.js model", f"go back to the Keras model of it; then {_KERAS}")),
    (
        r"\s*\{.*\"?(operator_codes|subgraphs|builtin_code)\"?\s*:",
        ("a .tflite written out as JSON", "give the .tflite that it was written from"),
    ),
    (r"\s*(//|/\*|#(include|if|ifndef|pragma|define)\b|((static|extern|alignas\S*|const) )*unsigned char)", _SOURCE),
)
"""Pattern that a file's first bytes match -> what it is, and the next step; the first one counts."""

_CONTAINERS = (_ARCHIVE, _PICKLE)
"""Kinds of content that a suffix says more about."""


def is_url(text: str) -> bool:
    """Whether a path is really an address; pathlib has made one slash of two."""
    scheme, colon, rest = text.partition(":/")
    return bool(colon) and scheme.isalpha() and len(scheme) > 1 and bool(rest)


def of_content(head: bytes) -> tuple[str, str] | None:
    """What the first bytes of a file are known to be, and the next step; None: nothing that is known."""
    text = head.decode("latin-1")
    flags = re.DOTALL | re.IGNORECASE
    return next((kind for pattern, kind in _MAGIC if re.match(pattern, text, flags)), None)


def of_folder(path: Path) -> tuple[str, str] | None:
    """What a folder is known to be, and the next step."""
    if any((path / name).exists() for name in ("saved_model.pb", "saved_model.pbtxt")):
        return "a SavedModel folder", _SAVED
    if path.suffix.lower() in (".mlpackage", ".mlmodel"):
        return _CORE_ML
    models, cards = sorted(path.glob("*.tflite")), sorted(path.glob("*.hil.yaml"))
    if cards:
        return f"a folder of cards ({len(cards)})", f"give one model or card, or: tinyhil validate {path}"
    if models:
        names = ", ".join(found.name for found in models[:5])
        return f"a folder with {len(models)} .tflite", f"give one of its models: {names}"
    for suffix in (".keras", ".h5", ".onnx", ".pt", ".pth", ".safetensors", ".pb"):
        found = next(iter(sorted(path.glob(f"*{suffix}"))), None)
        if found is not None:
            what, step = KINDS[suffix]
            return f"a folder with {found.name}, {what}", step
    return None


def of_path(path: Path, head: bytes) -> tuple[str, str] | None:
    """What a path that no frontend reads is known to be, and the next step; content says more than a suffix."""
    if is_url(str(path)):
        return "an address, and tinyhil downloads nothing", "download the file and give its path"
    if path.is_dir():
        return of_folder(path) or ("a folder", "give a model, a file named *.tflite")
    if head[4:8] == b"TFL3":
        return "a .tflite by its content", f"give it its suffix: {path.stem}.tflite"
    content, suffix = of_content(head), KINDS.get(path.suffix.lower())
    if content in _CONTAINERS or content is None:
        return suffix or content
    return content


# --- models that are .tflite, but not int8 ---------------------------------------------------------------------------

_COMPILERS = (
    ("edgetpu", "the Edge TPU compiler"),
    ("xc_", "XMOS's xformer"),
    ("neutron", "NXP's Neutron converter"),
)


def compiler_of(operators: Iterable[str]) -> str:
    """Who compiled a model for an accelerator, by its custom operators; "" for nobody known."""
    return next((who for mark, who in _COMPILERS if any(name.startswith(mark) for name in _custom(operators))), "")


def _custom(operators: Iterable[str]) -> list[str]:
    """Names of custom operators, in lower case."""
    found = (re.fullmatch(r"custom operator '(.*)'", name) for name in operators)
    return [match[1].lower() for match in found if match]


def step_for(
    operators: Iterable[str],
    types: Iterable[str],
    pairs: Iterable[tuple[str, str]] = (),
    features: Iterable[str] = (),
) -> str:
    """What helps a model with these unsupported operators and types ("float32 weights"); "" for nothing known.

    `pairs` are the types of activations and constant weights that meet in an operator.
    """
    operators, types = list(operators), list(types)
    compiled = compiler_of(operators)
    if compiled:
        return f"compiled by {compiled}: give the original .tflite, from before that compiler"
    at_run_time = any(what.endswith("computed at run time") for what in features)
    steps = [*_type_steps(types, set(pairs)), *_operator_steps(operators)]
    if at_run_time:
        steps.append(f"a shape that is known only at run time: convert with a fixed batch (of 1): {_PAGE}")
    return "; ".join(steps)


def _type_steps(types: list[str], pairs: set[tuple[str, str]]) -> list[str]:
    activations = {what.split()[0] for what in types if "weights" not in what and "bias" not in what}
    weights = {what.split()[0] for what in types if "weights" in what}
    again = f"make int8 of the float model: {_PAGE}"
    steps = []
    if "float16" in activations | weights:
        steps.append(f"this is a float16 model; {_QUANTIZE}")
    elif ("float32", "int8") in pairs:
        steps.append(f"only its weights are quantized (dynamic range), which TFLM refuses, too; {_QUANTIZE}")
    elif "float32" in activations and "float32" in weights:
        steps.append(f"of floats tinyhil compiles less than of int8: {_QUANTIZE}")
    if "uint8" in activations | weights:
        steps.append(f"this is a uint8 model, TensorFlow Lite's scheme until 2019; {again}")
    if "int4" in weights:
        steps.append(f"its weights have 4 bits; {again}")
    return steps


def _operator_steps(operators: list[str]) -> list[str]:
    steps = []
    if any(name.startswith("flex") for name in _custom(operators)):
        steps.append("Flex operators need all of TensorFlow: convert without SELECT_TF_OPS")
    return steps

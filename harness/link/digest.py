"""Keyed digests of tensors, as firmware/runtime/hil_digest.c makes them; docs/protocol.md tells how, and their odds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint32]

DIGEST_SIZE = 16
"""Bytes of a key, and of a digest."""

_ROUNDS = 8
_BLOCK, _CHUNK = 16, 256
_BLOCKS = _CHUNK // _BLOCK


def digests(key: bytes, tensors: Sequence[tuple[int, bytes]]) -> Words:
    """The digest of each tensor, given as (its number, its bytes): uint32[tensors, 4]; all chunks are made at once."""
    sums = np.zeros((len(tensors), 4), np.uint32)
    sizes = np.array([len(data) for _, data in tensors], np.int64)
    counts = -(-sizes // _CHUNK)
    owner = np.repeat(np.arange(len(tensors)), counts)
    if not owner.size:
        return sums
    place = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
    length = np.minimum(sizes[owner] - place * _CHUNK, _CHUNK)
    padded = b"".join(data + bytes(-len(data) % _CHUNK) for _, data in tensors)
    blocks = np.frombuffer(padded, "<u4").reshape(owner.size, _BLOCKS, 4)
    numbers = np.array([number for number, _ in tensors], np.uint32)
    order = np.argsort(-length, kind="stable")  # at each step, those that still have a block come first
    lengths = length[order]
    words = np.frombuffer(key, "<u4").astype(np.uint32)[:, None]
    state = np.repeat(words, owner.size, axis=1)
    state[0] ^= numbers[owner[order]]
    state[1] ^= place[order].astype(np.uint32)
    state[2] ^= lengths.astype(np.uint32)
    permute(state)
    blocks = np.ascontiguousarray(blocks[order].transpose(1, 2, 0))
    for step in range(_BLOCKS):
        left = int(np.searchsorted(-lengths, -step * _BLOCK, side="left"))
        part = state[:, :left]
        part ^= blocks[step, :, :left]
        permute(part)
    np.bitwise_xor.at(sums, owner[order], (state ^ words).T)
    return sums


def permute(state: Words) -> None:
    """The permutation of Chaskey on each column of uint32[4, n]."""
    v0, v1, v2, v3 = state
    for _ in range(_ROUNDS):
        v0 += v1
        v2 += v3
        _rotate(v1, 5)
        v1 ^= v0
        _rotate(v3, 8)
        v3 ^= v2
        _rotate(v0, 16)
        v0 += v3
        v2 += v1
        _rotate(v3, 13)
        v3 ^= v0
        _rotate(v1, 7)
        v1 ^= v2
        _rotate(v2, 16)


def _rotate(word: Words, bits: int) -> None:
    low = word >> np.uint32(32 - bits)
    word <<= np.uint32(bits)
    word |= low

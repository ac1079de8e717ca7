"""How a text is spelled: its words and runs of letters, hashed into a vector.

Sentence vectors tell what a text means; this tells which words were used, and a
misspelt word still shares most of its letters with the right one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from mmap import mmap
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from .intents import normalise

Vector: TypeAlias = NDArray[np.float32]

BUCKETS = 2048


def spelling(text: str) -> tuple[NDArray[np.intp], Vector]:
    """Return the buckets that a text fills and how much is in each.

    The amounts are square roots of counts, scaled to a vector of length 1.
    """
    counts: dict[int, int] = {}
    for digest in map(crc32, _grams(normalise(text).encode())):
        # One more bit gives a sign, so that collisions cancel out on average.
        sign = 1 if digest & 0x80000000 else -1
        bucket = digest % BUCKETS
        counts[bucket] = counts.get(bucket, 0) + sign
    buckets = np.fromiter(counts, dtype=np.intp, count=len(counts))
    sums = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
    amounts = np.sign(sums) * np.sqrt(np.abs(sums))
    return buckets, unit(amounts)


def unit(vector: Vector) -> Vector:
    """Return the vector with length 1, or nothing but zeros as it is."""
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / np.float32(length)) if length else vector


def spellings(texts: Sequence[str]) -> Vector:
    """Return a row of all buckets for each text."""
    rows = block(len(texts), BUCKETS)
    for row, text in zip(rows, texts, strict=True):
        buckets, amounts = spelling(text)
        row[buckets] = amounts
    return rows


def block(rows: int, columns: int) -> Vector:
    """Return a matrix of zeros that goes back to the system whole when it is dropped.

    Freed memory of this size may otherwise stay with the process for good.
    """
    size = rows * columns * np.dtype(np.float32).itemsize
    return np.frombuffer(mmap(-1, size), np.float32).reshape(rows, columns)


def _grams(text: bytes) -> Iterator[bytes]:
    """Yield words, pairs of words, and 3 to 5 letters in a row."""
    words = text.split()
    yield from (b"w:" + word for word in words)
    pairs = zip([b"^", *words], [*words, b"$"], strict=True)
    yield from (b"b:" + left + b" " + right for left, right in pairs)
    spaced = b" " + text + b" "
    for size in (3, 4, 5):
        yield from (spaced[at : at + size] for at in range(len(spaced) - size + 1))

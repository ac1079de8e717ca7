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

BUCKETS = 1024
# Texts counted at once: enough to be quick, few enough to need little memory.
BATCH = 64
_SIZES = (3, 4, 5)
# Odd numbers without a pattern, as in any multiplicative hash: one to tell a letter
# from the next, one to spread the sums over all bits.
_LETTER = np.uint32(0x01000193)
_SPREAD = np.uint32(0x9E3779B1)


def spelling(text: str) -> tuple[NDArray[np.intp], Vector]:
    """Return the buckets that a text fills and how much is in each.

    The amounts are square roots of counts, scaled to a vector of length 1.
    """
    row = _amounts([text])[0]
    buckets = np.flatnonzero(row)
    return buckets, row[buckets]


def units(rows: Vector) -> Vector:
    """Scale each row to length 1, in place; rows of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths == 0, 1, lengths)
    return rows


def spellings(texts: Sequence[str]) -> Vector:
    """Return a row of all buckets for each text."""
    rows = block(len(texts), BUCKETS)
    for start in range(0, len(texts), BATCH):
        part = texts[start : start + BATCH]
        rows[start : start + len(part)] = _amounts(part)
    return rows


def block(rows: int, columns: int) -> Vector:
    """Return a matrix of zeros that goes back to the system whole when it is dropped.

    Freed memory of this size may otherwise stay with the process for good.
    """
    size = rows * columns * np.dtype(np.float32).itemsize
    return np.frombuffer(mmap(-1, size), np.float32).reshape(rows, columns)


def _amounts(texts: Sequence[str]) -> Vector:
    plain = [normalise(text).encode() for text in texts]
    parts = [_words(plain), *_runs(plain)]
    digests = np.concatenate([digest for digest, _ in parts])
    owners = np.concatenate([owner for _, owner in parts])
    # One more bit gives a sign, so that collisions cancel out on average.
    signs = np.where(digests & np.uint32(BUCKETS), 1.0, -1.0)
    cells = owners * BUCKETS + (digests & np.uint32(BUCKETS - 1))
    counts = np.bincount(cells, signs, len(texts) * BUCKETS)
    filled = np.flatnonzero(counts)
    amounts = np.zeros(len(counts), dtype=np.float32)
    amounts[filled] = np.sign(counts[filled]) * np.sqrt(np.abs(counts[filled]))
    return units(amounts.reshape(len(texts), BUCKETS))


# For each word or run of letters: its digest, and the number of the text it is from.
Digests: TypeAlias = tuple[NDArray[np.uint32], NDArray[np.intp]]


def _words(texts: Sequence[bytes]) -> Digests:
    """Return the digests of words and of pairs of words."""
    digests: list[int] = []
    owners: list[int] = []
    for owner, text in enumerate(texts):
        words = text.split()
        digests += map(crc32, words)
        pairs = zip([b"^", *words], [*words, b"$"], strict=True)
        digests += map(crc32, map(b" ".join, pairs))
        owners += [owner] * (2 * len(words) + 1)
    return np.array(digests, dtype=np.uint32), np.array(owners, dtype=np.intp)


def _runs(texts: Sequence[bytes]) -> Iterator[Digests]:
    """Yield the digests of 3 to 5 letters in a row, for each of these lengths."""
    lengths = np.array([len(text) + 2 for text in texts])
    owners = np.repeat(np.arange(len(texts)), lengths)
    joined = b" " + b"  ".join(texts) + b" "
    letters = np.frombuffer(joined, dtype=np.uint8).astype(np.uint32)
    digests = letters
    for size in range(2, max(_SIZES) + 1):
        digests = digests[:-1] * _LETTER + letters[size - 1 :]
        if size in _SIZES:
            # A run that ends in the next text is none.
            whole = owners[: len(digests)] == owners[size - 1 :]
            found = digests[whole] * _SPREAD
            yield found ^ (found >> np.uint32(15)), owners[: len(digests)][whole]

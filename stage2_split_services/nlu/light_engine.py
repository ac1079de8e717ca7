"""The light engine: static sentence vectors and a linear head, with numpy only.

A text becomes two vectors side by side: the mean of WordLlama's word-piece vectors
(what it means) and hashed words and character n-grams (how it is spelled, so that a
misspelt word still counts). One ridge regression, solved at start from the training
phrases, turns them into a score an intent.

The vectors are read straight from the files of the `wordllama` wheel and stay on disk,
mapped into memory: importing the package itself would cost several times as much.
Nothing changes after the start, so any number of threads may ask at once.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from .intents import OUT_OF_SCOPE, Intent, normalise

Vector: TypeAlias = NDArray[np.float32]

WEIGHTS = Path("weights") / "l2_supercat_256.safetensors"
TOKENIZER = Path("tokenizers") / "l2_supercat_tokenizer_config.json"

# A request is told by its first words; more would only cost time.
MAX_CHARACTERS = 400
HASHED = 4096
RIDGE = 0.3
BIAS = 0.5
# Ridge scores lie between -1 and 1; this spreads them so that softmax reads as a
# probability.
SHARPNESS = 6.0
# Below this, no intent is likely enough to act on.
LEAST_CONFIDENCE = 0.15


class LightEngine:
    """Guess intents from sentence vectors; see the module's text."""

    name = "light"

    def __init__(self, intents: Sequence[Intent]) -> None:
        """Learn the intents from their phrases, in well under a second.

        Raises RuntimeError when the `wordllama` wheel is not installed.
        """
        folder = _wordllama_folder()
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._rows = _map_rows(folder / WEIGHTS)
        self._names = [intent.name for intent in intents]
        texts = [phrase for intent in intents for phrase in intent.phrases]
        labels = [at for at, intent in enumerate(intents) for _ in intent.phrases]
        width = self._rows.shape[1] + HASHED + 1
        # One block, given back whole: thousands of small arrays would leave holes.
        features = np.empty((len(texts), width), dtype=np.float32)
        for row, text in zip(features, texts, strict=True):
            row[:] = self._features(text)
        self._head = _solve(features, np.array(labels), len(intents))

    def classify(self, text: str) -> tuple[str | None, float]:
        """Return the likeliest intent and how sure that is, from 0 to 1.

        The intent is None when the text is out of scope; the figure is then that of
        the best guess, so that low always means "probably not for me".
        """
        if not normalise(text):
            return None, 0.0
        scores = self._features(text) @ self._head
        weights = np.exp(SHARPNESS * (scores - scores.max()))
        shares = dict(zip(self._names, (weights / weights.sum()).tolist(), strict=True))
        refused = float(shares.pop(OUT_OF_SCOPE, 0.0))
        best = max(shares, key=shares.__getitem__)
        confidence = float(shares[best])
        if refused >= confidence or confidence < LEAST_CONFIDENCE:
            return None, confidence
        return best, confidence

    def _features(self, text: str) -> Vector:
        shown = text[:MAX_CHARACTERS].encode("utf-8", "replace").decode()
        bias = np.array([BIAS], dtype=np.float32)
        return np.concatenate([self._meaning(shown), _spelling(shown), bias])

    def _meaning(self, text: str) -> Vector:
        pieces = self._tokenizer.encode(text.lower(), add_special_tokens=False).ids
        if not pieces:
            return np.zeros(self._rows.shape[1], dtype=np.float32)
        return _unit(self._rows[pieces].mean(axis=0, dtype=np.float32))


def _spelling(text: str) -> Vector:
    """Count words, pairs of words and 3 to 5 letters in a row, hashed into buckets."""
    counts = np.zeros(HASHED, dtype=np.float32)
    for gram in _grams(normalise(text)):
        digest = crc32(gram.encode())
        # One more bit gives a sign, so that collisions cancel out on average.
        counts[digest % HASHED] += 1.0 if digest & 0x80000000 else -1.0
    damped: Vector = np.sign(counts) * np.sqrt(np.abs(counts))
    return _unit(damped)


def _grams(text: str) -> Iterator[str]:
    words = text.split()
    yield from (f"w:{word}" for word in words)
    pairs = zip(["^", *words], [*words, "$"], strict=True)
    yield from (f"b:{left} {right}" for left, right in pairs)
    spaced = f" {text} "
    for size in (3, 4, 5):
        yield from (spaced[at : at + size] for at in range(len(spaced) - size + 1))


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length else vector


def _solve(features: Vector, labels: NDArray[np.int64], classes: int) -> Vector:
    """Fit one ridge regression an intent: +1 for its phrases, -1 for all others.

    Intents with few phrases weigh more, by the square root of their rarity. With fewer
    phrases than features the dual form is the small system to solve. The features are
    overwritten.
    """
    wanted = np.where(np.arange(classes) == labels[:, None], 1.0, -1.0)
    sizes = np.bincount(labels, minlength=classes)
    weight = (len(labels) / classes / sizes[labels]) ** 0.25
    features *= weight[:, None].astype(np.float32)
    rows = features
    targets = (wanted * weight[:, None]).astype(np.float32)
    few, many = rows.shape
    if few < many:
        dual = rows @ rows.T + RIDGE * np.eye(few, dtype=np.float32)
        return np.asarray(rows.T @ np.linalg.solve(dual, targets), dtype=np.float32)
    primal = rows.T @ rows + RIDGE * np.eye(many, dtype=np.float32)
    return np.asarray(np.linalg.solve(primal, rows.T @ targets), dtype=np.float32)


def _wordllama_folder() -> Path:
    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(
            "The engine 'light' needs the package 'wordllama': install this folder's "
            "requirements.txt, or set NLU_ENGINE=rules."
        )
    return Path(spec.submodule_search_locations[0])


def _map_rows(path: Path) -> NDArray[np.float16]:
    """Map the one tensor of a safetensors file, without reading it.

    The format: 8 bytes with the length of a JSON header (little-endian), the header,
    the bytes. Source: the format's description in the safetensors project.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    (tensor,) = (entry for name, entry in header.items() if name != "__metadata__")
    return np.memmap(
        path,
        dtype=np.float16,
        mode="r",
        offset=8 + length + tensor["data_offsets"][0],
        shape=tuple(tensor["shape"]),
    )

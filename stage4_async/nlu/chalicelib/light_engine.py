"""The light engine: static sentence vectors, with numpy only.

A text's meaning is a mean of WordLlama's word-piece vectors, in which the long ones do
not drown the others. The vectors are read straight from the files of the `wordllama`
wheel, a few at a time: holding them all, or importing the package, would cost several
times the memory. Nothing changes after the start, so any number of threads may ask at
once.
"""

from __future__ import annotations

import json
import os
import struct
import weakref
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from .intent_head import IntentHead
from .intents import Intent, readable
from .spelling import Vector, units

WEIGHTS = Path("weights") / "l2_supercat_256.safetensors"
TOKENIZER = Path("tokenizers") / "l2_supercat_tokenizer_config.json"

# A request is told by its first words; more would only cost time.
MAX_CHARACTERS = 400
# Phrases read at once at the start: a word that they share is read once.
BATCH = 256


class LightEngine:
    """Guess intents from sentence vectors; see the module's text."""

    name = "light"

    def __init__(self, intents: Sequence[Intent]) -> None:
        """Learn the intents from their phrases, in well under a second.

        Raises RuntimeError when the `wordllama` wheel is not installed.
        """
        folder = _wordllama_folder()
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._words = WordVectors(folder / WEIGHTS)
        phrases = [phrase for intent in intents for phrase in intent.phrases]
        batches = range(0, len(phrases), BATCH)
        meanings = [self._meanings(phrases[at : at + BATCH]) for at in batches]
        self._head = IntentHead(intents, np.concatenate(meanings))

    def classify(self, text: str) -> tuple[str | None, float]:
        """Return the likeliest intent, None when out of scope, and a figure 0 to 1."""
        text = readable(text, MAX_CHARACTERS)
        return self._head.classify(text, self._meanings([text])[0])

    def _meanings(self, texts: Sequence[str]) -> Vector:
        # One by one: the tokenizer's batches would start threads of their own.
        encode = self._tokenizer.encode
        read = [encode(text.lower(), add_special_tokens=False).ids for text in texts]
        return units(self._words.sums(read))


class WordVectors:
    """The vectors of word pieces: one matrix in a file, read row by row.

    The system keeps the file in its cache, for all processes together.
    """

    def __init__(self, path: Path) -> None:
        """Open a safetensors file that holds one matrix of 16-bit floats.

        The format: 8 bytes with the length of a JSON header (little-endian), the
        header, the bytes. Source: the format's description in the safetensors project.
        """
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        (length,) = struct.unpack("<Q", os.pread(self._file, 8, 0))
        header = json.loads(os.pread(self._file, length, 8))
        (matrix,) = (about for name, about in header.items() if name != "__metadata__")
        self._start = 8 + length + matrix["data_offsets"][0]
        self._width = matrix["shape"][1]

    def sums(self, texts: Sequence[Sequence[int]]) -> Vector:
        """Return the sum of the pieces' vectors of each text, zeros for none."""
        pieces = sorted({piece for text in texts for piece in text})
        rows = np.zeros((len(pieces) + 1, self._width), dtype=np.float32)
        rows[1:] = self._rows(pieces)
        # Half way to equal lengths: rare words have the longest vectors, and with their
        # whole lengths "the", "my" and "not" would hardly count.
        lengths = np.linalg.norm(rows[1:], axis=1, keepdims=True)
        rows[1:] /= np.sqrt(np.where(lengths == 0, 1, lengths))
        # Each text starts with the row of zeros, so that none is empty.
        places = {piece: at for at, piece in enumerate(pieces, start=1)}
        starts: list[int] = []
        order: list[int] = []
        for text in texts:
            starts.append(len(order))
            order += [0, *(places[piece] for piece in text)]
        return np.asarray(np.add.reduceat(rows[order], starts))

    def _rows(self, pieces: Sequence[int]) -> NDArray[np.float16]:
        size = self._width * np.dtype(np.float16).itemsize
        rows = b"".join(
            os.pread(self._file, size, self._start + size * piece) for piece in pieces
        )
        return np.frombuffer(rows, dtype=np.float16).reshape(-1, self._width)


def _wordllama_folder() -> Path:
    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(
            "The engine 'light' needs the package 'wordllama': install this folder's "
            "requirements.txt, or set NLU_ENGINE=rules."
        )
    return Path(spec.submodule_search_locations[0])

"""The light engine: static sentence vectors, with numpy only.

A text's meaning is the mean of WordLlama's word-piece vectors. The vectors are read
straight from the files of the `wordllama` wheel and stay on disk, mapped into memory:
importing the package itself would cost several times as much. Nothing changes after
the start, so any number of threads may ask at once.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from .intent_head import IntentHead
from .intents import Intent, readable
from .spelling import Vector, unit

WEIGHTS = Path("weights") / "l2_supercat_256.safetensors"
TOKENIZER = Path("tokenizers") / "l2_supercat_tokenizer_config.json"

# A request is told by its first words; more would only cost time.
MAX_CHARACTERS = 400


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
        phrases = [phrase for intent in intents for phrase in intent.phrases]
        meanings = np.stack([self._meaning(phrase) for phrase in phrases])
        self._head = IntentHead(intents, meanings)

    def classify(self, text: str) -> tuple[str | None, float]:
        """Return the likeliest intent, None when out of scope, and a figure 0 to 1."""
        text = readable(text, MAX_CHARACTERS)
        return self._head.classify(text, self._meaning(text))

    def _meaning(self, text: str) -> Vector:
        pieces = self._tokenizer.encode(text.lower(), add_special_tokens=False).ids
        if not pieces:
            return np.zeros(self._rows.shape[1], dtype=np.float32)
        return unit(self._rows[pieces].mean(axis=0, dtype=np.float32))


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

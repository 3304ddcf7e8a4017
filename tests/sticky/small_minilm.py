"""all-MiniLM-L6-v2 with a vocabulary of a few hundred tokens: its own weights, fewer rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

__all__ = ["ORDINARY", "STICKY", "sentences", "write_small_minilm"]

#: Tokens that the run over the whole vocabulary called sticky (results/all-MiniLM-L6-v2, effects of 0.53 to
#: 0.59 on other sentences than these).
STICKY = ("糹", "ு", "ও", "ვ", "ᆷ", "₊", "ᆨ", "ন", "彳", "ₖ")
#: Tokens that no analysis should find.
ORDINARY = ("the", "house", "to", "hello", "is", "children", "money", "north", "red", "and")

_SUBJECTS = ("doctor", "farmer", "teacher", "army", "company", "singer", "dog", "engineer", "judge", "king")
_VERBS = ("found", "sold", "painted", "destroyed", "studied", "lost", "carried", "measured", "wanted", "saw")
_OBJECTS = ("bridge", "horse", "letter", "engine", "garden", "gold", "bread", "planet", "song", "weapon")
_PLACES = ("river", "hospital", "market", "desert", "school", "island", "kitchen", "church", "mine", "stage")
_FRAME = "the {} {} the {} near the {} ."


def sentences(which: int, count: int = 45) -> list[str]:
    """Return sentences of nine tokens; those of 0 and 1 are disjoint."""
    chosen = [
        _FRAME.format(_SUBJECTS[i], _VERBS[(i + 3 * k) % 10], _OBJECTS[(7 * i + k) % 10], _PLACES[k])
        for i in range(10)
        for k in range(10)
    ]
    # A step that shares no factor with 100 mixes subjects and places.
    mixed = [chosen[37 * n % 100] for n in range(100)]
    return mixed[which::2][:count]


def write_small_minilm(model: Path, folder: Path, others: int) -> Path:
    """Write the model with the words of the sentences, the tokens above and `others` evenly spaced ones.

    :param model: The folder of all-MiniLM-L6-v2.
    :param folder: Where to write.
    :param others: Further entries of the vocabulary, taken from id 1,000 on.
    """
    import numpy as np
    from safetensors.numpy import load_file, save_file

    shutil.copytree(
        model, folder, ignore=shutil.ignore_patterns("*.safetensors", "tokenizer.json", "vocab.txt")
    )
    tokenizer = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    whole: dict[str, int] = tokenizer["model"]["vocab"]
    words = {word for which in (0, 1) for text in sentences(which) for word in text.split()}
    special = [token["content"] for token in tokenizer["added_tokens"]]
    spaced = [int(i) for i in np.linspace(1000, len(whole) - 1, others)]
    kept = sorted({whole[piece] for piece in (*special, *words, *STICKY, *ORDINARY)} | set(spaced))
    piece_of = {i: piece for piece, i in whole.items()}
    vocabulary = {piece_of[i]: row for row, i in enumerate(kept)}
    tokenizer["model"]["vocab"] = vocabulary
    for token in tokenizer["added_tokens"]:
        token["id"] = vocabulary[token["content"]]
    for name, token in tokenizer["post_processor"]["special_tokens"].items():
        token["ids"] = [vocabulary[name]]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    tensors = load_file(model / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    tensors[name] = np.ascontiguousarray(tensors[name][kept])
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config |= {"vocab_size": len(kept), "pad_token_id": vocabulary["[PAD]"]}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def ids_of(folder: Path, pieces: Sequence[str]) -> list[int]:
    """Return the ids of pieces in a folder written here."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return [tokenizer["model"]["vocab"][piece] for piece in pieces]

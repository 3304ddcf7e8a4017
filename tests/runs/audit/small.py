"""Inputs of an audit that takes a second: a tokenizer of 600 pieces, three languages, a little text."""

from __future__ import annotations

import json
from pathlib import Path

from tests.audit.templates import CHATML
from tests.sources.written_tokenizers import byte_level_json

LANGUAGES = {
    "eng_Latn": [f"All people number {i} are free" for i in range(60)],
    "fra_Latn": [f"Tous les êtres humains numéro {i} sont libres" for i in range(60)],
    "zho_Hans": [f"人人生而自由{i}" for i in range(60)],
}


def write_tokenizer(folder: Path) -> Path:
    """Write a byte-level BPE with a chat template that is not its own."""
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_text(byte_level_json(), "utf-8")
    config = {"eos_token": "<|endoftext|>", "chat_template": CHATML}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return folder


def write_parallel(folder: Path, **changed: list[str]) -> Path:
    """Write one file per language."""
    folder.mkdir(parents=True)
    for language, lines in {**LANGUAGES, **changed}.items():
        (folder / f"{language}.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return folder


def write_corpora(folder: Path) -> Path:
    """Write text of two categories."""
    folder.mkdir(parents=True)
    for language in ("eng_Latn", "fra_Latn"):
        (folder / f"{language}.txt").write_text("\n".join(LANGUAGES[language] * 5), "utf-8")
    return folder


def write_words(folder: Path) -> dict[str, Path]:
    """Write the three files of words."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "morphology": "unhappy\tun happy\npeoples\tpeople s\n\nthe\tthe\n",
        "words": "people\nare\npeople\n",
        "wordlist": "people\nfree\nzebra\n",
    }
    files = {name: folder / f"{name}.txt" for name in texts}
    for name, text in texts.items():
        files[name].write_text(text, "utf-8")
    return files

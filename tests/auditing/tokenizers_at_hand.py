"""Small tokenizers of every kind, opened once, with their vocabularies."""

import functools
import tempfile
from pathlib import Path

from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from tests.sources.written_tokenizers import byte_level_json, minilm, sentencepiece_bytes, smollm2


@functools.cache
def _folder():
    return Path(tempfile.mkdtemp(prefix="audit-tests-"))


@functools.cache
def at_hand(name):
    """(source, vocabulary) of `byte_level`, `sentencepiece_bpe`, `unigram`, `bert` or `smollm2`."""
    path = _folder() / name
    if name == "byte_level":
        path = path.with_suffix(".json")
        path.write_text(byte_level_json(), encoding="utf-8")
    elif name == "sentencepiece_bpe":
        path = path.with_suffix(".model")
        path.write_bytes(sentencepiece_bytes("bpe", byte_fallback=True, vocab_size=800))
    elif name == "unigram":
        path = path.with_suffix(".model")
        path.write_bytes(sentencepiece_bytes("unigram"))
    else:
        path = {"bert": minilm, "smollm2": smollm2}[name]()
    source = open_tokenizer(path)
    return source, build_vocabulary(source)


def spelt(text):
    """A text in GPT-2's alphabet of bytes."""
    return "".join(CHARACTER_OF_BYTE[byte] for byte in text.encode())

"""Counts that are kept, and counts that were kept badly."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("joblib")

from forensics.runs.mixture.count_text import count_categories
from forensics.sources.texts.corpora import find_corpora

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "another kind of JSON": lambda data: zlib.compress(b"[]"),
    "other keys": lambda data: zlib.compress(b'{"name": "a"}'),
    "no counts": lambda data: zlib.compress(
        json.dumps({**json.loads(zlib.decompress(data)), "words": {"a": None}}).encode()
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_counts_are_counted_anew_and_kept_again(tmp_path: Path, damage: str) -> None:
    from tokenizers import pre_tokenizers

    from forensics.vocabulary.splitting import Splitter

    how = Splitter(None, pre_tokenizers.ByteLevel(add_prefix_space=False), True, True, "", "", True)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "en.txt").write_text("some text\nand some more\n")
    corpora, cache = find_corpora([tmp_path / "texts"]), tmp_path / "cache"
    first = count_categories(corpora, how, cache=cache)[0]
    file = next(cache.iterdir())
    whole = file.read_bytes()
    file.write_bytes(DAMAGES[damage](whole))
    again = count_categories(corpora, how, cache=cache)[0]
    assert (again.words, again.nbytes) == (first.words, first.nbytes)
    assert file.read_bytes() == whole

"""RWKV's vocabulary: a greedy match written out is the oracle."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.errors import BadInputError
from forensics.sources import open_tokenizer
from forensics.sources.interface import TokenizerModel
from forensics.vocabulary.build import build_vocabulary

WORDS = [b"the", b" the", b"cat", b" c", b"at", "é".encode(), "中文".encode(), b"\xe4\xb8", b"\n\n"]
TOKENS = [*(bytes([byte]) for byte in range(256)), *WORDS]


def write(folder: Path, tokens: list[bytes] = TOKENS) -> Path:
    """Write tokens as RWKV does: as strings where they are text, else as bytes."""
    lines = []
    for token_id, token in enumerate(tokens, start=1):
        try:
            literal = repr(token.decode())
        except UnicodeDecodeError:
            literal = repr(token)
        lines.append(f"{token_id} {literal} {len(token)}\n")
    path = folder / "rwkv_vocab_v20230424.txt"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def greedy(text: str) -> list[int]:
    data, ids = text.encode(), []
    while data:
        best = max((token for token in TOKENS if data.startswith(token)), key=len)
        ids.append(TOKENS.index(best) + 1)
        data = data[len(best) :]
    return ids


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("rwkv")
    write(folder)
    return open_tokenizer(folder)


def test_ids_start_at_one_and_zero_ends_a_text(source) -> None:
    assert source.model is TokenizerModel.LONGEST_MATCH
    assert source.pieces[0] == "<|endoftext|>"
    assert source.special_roles == {"eos": {"rwkv_vocab_v20230424.txt": 0}}
    vocabulary = build_vocabulary(source)
    assert list(vocabulary.bytes[1:]) == TOKENS
    assert vocabulary.counts()["unreachable"] == 0


@settings(max_examples=60, deadline=None)
@given(st.text("the cat\n'\"é中文x", max_size=40))
def test_the_longest_token_is_taken(source, text: str) -> None:
    assert source.encoder.encode(text, add_special_tokens=False).ids == greedy(text)


@pytest.mark.parametrize("line", ["1 'a' 2", "x 'a' 1", "1 __import__('os') 1", "2 'a' 1\n3 'a' 1"])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, [b"z"])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(BadInputError, match=r"line \d is not an id|stands for both"):
        open_tokenizer(path)

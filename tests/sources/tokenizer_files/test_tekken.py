"""`tekken.json`, against the reader of transformers."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from forensics.errors import BadInputError
from forensics.sources import open_tokenizer
from forensics.sources.tokenizer_files.byte_alphabet import bytes_of_piece
from tests.extras import skip_without
from tests.sources.written_tokenizers import byte_level_json

PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEXTS = ("the quick brown fox", "[INST] naïve\n\n  12 東京</s>", "<s>x", "")


def tekken(folder: Path, **changes: object) -> Path:
    """Write a small tekken.json; its ranks are those of a trained byte-level BPE."""
    vocab = json.loads(byte_level_json())["model"]["vocab"]
    tokens = [data for piece in sorted(vocab, key=vocab.get) if (data := bytes_of_piece(piece))]
    tokens = [token for token in tokens if token != b"<|endoftext|>"]
    singles = [bytes([byte]) for byte in range(256)]
    ordered = [*singles, *(token for token in tokens if len(token) > 1)]
    data = {
        "config": {
            "pattern": PATTERN,
            "default_vocab_size": len(ordered) + 20 - 5,
            "default_num_special_tokens": 20,
        },
        "vocab": [
            {"rank": rank, "token_bytes": base64.b64encode(token).decode()}
            for rank, token in enumerate(ordered)
        ],
        "special_tokens": [
            {"rank": rank, "token_str": text, "is_control": True}
            for rank, text in enumerate(("<unk>", "<s>", "</s>", "[INST]", "[/INST]"))
        ],
        **changes,
    }
    path = folder / "tekken.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_ids_and_encodings_are_those_of_transformers(tmp_path: Path) -> None:
    skip_without("transformers")
    mistral = pytest.importorskip("transformers.integrations.mistral.tokenizer")
    path = tekken(tmp_path)
    theirs = mistral.MistralConverter(str(path)).converted()
    for source in (open_tokenizer(path), open_tokenizer(tmp_path)):
        names = {token_id: text for text, token_id in theirs.get_vocab().items()}
        assert dict(enumerate(source.pieces)) == names
        assert source.pieces[18:20] == ("<SPECIAL_18>", "<SPECIAL_19>")
        for text in TEXTS:
            assert source.encoder.encode(text, add_special_tokens=False).ids == theirs.encode(text).ids
    assert source.special_roles["bos"] == {"tekken.json": 1}
    assert source.declared_unused[19] == "reserved"


def test_a_file_without_a_list_names_the_first_ten(tmp_path: Path) -> None:
    source = open_tokenizer(tekken(tmp_path, special_tokens=None))
    assert source.pieces[3] == "[INST]"
    assert source.pieces[10] == "<SPECIAL_10>"
    assert any("lists no special tokens" in note for note in source.notes)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"config": {}}, "pattern"),
        ({"vocab": "x"}, "no list"),
        ({"vocab": [{"rank": 0}]}, "no token_bytes"),
        ({"vocab": [{"token_bytes": "YQ=="}, {"token_bytes": "YQ=="}]}, "repeated"),
        ({"special_tokens": [{"rank": 4, "token_str": "a"}]}, "not 0, 1, 2"),
        ({"special_tokens": [3]}, "lacks"),
    ],
)
def test_what_is_broken_is_named(tmp_path: Path, changes: dict, found: str) -> None:
    with pytest.raises(BadInputError, match=found):
        open_tokenizer(tekken(tmp_path, **changes))

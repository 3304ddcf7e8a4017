"""tiktoken rank files: one `base64(token) rank` a line, a byte-level BPE without its merge list.

The merges are recovered from the ranks. How text is split before merging and which special tokens there
are is code elsewhere, so both are known only for files that the table below recognises by their content.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.files import read_bytes
from forensics.sources.interface import AddedToken, TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files import pretokenizers
from forensics.sources.tokenizer_files.byte_alphabet import piece_of_bytes
from forensics.sources.tokenizer_files.encoder import assemble
from forensics.sources.tokenizer_files.merge_recovery import merges_from_ranks
from forensics.sources.tokenizer_files.pieces import LARGEST_TOKEN_ID, pieces_by_id
from forensics.sources.tokenizer_files.pretokenizers import Pretokenizer
from forensics.sources.tokenizer_files.source import TokenizerParts, tokenizer_source
from forensics.sources.tokenizer_files.special_roles import Companions, merge_added_tokens, read_companions

__all__ = ["KNOWN_RANK_FILES", "RankFile", "read_tiktoken"]


@dataclass(frozen=True)
class RankFile:
    """A published rank file: how its encoding splits text, and its special tokens."""

    name: str
    pretokenizer: Pretokenizer
    special: Mapping[str, int] = field(default_factory=dict)


#: sha256 of the file -> what is known about it; hashes and tokens as in tiktoken's own
#: tiktoken_ext/openai_public.py.
KNOWN_RANK_FILES: dict[str, RankFile] = {
    "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930": RankFile(
        "r50k_base", pretokenizers.GPT2, {"<|endoftext|>": 50256}
    ),
    "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069": RankFile(
        "p50k_base", pretokenizers.GPT2, {"<|endoftext|>": 50256}
    ),
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7": RankFile(
        "cl100k_base",
        pretokenizers.CL100K,
        {
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d": RankFile(
        "o200k_base", pretokenizers.O200K, {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}
    ),
}

#: File name and number of ranks -> the same, for files whose hash is not published. Both must agree.
KNOWN_NAMES: dict[tuple[str, int], RankFile] = {
    ("qwen.tiktoken", 151643): RankFile("Qwen", pretokenizers.QWEN2_NFC),
    ("tokenizer.model", 128000): RankFile("Llama 3", pretokenizers.CL100K),
    ("cl100k_base.tiktoken", 100256): RankFile("cl100k_base", pretokenizers.CL100K),
    ("o200k_base.tiktoken", 199998): RankFile("o200k_base", pretokenizers.O200K),
    ("r50k_base.tiktoken", 50256): RankFile("r50k_base", pretokenizers.GPT2),
    ("gpt2.tiktoken", 50256): RankFile("GPT-2", pretokenizers.GPT2),
}


def read_tiktoken(path: Path, name: str, beside: bool) -> TokenizerSource:
    """Read a tiktoken rank file.

    :param path: The file.
    :param name: The short name to give the source.
    :param beside: Whether the JSON files of its folder are read too.
    :raises BadInputError: If a line is not a token and a rank, or a token or rank stands twice.
    """
    data = read_bytes(path)
    ranks = _parse(path, data)
    known = KNOWN_RANK_FILES.get(hashlib.sha256(data).hexdigest()) or KNOWN_NAMES.get((path.name, len(ranks)))
    merges_of_bytes, by_hand = merges_from_ranks(ranks)
    merges = tuple((piece_of_bytes(left), piece_of_bytes(right)) for left, right in merges_of_bytes)
    companions = read_companions(path.parent) if beside else Companions()
    added = merge_added_tokens(
        [
            AddedToken(token_id, text, True, f"tiktoken's {known.name}")
            for text, token_id in known.special.items()
        ]
        if known
        else [],
        list(companions.added_tokens()),
    )
    vocab = {piece_of_bytes(token): rank for token, rank in ranks.items()}
    vocab |= {token.content: token.token_id for token in added if token.content not in vocab}
    pieces = pieces_by_id(path, vocab)
    rule = known.pretokenizer if known else pretokenizers.byte_level_only()

    def model() -> Any:
        from tokenizers import models

        # tiktoken takes a pre-token that is in the vocabulary whole, before any merge.
        return models.BPE(vocab, list(merges), ignore_merges=True)

    encoder = assemble(
        path, model, normalizer=rule.make_normalizer, pre_tokenizer=rule.make, added_tokens=added
    )
    notes = ["the merges are recovered from the ranks"]
    if by_hand:
        notes.append(f"{len(by_hand):,} tokens cannot be made by the merges before them (put in by hand)")
    if known is None:
        notes.append(
            "a rank file does not say how text is split and this one is not known: the encoder here does not "
            "split, so tokens may look reachable that are not"
        )
    if not added:
        notes.append("a rank file does not hold the special tokens; none are known for this one")
    parts = TokenizerParts(
        format="tiktoken",
        model=TokenizerModel.BPE,
        pieces=pieces,
        encoder=encoder,
        added_tokens=added,
        pretokenizer_origin=f"known rank file: {known.name}" if known else None,
        merges=merges,
        byte_level=True,
        notes=tuple(notes),
    )
    return tokenizer_source(path, name, (path,), parts, companions)


def _parse(path: Path, data: bytes) -> dict[bytes, int]:
    """Return token -> rank."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            encoded, written = line.split()
            token, rank = base64.b64decode(encoded, validate=True), int(written)
        except (ValueError, binascii.Error) as error:
            found = f"line {number:,} is not a base64 token and a rank: {line[:60]!r}"
            raise BadInputError(path, found, "the file is damaged or no tiktoken rank file") from error
        if not token or token in ranks or not 0 <= rank <= LARGEST_TOKEN_ID:
            found = f"line {number:,} holds {line[:60]!r}, an empty or repeated token or an impossible rank"
            raise BadInputError(path, found, "the file is damaged")
        ranks[token] = rank
    return ranks

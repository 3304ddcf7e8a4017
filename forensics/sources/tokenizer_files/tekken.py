"""`tekken.json`, Mistral's own file: a byte-level BPE by ranks, with its pattern and its special tokens.

Special tokens have the first ids, whether named or not; the ranks of the vocabulary follow them. Of a
vocabulary longer than the size stated in `config` the rest is not used. Files from before there was a list of
special tokens leave their names to the code of mistral-common; only the first ten are named here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.sources.interface import AddedToken, TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files.byte_alphabet import piece_of_bytes
from forensics.sources.tokenizer_files.encoder import assemble
from forensics.sources.tokenizer_files.merge_recovery import merges_from_ranks
from forensics.sources.tokenizer_files.pieces import LARGEST_TOKEN_ID, pieces_by_id
from forensics.sources.tokenizer_files.pretokenizers import Pretokenizer
from forensics.sources.tokenizer_files.source import TokenizerParts, tokenizer_source
from forensics.sources.tokenizer_files.special_roles import Companions, read_companions

__all__ = ["is_tekken", "read_tekken"]

_DAMAGED = "the file is damaged or no tekken.json"
#: Ids 0 to 9 where the file lists no special tokens.
_UNLISTED = (
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
)
#: Number of special tokens where neither a list nor `config` says.
_UNLISTED_COUNT = 1000
_ROLES = {"unk": "<unk>", "bos": "<s>", "eos": "</s>", "pad": "<pad>"}


def is_tekken(path: Path) -> bool:
    """Return whether mistral-common would take the file for its own, by its name."""
    return "tekken" in path.name and path.suffix == ".json"


def read_tekken(path: Path, name: str, beside: bool) -> TokenizerSource:
    """Read a `tekken.json`.

    :param path: The file.
    :param name: The short name to give the source.
    :param beside: Whether the JSON files of its folder are read too.
    :raises BadInputError: If parts of it are missing or of another kind.
    """
    data = read_json(path)
    config = data.get("config")
    if not isinstance(config, Mapping) or not isinstance(config.get("pattern"), str):
        raise BadInputError(path, "no `config` with a `pattern`", _DAMAGED)
    special, notes = _special(path, data.get("special_tokens"), config)
    ranks = _ranks(path, data.get("vocab"), config.get("default_vocab_size"), len(special))
    merges_of_bytes, by_hand = merges_from_ranks(ranks)
    merges = tuple((piece_of_bytes(left), piece_of_bytes(right)) for left, right in merges_of_bytes)
    vocab = {text: token_id for token_id, text in enumerate(special)}
    vocab |= {piece_of_bytes(token): rank + len(special) for token, rank in ranks.items()}
    added = tuple(AddedToken(token_id, text, True, path.name) for token_id, text in enumerate(special))
    rule = Pretokenizer((("split", config["pattern"]), ("bytes", "")))

    def model() -> Any:
        from tokenizers import models

        return models.BPE(vocab, list(merges), ignore_merges=True)

    encoder = assemble(path, model, pre_tokenizer=rule.make, added_tokens=added)
    if by_hand:
        notes.append(f"{len(by_hand):,} tokens cannot be made by the merges before them (put in by hand)")
    parts = TokenizerParts(
        format="tekken",
        model=TokenizerModel.BPE,
        pieces=pieces_by_id(path, vocab),
        encoder=encoder,
        added_tokens=added,
        pretokenizer_origin=path.name,
        merges=merges,
        byte_level=True,
        roles={role: {path.name: vocab[text]} for role, text in _ROLES.items() if text in vocab},
        # mistral-common begins every text with <s>.
        adds_bos=True,
        notes=("the merges are recovered from the ranks", *notes),
    )
    companions = read_companions(path.parent) if beside else Companions()
    return tokenizer_source(path.parent if beside else path, name, (path,), parts, companions)


def _special(path: Path, listed: Any, config: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the special tokens by id, and remarks."""
    stated = config.get("default_num_special_tokens")
    notes = []
    if listed is None:
        names = list(_UNLISTED)
        count = stated if _is_count(stated) else _UNLISTED_COUNT
        notes.append(f"the file lists no special tokens; of {count:,} the first {len(names)} are named here")
    else:
        names = _names(path, listed)
        count = stated if _is_count(stated) else len(names)
    return [*names, *(f"<SPECIAL_{number}>" for number in range(len(names), count))][: max(count, 0)], notes


def _names(path: Path, listed: Any) -> list[str]:
    """Return the listed names by rank."""
    try:
        names = [text for _, text in sorted((entry["rank"], entry["token_str"]) for entry in listed)]
        ranks = sorted(entry["rank"] for entry in listed)
    except (TypeError, KeyError) as error:
        raise BadInputError(path, f"a special token lacks {error}", _DAMAGED) from error
    if ranks != list(range(len(ranks))) or not all(isinstance(text, str) for text in names):
        raise BadInputError(path, "the ranks of the special tokens are not 0, 1, 2, ...", _DAMAGED)
    return names


def _ranks(path: Path, entries: Any, vocab_size: Any, special: int) -> dict[bytes, int]:
    """Return token -> rank of the entries that are in use."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise BadInputError(path, "no list `vocab`", _DAMAGED)
    if _is_count(vocab_size):
        entries = entries[: max(0, vocab_size - special)]
    ranks: dict[bytes, int] = {}
    for rank, entry in enumerate(entries):
        try:
            token = base64.b64decode(entry["token_bytes"], validate=True)
        except (TypeError, KeyError, ValueError, binascii.Error) as error:
            raise BadInputError(path, f"entry {rank:,} of `vocab` has no token_bytes", _DAMAGED) from error
        if not token or token in ranks:
            raise BadInputError(path, f"entry {rank:,} of `vocab` is empty or repeated", _DAMAGED)
        ranks[token] = rank
    return ranks


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_TOKEN_ID

"""`vocab.json` with `merges.txt` and `vocab.txt` of a class that nothing names or that is not known here.

These files hold the vocabulary and nothing about how text is cut or normalised; that is in the code of the
tokenizer class. Folders of known classes are read by `class_folder`; here `pretokenizer_origin` is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forensics.errors import BadInputError
from forensics.files import read_json
from forensics.sources.interface import AddedToken, TokenizerModel, TokenizerSource
from forensics.sources.tokenizer_files.byte_alphabet import BYTE_OF_CHARACTER
from forensics.sources.tokenizer_files.encoder import assemble
from forensics.sources.tokenizer_files.pieces import ids_of_pieces, pieces_by_id
from forensics.sources.tokenizer_files.pretokenizers import byte_level_only
from forensics.sources.tokenizer_files.source import TokenizerParts, tokenizer_source
from forensics.sources.tokenizer_files.special_roles import Companions, merge_added_tokens, read_companions
from forensics.sources.tokenizer_files.vocab_lines import read_merges, read_vocab_lines

__all__ = ["read_vocab_and_merges", "read_vocab_txt"]


def read_vocab_and_merges(vocab_path: Path, merges_path: Path, name: str) -> TokenizerSource:
    """Read `vocab.json` and `merges.txt`, byte-level BPE of no known class.

    :param vocab_path: The vocabulary.
    :param merges_path: The merges.
    :param name: The short name to give the source.
    :raises BadInputError: If a file is damaged or the vocabulary does not hold the 256 byte characters.
    """
    folder = vocab_path.parent
    vocab = read_json(vocab_path)
    pieces_by_id(vocab_path, vocab)
    if not BYTE_OF_CHARACTER.keys() <= vocab.keys():
        raise BadInputError(
            vocab_path,
            "the vocabulary lacks some of the 256 byte characters of byte-level BPE",
            "other kinds of vocab.json cannot be read without their tokenizer.json; give that",
        )
    merges = read_merges(merges_path)
    companions = read_companions(folder)
    added, vocab = _added(vocab, companions)
    pieces = pieces_by_id(vocab_path, vocab)

    def model() -> Any:
        from tokenizers import models

        return models.BPE(vocab, list(merges))

    encoder = assemble(folder, model, pre_tokenizer=byte_level_only().make, added_tokens=added)
    parts = TokenizerParts(
        format="vocab+merges",
        model=TokenizerModel.BPE,
        pieces=pieces,
        encoder=encoder,
        added_tokens=added,
        pretokenizer_origin=None,
        merges=merges,
        byte_level=True,
        notes=(_unknown_class(companions),),
    )
    return tokenizer_source(folder, name, (vocab_path, merges_path), parts, companions)


def read_vocab_txt(path: Path, name: str) -> TokenizerSource:
    """Read BERT's `vocab.txt`: one WordPiece entry a line, its id the line's number.

    :param path: The file.
    :param name: The short name to give the source.
    :raises BadInputError: If the file is damaged or names no unknown token.
    """
    folder = path.parent
    entries = read_vocab_lines(path)
    companions = read_companions(folder)
    added, vocab = _added(ids_of_pieces(entries), companions)
    pieces: tuple[str | None, ...] = (*entries, *pieces_by_id(path, vocab)[len(entries) :])
    unk = next((text for _, role, text in companions.role_texts() if role == "unk"), "[UNK]")
    if unk not in vocab:
        raise BadInputError(path, f"no entry {unk!r}, which WordPiece needs", "this is not BERT's vocab.txt")
    config = companions.tokenizer_config
    lowercase, origin, notes = _lowercase(companions, entries)

    def model() -> Any:
        from tokenizers import models

        return models.WordPiece(vocab, unk_token=unk, max_input_chars_per_word=100)

    def normalizer() -> Any:
        from tokenizers import normalizers

        return normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=config.get("tokenize_chinese_chars") is not False,
            strip_accents=value if isinstance(value := config.get("strip_accents"), bool) else None,
            lowercase=lowercase,
        )

    def pre_tokenizer() -> Any:
        from tokenizers import pre_tokenizers

        return pre_tokenizers.BertPreTokenizer()

    encoder = assemble(path, model, normalizer=normalizer, pre_tokenizer=pre_tokenizer, added_tokens=added)
    parts = TokenizerParts(
        format="vocab.txt",
        model=TokenizerModel.WORDPIECE,
        pieces=pieces,
        encoder=encoder,
        added_tokens=added,
        pretokenizer_origin=origin,
        roles={"unk": {path.name: vocab[unk]}},
        notes=tuple(notes),
    )
    return tokenizer_source(folder, name, (path,), parts, companions)


def _added(vocab: Mapping[str, int], companions: Companions) -> tuple[tuple[AddedToken, ...], dict[str, int]]:
    """Return the added tokens that the other files declare, and the vocabulary with them in it."""
    declared = list(companions.added_tokens())
    ids = {**{token.content: token.token_id for token in declared}, **vocab}
    named = [
        AddedToken(ids[text], text, True, file) for file, _, text in companions.role_texts() if text in ids
    ]
    return merge_added_tokens(declared, named), ids


def _unknown_class(companions: Companions) -> str:
    """Return the remark on a folder whose class is not known here."""
    named = companions.tokenizer_config.get("tokenizer_class")
    found = f"the class {named!r}, whose splitting is not known" if named else "no tokenizer class"
    return (
        f"tokenizer_config.json names {found}: the encoder here does not split text before merging, so "
        "tokens may look reachable that are not"
    )


def _lowercase(companions: Companions, entries: Sequence[str]) -> tuple[bool, str | None, list[str]]:
    """Return whether text is lowercased, the file that says so, and a remark where none does."""
    stated = companions.tokenizer_config.get("do_lower_case")
    if isinstance(stated, bool):
        return stated, "tokenizer_config.json, BERT's splitting", []
    cased = any(piece != piece.lower() for piece in entries if not piece.startswith(("[", "<")))
    note = (
        "no file says whether text is lowercased; it is taken to be "
        f"{'kept, as some' if cased else 'lowercased, as no'} entries hold capital letters"
    )
    return not cased, None, [note]

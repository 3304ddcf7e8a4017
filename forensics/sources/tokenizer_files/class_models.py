"""The vocabulary files of a class as the `model` part of a `tokenizer.json`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import numpy as np

from forensics.errors import BadInputError
from forensics.files import read_bytes, read_json
from forensics.sources.interface import AddedToken, Matching, TokenizerModel
from forensics.sources.tokenizer_files.class_parts import Options
from forensics.sources.tokenizer_files.class_recipes import JSON_BPE, MARIAN, SPM, SPM_AND_VOCAB, TXT, Recipe
from forensics.sources.tokenizer_files.merge_recovery import merges_by_id, merges_from_scores
from forensics.sources.tokenizer_files.pieces import pieces_by_id
from forensics.sources.tokenizer_files.sentencepiece_proto import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    SentencePieceModel,
    parse_model,
)
from forensics.sources.tokenizer_files.vocab_lines import read_merges, read_vocab_lines

__all__ = ["FORMATS", "MODEL_READERS", "ClassModel"]

#: Score of an entry that the class adds.
ADDED_SCORE = 0.0
#: Kind of a SentencePiece model -> the algorithm; single characters are the shortest kind of Unigram.
_KINDS: Mapping[str, TokenizerModel] = {
    "unigram": TokenizerModel.UNIGRAM,
    "bpe": TokenizerModel.BPE,
    "char": TokenizerModel.UNIGRAM,
}


@dataclass(frozen=True)
class ClassModel:
    """The `model` of a tokenizer.json, with what else the vocabulary file says."""

    settings: Mapping[str, object]
    vocab: Mapping[str, int]
    merges: tuple[tuple[str, str], ...] = ()
    scores: tuple[float, ...] | None = None
    charsmap: bytes = b""
    remove_extra_whitespaces: bool = True
    dummy_prefix: bool = True
    #: Tokens that a SentencePiece model marks as control or user-defined.
    marked: tuple[AddedToken, ...] = ()
    #: Pieces that are special though no text gives them, and pieces out of use.
    control: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    #: The pieces as the file lists them, where that says more than `vocab`.
    listed: tuple[str | None, ...] = ()


def _sentencepiece(
    recipe: Recipe, files: Sequence[Path], texts: Mapping[str, str], options: Options
) -> ClassModel:
    path = files[0]
    file = parse_model(path, read_bytes(path))
    entries = _entries(recipe, file, texts, options)
    if (recipe.model or _kind(path, file)) is TokenizerModel.BPE:
        return _bpe_of_model(recipe, file, entries, texts)
    control = {file.pieces[at] for at in file.of_type(CONTROL, UNKNOWN, UNUSED)} if recipe.native else set()
    return _unigram(recipe, file, entries, texts, control - set(texts.values()))


def _kind(path: Path, file: SentencePieceModel) -> TokenizerModel:
    """Return the algorithm of a SentencePiece model.

    :raises BadInputError: If it is none that is read here.
    """
    if file.kind in _KINDS and not file.whitespace_as_suffix:
        return _KINDS[file.kind]
    found = f"a SentencePiece model of kind {file.kind!r}"
    found += " with spaces as suffix" if file.whitespace_as_suffix else ""
    raise BadInputError(path, found, "only BPE, Unigram and characters with leading U+2581 are supported")


def _unigram(
    recipe: Recipe,
    file: SentencePieceModel,
    entries: Sequence[tuple[str, float]],
    texts: Mapping[str, str],
    hidden: Collection[str] = (),
) -> ClassModel:
    """Return a Unigram model over `entries`.

    :param hidden: Entries that no text gives.
    """
    vocab = {text: token_id for token_id, (text, _) in enumerate(entries)}
    unk_id = recipe.unk_id
    if unk_id is None:
        unk_id = vocab.get(texts.get("unk", ""), max(0, file.roles["unk"]))
    settings: dict[str, object] = {
        "type": "Unigram",
        "unk_id": min(unk_id, len(entries) - 1),
        # No text holds a space any more when the model sees it: such an entry is never met.
        "vocab": [[f" {text}" if text in hidden else text, score] for text, score in entries],
        "byte_fallback": recipe.byte_fallback or (recipe.native and bool(file.of_type(BYTE))),
    }
    return ClassModel(
        settings,
        vocab,
        scores=tuple(score for _, score in entries),
        listed=tuple(text for text, _ in entries),
        **_of_file(recipe, file),
    )


def _bpe_of_model(
    recipe: Recipe,
    file: SentencePieceModel,
    entries: Sequence[tuple[str, float]],
    texts: Mapping[str, str],
) -> ClassModel:
    """Return a BPE model over `entries`, its merges recovered."""
    vocab = {text: token_id for token_id, (text, _) in enumerate(entries)}
    if recipe.native:
        scores = np.array(file.scores, dtype=np.float32)
        merges = merges_from_scores(file.pieces, scores, file.of_type(NORMAL, USER_DEFINED))
        merges = [pair for pair in merges if {*pair, "".join(pair)} <= vocab.keys()]
        settings = _bpe(recipe, vocab, merges, texts)
        settings |= {"unk_token": texts.get("unk"), "fuse_unk": True}
        settings["byte_fallback"] = bool(file.of_type(BYTE))
    else:
        merges = merges_by_id({text: at for at, text in enumerate(dict.fromkeys(file.pieces))})
        settings = _bpe(recipe, vocab, merges, texts)
    return ClassModel(
        settings,
        vocab,
        merges=tuple(merges),
        scores=tuple(score for _, score in entries),
        **_of_file(recipe, file),
    )


class _OfFile(TypedDict):
    charsmap: bytes
    marked: tuple[AddedToken, ...]
    control: tuple[str, ...]
    unused: tuple[str, ...]
    remove_extra_whitespaces: bool
    dummy_prefix: bool


def _of_file(recipe: Recipe, file: SentencePieceModel) -> _OfFile:
    """Return what a SentencePiece model says beside its pieces."""
    # SentencePiece itself never finds a control piece in a text.
    matched = (USER_DEFINED,) if recipe.native else (CONTROL, USER_DEFINED)
    marked = tuple(
        AddedToken(-1, file.pieces[at], file.types[at] == CONTROL, "SentencePiece model", Matching())
        for at in file.of_type(*matched)
    )
    return {
        "charsmap": file.charsmap,
        "marked": marked,
        "control": tuple(file.pieces[at] for at in file.of_type(CONTROL, UNKNOWN)),
        "unused": tuple(file.pieces[at] for at in file.of_type(UNUSED)),
        "remove_extra_whitespaces": file.remove_extra_whitespaces,
        "dummy_prefix": file.dummy_prefix,
    }


def _with_table(
    recipe: Recipe, files: Sequence[Path], texts: Mapping[str, str], options: Options
) -> ClassModel:
    """Read a SentencePiece model whose pieces have the ids of `vocab.json`; several models share it."""
    table = read_json(files[0])
    pieces = pieces_by_id(files[0], table)
    models = [parse_model(path, read_bytes(path)) for path in files[1:]]
    scores: dict[str, float] = {}
    for model in reversed(models):
        at = model.of_type(NORMAL, USER_DEFINED, BYTE)
        scores |= {model.pieces[token_id]: model.scores[token_id] for token_id in at}
    base = [text if text is not None else f"<no piece {at}>" for at, text in enumerate(pieces)]
    entries = [(text, scores.get(text, ADDED_SCORE)) for text in base]
    entries += [(text, ADDED_SCORE) for text in recipe.last if text not in table]
    first = models[0]
    if _kind(files[1], first) is TokenizerModel.BPE:
        made = _bpe_of_model(recipe, first, entries, texts)
    else:
        named = {*texts.values(), *recipe.last}
        hidden = {text for text, _ in entries if text not in scores and text not in named}
        made = _unigram(recipe, first, entries, texts, hidden)
    listed = (*pieces, *(text for text in recipe.last if text not in table))
    return replace(made, listed=listed)


def _entries(
    recipe: Recipe, file: SentencePieceModel, texts: Mapping[str, str], options: Options
) -> list[tuple[str, float]]:
    """Return the vocabulary that the class makes of a SentencePiece model, with scores."""
    own = list(zip(file.pieces, file.scores, strict=True))[recipe.skip :]
    first = [_text(entry, texts) for entry in recipe.first]
    if recipe.without_repeats:
        own = [(piece, score) for piece, score in own if piece not in first]
    count = options.number("extra_ids", recipe.extra_ids) if recipe.extra_ids else 0
    last = [_text(entry, texts) for entry in recipe.last]
    last += [f"<extra_id_{number}>" for number in reversed(range(count))]
    return [
        *((text, ADDED_SCORE) for text in first),
        *own,
        *((text, ADDED_SCORE) for text in last),
    ]


def _text(entry: str, texts: Mapping[str, str]) -> str:
    """Return an entry of a recipe with `{role}` filled in."""
    if not (entry.startswith("{") and entry.endswith("}")):
        return entry
    return texts.get(entry[1:-1], entry)


def _bpe(
    recipe: Recipe, vocab: Mapping[str, int], merges: Sequence[tuple[str, str]], texts: Mapping[str, str]
) -> dict[str, object]:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": texts.get("unk") if recipe.has_unk else None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": recipe.end_of_word or None,
        "fuse_unk": recipe.fuse_unk,
        "byte_fallback": recipe.byte_fallback,
        "ignore_merges": False,
        "vocab": vocab,
        "merges": [list(pair) for pair in merges],
    }


def _vocab_and_merges(
    recipe: Recipe, files: Sequence[Path], texts: Mapping[str, str], options: Options
) -> ClassModel:
    vocab = read_json(files[0])
    pieces_by_id(files[0], vocab)
    merges = read_merges(files[1])
    return ClassModel(_bpe(recipe, vocab, merges, texts), vocab, merges=merges)


def _vocab_txt(
    recipe: Recipe, files: Sequence[Path], texts: Mapping[str, str], options: Options
) -> ClassModel:
    path = files[0]
    entries = read_vocab_lines(path)
    vocab = {entry: token_id for token_id, entry in enumerate(entries)}
    unk = texts.get("unk", "[UNK]")
    if unk not in vocab:
        raise BadInputError(path, f"no entry {unk!r}, which WordPiece needs", "this is not BERT's vocab.txt")
    settings: dict[str, object] = {
        "type": "WordPiece",
        "unk_token": unk,
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": vocab,
    }
    return ClassModel(settings, vocab, listed=tuple(entries))


_Reader = Callable[[Recipe, Sequence[Path], Mapping[str, str], Options], ClassModel]
#: Files of a recipe -> what reads them, and the name of the format.
MODEL_READERS: Mapping[tuple[str, ...], _Reader] = {
    SPM: _sentencepiece,
    JSON_BPE: _vocab_and_merges,
    TXT: _vocab_txt,
    SPM_AND_VOCAB: _with_table,
    MARIAN: _with_table,
}
FORMATS: Mapping[tuple[str, ...], str] = {
    SPM: "sentencepiece",
    JSON_BPE: "vocab+merges",
    TXT: "vocab.txt",
    SPM_AND_VOCAB: "sentencepiece",
    MARIAN: "sentencepiece",
}

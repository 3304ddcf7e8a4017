"""The vocabulary files of a class as the `model` part of a `tokenizer.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import BadInputError
from forensics.files import read_bytes, read_json
from forensics.sources.interface import AddedToken, Matching, TokenizerModel
from forensics.sources.tokenizer_files.class_parts import Options
from forensics.sources.tokenizer_files.class_recipes import JSON_BPE, SPM, TXT, Recipe
from forensics.sources.tokenizer_files.merge_recovery import merges_by_id
from forensics.sources.tokenizer_files.pieces import pieces_by_id
from forensics.sources.tokenizer_files.sentencepiece_proto import (
    CONTROL,
    UNUSED,
    USER_DEFINED,
    SentencePieceModel,
    parse_model,
)
from forensics.sources.tokenizer_files.vocab_lines import read_merges, read_vocab_lines

__all__ = ["FORMATS", "MODEL_READERS", "ClassModel"]

#: Score of an entry that the class adds.
ADDED_SCORE = 0.0


@dataclass(frozen=True)
class ClassModel:
    """The `model` of a tokenizer.json, with what else the vocabulary file says."""

    settings: Mapping[str, object]
    vocab: Mapping[str, int]
    merges: tuple[tuple[str, str], ...] = ()
    scores: tuple[float, ...] | None = None
    charsmap: bytes = b""
    #: Tokens that a SentencePiece model marks as control or user-defined.
    marked: tuple[AddedToken, ...] = ()
    unused: tuple[str, ...] = ()
    #: The pieces as the file lists them, where that says more than `vocab`.
    listed: tuple[str, ...] = ()


def _sentencepiece(
    recipe: Recipe, files: Sequence[Path], texts: Mapping[str, str], options: Options
) -> ClassModel:
    path = files[0]
    file = parse_model(path, read_bytes(path))
    entries = _entries(recipe, file, texts, options)
    marked = tuple(
        AddedToken(-1, file.pieces[at], file.types[at] == CONTROL, path.name, Matching())
        for at in file.of_type(CONTROL, USER_DEFINED)
    )
    unused = tuple(file.pieces[at] for at in file.of_type(UNUSED))
    kind = recipe.model or TokenizerModel(file.kind)
    if kind is TokenizerModel.UNIGRAM:
        vocab = {text: token_id for token_id, (text, _) in enumerate(entries)}
        unk_id = recipe.unk_id
        if unk_id is None:
            unk_id = vocab.get(texts.get("unk", ""), max(0, file.roles["unk"]))
        settings: dict[str, object] = {
            "type": "Unigram",
            "unk_id": min(unk_id, len(entries) - 1),
            "vocab": [[text, score] for text, score in entries],
            "byte_fallback": recipe.byte_fallback,
        }
        scores = tuple(score for _, score in entries)
        listed = tuple(text for text, _ in entries)
        return ClassModel(
            settings,
            vocab,
            scores=scores,
            listed=listed,
            charsmap=file.charsmap,
            marked=marked,
            unused=unused,
        )
    vocab = {text: token_id for token_id, (text, _) in enumerate(entries)}
    merges = tuple(merges_by_id({text: at for at, text in enumerate(dict.fromkeys(file.pieces))}))
    return ClassModel(
        _bpe(recipe, vocab, merges, texts),
        vocab,
        merges=merges,
        scores=tuple(score for _, score in entries),
        charsmap=file.charsmap,
        marked=marked,
        unused=unused,
    )


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
}
FORMATS: Mapping[tuple[str, ...], str] = {
    SPM: "sentencepiece",
    JSON_BPE: "vocab+merges",
    TXT: "vocab.txt",
}

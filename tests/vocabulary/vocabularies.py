"""Sources whose vocabularies are written out by hand."""

import json

import tokenizers
from tokenizers import AddedToken, models, normalizers, pre_tokenizers

from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer

BYTES = {character: byte for byte, character in CHARACTER_OF_BYTE.items()}


def saved(folder, encoder, **files):
    """The source of `encoder`, saved in `folder` with JSON files beside it."""
    (folder / "tokenizer.json").write_text(encoder.to_str(), encoding="utf-8")
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return open_tokenizer(folder)


def byte_level_bpe(folder, merges, extra=(), pre_tokenizer=None, normalizer=None, added=(), **files):
    """A byte-level BPE: the 256 bytes, what `merges` make, and `extra` pieces that nothing makes."""
    vocab = dict(BYTES)
    for piece in [left + right for left, right in merges] + list(extra):
        vocab.setdefault(piece, len(vocab))
    encoder = tokenizers.Tokenizer(models.BPE(vocab, merges))
    encoder.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False)
    if normalizer:
        encoder.normalizer = normalizer
    encoder.add_special_tokens([AddedToken(text, special=True) for text in added])
    return saved(folder, encoder, **files)


def llama_kind(folder, pieces, merges):
    """A SentencePiece-like BPE with byte fallback and a space in front of every text."""
    names = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256)), *pieces]
    vocab = {piece: i for i, piece in enumerate(names)}
    encoder = tokenizers.Tokenizer(
        models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    encoder.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    encoder.add_special_tokens(["<unk>", "<s>"])
    return saved(folder, encoder)


def wordpiece(folder, pieces, lowercase=True):
    names = ["[UNK]", *pieces]
    encoder = tokenizers.Tokenizer(
        models.WordPiece({piece: i for i, piece in enumerate(names)}, unk_token="[UNK]")
    )
    encoder.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    encoder.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return saved(folder, encoder)


def unigram(folder, pieces):
    """A Unigram as T5 has it: words split at spaces, each with a space in front, spaces around dropped."""
    entries = [("<unk>", 0.0), *pieces]
    encoder = tokenizers.Tokenizer(models.Unigram(entries, 0, False))
    encoder.normalizer = normalizers.Strip()
    encoder.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    return saved(folder, encoder)

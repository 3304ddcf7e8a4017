"""Whether decoding what a text encodes to gives the text again.

The tokenizer's own decoder is used where its files have one. GGUF, SentencePiece and tiktoken files say how
text is spelt and the library is given no decoder for them; there the bytes of the tokens are joined, less
the space that the tokenizer itself put in front.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forensics.sources.interface import TokenizerModel, TokenizerSource
from forensics.vocabulary.components import without_automatic_prefix
from forensics.vocabulary.spelling import continues_word
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["RoundTrip", "decoder_of", "round_trip"]

Decoder = Callable[[Sequence[Sequence[int]]], list[str]]


@dataclass(frozen=True)
class RoundTrip:
    """How many of some texts come back."""

    #: Texts tried.
    texts: int
    #: Texts that come back character by character.
    exact: int
    #: Texts that come back once both are in Unicode's form NFC and spaces around them are dropped.
    nearly: int


def decoder_of(source: TokenizerSource, vocabulary: Vocabulary) -> Decoder:
    """Return the function from sequences of ids to texts, special tokens kept.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    """
    encoder = source.encoder
    if encoder.decoder is not None:
        return lambda sequences: encoder.decode_batch(
            [list(ids) for ids in sequences], skip_special_tokens=False
        )
    if source.model is TokenizerModel.WORDPIECE:
        inside = continues_word(source)
        spelt = [
            (b"" if inside(piece or "") else b" ") + (data or b"")
            for piece, data in zip(vocabulary.pieces, vocabulary.bytes, strict=True)
        ]
        prefix = True
    else:
        spelt = [data or b"" for data in vocabulary.bytes]
        prefix = without_automatic_prefix(encoder) is not encoder

    def decode(sequences: Sequence[Sequence[int]]) -> list[str]:
        texts = (
            b"".join(spelt[token_id] for token_id in ids).decode("utf-8", "replace") for ids in sequences
        )
        return [text.removeprefix(" ") if prefix else text for text in texts]

    return decode


def round_trip(texts: Sequence[str], decoded: Sequence[str]) -> RoundTrip:
    r"""Return how many of `texts` equal what was decoded.

    >>> round_trip(["a b", "e\u0301"], ["a b", "\u00e9"])
    RoundTrip(texts=2, exact=1, nearly=2)
    """
    exact = sum(text == again for text, again in zip(texts, decoded, strict=True))
    nearly = sum(_plain(text) == _plain(again) for text, again in zip(texts, decoded, strict=True))
    return RoundTrip(len(texts), exact, nearly)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip(" ")

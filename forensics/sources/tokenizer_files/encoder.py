"""Building `tokenizers.Tokenizer` objects, with the Rust library's failures as `BadInputError`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from forensics.errors import BadInputError
from forensics.sources.interface import AddedToken, Matching
from forensics.sources.tokenizer_files.library_panics import panics_refused, panics_unheard, refusal

if TYPE_CHECKING:
    import tokenizers

__all__ = ["PROBE", "assemble", "build", "register_added_tokens"]

T = TypeVar("T")

#: Encoded once after building: some damage (a garbled character map) shows only then.
PROBE = "The 7 cats, \u00e9\u4e2d\n"


def build(where: Path, make: Callable[[], T]) -> T:
    """Return `make()`.

    :param where: The file whose content `make` uses.
    :raises BadInputError: If the tokenizers library refuses the content.
    """
    try:
        with panics_refused(where), panics_unheard():
            return make()
    except BadInputError:
        raise
    except Exception as error:  # the library raises plain Exception for whatever it finds wrong
        raise refusal(where, error) from error


def assemble(
    where: Path,
    model: Callable[[], tokenizers.models.Model],
    *,
    normalizer: Callable[[], tokenizers.normalizers.Normalizer | None] = lambda: None,
    pre_tokenizer: Callable[[], tokenizers.pre_tokenizers.PreTokenizer | None] = lambda: None,
    added_tokens: Iterable[AddedToken] = (),
    match_normalized: bool = False,
) -> tokenizers.Tokenizer:
    """Return a tokenizer of these parts, tried out on one line of text.

    :param where: The file they come from.
    :param model: Makes the model.
    :param normalizer: Makes the normalizer, or returns None.
    :param pre_tokenizer: Makes the pre-tokenizer, or returns None.
    :param added_tokens: Tokens to be matched before the model runs. Put their pieces into the model's
        vocabulary too: the library then uses the ids given there and makes up none.
    :param match_normalized: Look for added tokens in the normalized text, except those that the
        normalizer itself would change.
    :raises BadInputError: If the library refuses a part.
    """
    import tokenizers

    def make() -> tokenizers.Tokenizer:
        encoder = tokenizers.Tokenizer(model())
        made_normalizer, made_pre_tokenizer = normalizer(), pre_tokenizer()
        if made_normalizer is not None:
            encoder.normalizer = made_normalizer
        if made_pre_tokenizer is not None:
            encoder.pre_tokenizer = made_pre_tokenizer
        register_added_tokens(encoder, added_tokens, match_normalized)
        encoder.encode(PROBE, add_special_tokens=False)
        return encoder

    return build(where, make)


def register_added_tokens(
    encoder: tokenizers.Tokenizer, added_tokens: Iterable[AddedToken], match_normalized: bool = False
) -> None:
    """Have `encoder` match `added_tokens` before its model runs.

    :param encoder: The tokenizer, which is altered.
    :param added_tokens: The tokens.
    :param match_normalized: Look for them in the normalized text and not in the text as it is written.
    """
    import tokenizers

    def is_met_normalized(token: AddedToken) -> bool:
        if token.special:
            return False
        if match_normalized and encoder.normalizer is not None:
            return bool(encoder.normalizer.normalize_str(token.content) == token.content)
        # Written with U+2581 the token can only be met once spaces have become U+2581.
        return "\u2581" in token.content

    def as_the_library_has_it(token: AddedToken) -> tokenizers.AddedToken:
        matching = token.matching or Matching(normalized=is_met_normalized(token))
        return tokenizers.AddedToken(
            token.content,
            special=token.special,
            lstrip=matching.lstrip,
            rstrip=matching.rstrip,
            single_word=matching.single_word,
            normalized=matching.normalized,
        )

    # One call: the library rebuilds its matcher every time.
    encoder.add_tokens([as_the_library_has_it(token) for token in added_tokens])

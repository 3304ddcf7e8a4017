"""Working encoders that behave as SentencePiece does, built from `tokenizers` parts.

Used for `.model` files and for the GGUF kinds that were converted from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import AddedToken
from forensics.sources.tokenizer_files.encoder import assemble
from forensics.sources.tokenizer_files.pieces import ids_of_pieces

if TYPE_CHECKING:
    import tokenizers

__all__ = ["PREFIX_PATTERN", "bpe_encoder", "normalizer", "spaces", "unigram_encoder"]

SPACE = "\u2581"
#: How the pattern begins that puts a space in front of everything but whole added tokens.
PREFIX_PATTERN = r"\A(?!"


def spaces(prefix: bool, whole: Sequence[str] = ()) -> tokenizers.normalizers.Normalizer:
    """Return the normalizer that writes spaces as U+2581, and one more in front if `prefix`.

    :param prefix: Put a space in front.
    :param whole: Added tokens that are matched in the normalized text. The library passes them through
        the normalizer too, and must get them back without a space in front.
    """
    from tokenizers import Regex, normalizers

    escape = normalizers.Replace(" ", SPACE)
    if not prefix:
        return escape
    if not whole:
        return normalizers.Sequence([escape, normalizers.Prepend(SPACE)])
    names = "|".join(re.escape(text) for text in whole)
    return normalizers.Sequence(
        [escape, normalizers.Replace(Regex(rf"{PREFIX_PATTERN}(?:{names})?\z)"), SPACE)]
    )


def normalizer(
    charsmap: bytes, remove_extra_whitespaces: bool, prefix: bool, whole: Sequence[str] = ()
) -> tokenizers.normalizers.Normalizer:
    """Return SentencePiece's normalizer.

    :param charsmap: The precompiled character map, empty for none.
    :param remove_extra_whitespaces: Drop spaces at both ends and all but one of a run.
    :param prefix: Put a space in front.
    :param whole: Added tokens that are matched in the normalized text.
    """
    from tokenizers import Regex, normalizers

    steps: list[Any] = [normalizers.Precompiled(charsmap)] if charsmap else []
    if remove_extra_whitespaces:
        # SentencePiece removes U+0020 only, where `normalizers.Strip` removes every kind of space.
        steps += [normalizers.Replace(Regex(r"\A +| +\z"), ""), normalizers.Replace(Regex(" {2,}"), " ")]
    return normalizers.Sequence([*steps, spaces(prefix, whole)])


def bpe_encoder(
    where: Path,
    pieces: Sequence[str | None],
    merges: Sequence[tuple[str, str]],
    *,
    unk: str | None,
    byte_fallback: bool,
    normalizer: Callable[[], Any],
    added_tokens: Iterable[AddedToken] = (),
    match_normalized: bool = False,
) -> tokenizers.Tokenizer:
    """Return an encoder for SentencePiece BPE.

    :param where: The file, for errors.
    :param pieces: Piece by id.
    :param merges: The merges in order.
    :param unk: The piece for characters that cannot be spelt.
    :param byte_fallback: Spell unknown characters with `<0xNN>` pieces.
    :param normalizer: Makes the normalizer.
    :param added_tokens: Tokens cut out of the text beforehand.
    :param match_normalized: Look for them in the normalized text, as SentencePiece does.
    :raises BadInputError: If the library refuses the parts.
    """

    def model() -> tokenizers.models.Model:
        from tokenizers import models

        return models.BPE(
            ids_of_pieces(pieces), list(merges), unk_token=unk, fuse_unk=True, byte_fallback=byte_fallback
        )

    return assemble(
        where, model, normalizer=normalizer, added_tokens=added_tokens, match_normalized=match_normalized
    )


def unigram_encoder(
    where: Path,
    pieces: Sequence[str | None],
    scores: npt.NDArray[np.floating],
    *,
    unk_id: int,
    byte_fallback: bool,
    unmatchable: Iterable[int],
    normalizer: Callable[[], Any],
    added_tokens: Iterable[AddedToken] = (),
    match_normalized: bool = False,
) -> tokenizers.Tokenizer:
    """Return an encoder for SentencePiece Unigram.

    :param where: The file, for errors.
    :param pieces: Piece by id.
    :param scores: Log probability by id.
    :param unk_id: The unknown token.
    :param byte_fallback: Spell unknown characters with `<0xNN>` pieces.
    :param unmatchable: Ids whose text is never matched by the model (control, unknown, unused).
    :param normalizer: Makes the normalizer.
    :param added_tokens: Tokens cut out of the text beforehand.
    :param match_normalized: Look for them in the normalized text, as SentencePiece does.
    :raises BadInputError: If the library refuses the parts.
    """
    added = list(added_tokens)
    # The library would match every entry. No text holds a space any more when the model sees it, so
    # an entry with a space in front is never met; a token to be cut out beforehand keeps its name.
    # Byte pieces must keep theirs too, by which the library finds them: `<0x41>` in a text is taken for
    # the byte, where SentencePiece would spell it out.
    hidden = set(unmatchable) - {token.token_id for token in added}
    entries = [
        (f" {piece}" if token_id in hidden or piece is None else piece, float(scores[token_id]))
        for token_id, piece in enumerate(pieces)
    ]

    def model() -> tokenizers.models.Model:
        from tokenizers import models

        return models.Unigram(entries, unk_id, byte_fallback)

    return assemble(
        where, model, normalizer=normalizer, added_tokens=added, match_normalized=match_normalized
    )

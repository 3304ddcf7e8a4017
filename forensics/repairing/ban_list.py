"""Which tokens of a finished scan are banned: those found, never those that end or frame a text.

A ban keeps a model from producing a token; what is read is untouched by it. Left out whatever is asked for:
every token with a role (bos, eos, pad, ..) and every special or added entry that no file declares reserved,
because chat templates are written in these.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["ScannedTokens", "tokens_to_ban"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ScannedTokens:
    """What a scan says of every row of the matrix; all arrays have shape (V,)."""

    #: Verified strongly, and verified at all; controls left out.
    strong: Mask
    verified: Mask
    #: Of verified tokens: the model predicts it in ordinary text.
    cleared: Mask
    #: Declared reserved by a file.
    reserved: Mask
    #: A row past the tokenizer's vocabulary.
    past_vocabulary: Mask
    #: Declared special, matched before the algorithm, or in a role.
    structural: Mask


def tokens_to_ban(
    tokens: ScannedTokens,
    what: str,
    *,
    reserved: bool = False,
    past_vocabulary: bool = False,
    in_role: Collection[int] = (),
    keep: Collection[int] = (),
) -> list[int]:
    """Return the ids to be banned, ascending.

    :param tokens: What the scan says.
    :param what: `unknown` (verified and not cleared by ordinary text), `verified` or `strong` (of these, not
        cleared).
    :param reserved: Ban what is declared reserved, too.
    :param past_vocabulary: Ban rows past the tokenizer's vocabulary, too.
    :param in_role: Ids that any file gives a role.
    :param keep: Ids that the user wants to keep.
    """
    chosen = {
        "unknown": tokens.verified & ~tokens.cleared,
        "verified": tokens.verified,
        "strong": tokens.strong & ~tokens.cleared,
    }[what]
    # A special entry that is reserved has no use yet; one that is not may stand in the chat template.
    usual = chosen & ~(tokens.structural & ~tokens.reserved) & ~tokens.past_vocabulary
    if reserved:
        usual = usual | (tokens.reserved & ~tokens.past_vocabulary)
    if past_vocabulary:
        usual = usual | tokens.past_vocabulary
    kept = {*in_role, *keep}
    return [i for i in np.flatnonzero(usual).tolist() if i not in kept]

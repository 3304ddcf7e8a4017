"""Which tokens can be reached by encoding text: the round trip of Land and Bartolo (2024), section 3.1.

The source decodes a token, encodes the text again and compares, with a guard against the space that
some tokenizers put in front of every text. The reading taken here:

- The guard is an encoder without the automatic space (its normalizer or pre-tokenizer step removed).
  The source's other way, a character in front whose tokens are stripped, changes how the text is split
  (in GPT-4's pattern a quotation mark joins the word after it) and so the answer.
- A token that fails alone is tried at the start of a text with the automatic space (`start`), then
  after the left contexts below. A token that any of them gives counts as reachable, and the context is
  kept: `##ing` is reached after a letter only, `▁the` of an encoder that strips spaces at the start only.
- Where the end of a word is spelt (CLIP's `</w>`), a piece without it is reached only before more of a word:
  such pieces are tried with letters and digits behind them too, and count if they come up at all.
- A token that is nothing but spaces is tried before other characters too, by the encoder as it is: many
  encoders drop spaces at the end of a text, or put the only one there is in front of it.
- What a token re-encodes to is taken from the first trial, in isolation.

Tokens whose bytes are no valid UTF-8 by themselves are not tried: no text says them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forensics.progress import Progress
from forensics.vocabulary.components import without_automatic_prefix

if TYPE_CHECKING:
    import tokenizers

__all__ = ["ALONE", "LEFT_CONTEXTS", "Reachability", "reachability"]

#: The context of a token that its own text gives.
ALONE = ""
#: The context of a token that is given at the start of a text, by the space put there automatically.
START = "start"
#: Name and text of the left contexts, in the order in which they are tried. Several letters, because
#: WordPiece takes the longest match: with one letter, `##at` would be hidden by `cat`.
LEFT_CONTEXTS: tuple[tuple[str, str], ...] = (
    ("space", " "),
    ("letter", "a"),
    ("letter", "q"),
    ("letter", "Z"),
    ("letter", "я"),
    ("digit", "1"),
    ("newline", "\n"),
    ("punctuation", "."),
)

#: Name and text of what is put behind a piece where words have an end that is spelt, and before it.
RIGHT_CONTEXTS: tuple[tuple[str, str], ...] = (
    ("before a letter", "a"),
    ("before a letter", "q"),
    ("before a letter", "Z"),
    ("before a letter", "я"),
    ("before a digit", "1"),
    ("before punctuation", "."),
)
_BEFORE_AND_AFTER = ("", "a", "q", ".")
#: Characters behind spaces: one that hardly any piece begins with, and three that pieces begin with.
_BEHIND_SPACES = ("\u01c2", "a", "1", "(")

#: Texts handed to the library at once: enough to keep its threads busy, few enough to stay small.
BATCH = 8192


@dataclass(frozen=True)
class Reachability:
    """What encoding the text of each token gives."""

    #: Token id -> the context that reaches it (`""` alone); unreachable tokens are absent.
    context: Mapping[int, str]
    #: Token id -> the ids its text gives in isolation, for tokens that do not give themselves.
    reencoded: Mapping[int, tuple[int, ...]]


def reachability(
    encoder: tokenizers.Tokenizer, texts: Mapping[int, str], progress: Progress | None = None
) -> Reachability:
    """Encode the text of every token and see which tokens come back.

    :param encoder: The working tokenizer; it is not altered.
    :param texts: Token id -> its text.
    :param progress: Where to report to.
    :return: Contexts and re-encodings.
    """
    guarded = without_automatic_prefix(encoder)
    context: dict[int, str] = {}
    reencoded: dict[int, tuple[int, ...]] = {}
    with (progress or Progress()).stage("encoding every token", len(texts), "tokens") as stage:
        ids = list(texts)
        for token_id, given in zip(ids, _encode(guarded, [texts[i] for i in ids]), strict=True):
            if given == [token_id]:
                context[token_id] = ALONE
            else:
                reencoded[token_id] = tuple(given)
            stage.advance()
    left = list(reencoded)
    if guarded is not encoder:
        left = _try_start(encoder, texts, left, context)
    for name, before in LEFT_CONTEXTS:
        left = _try_context(guarded, texts, left, context, name, before)
    left = _try_spaces(encoder, texts, left, context)
    if getattr(encoder.model, "end_of_word_suffix", None):
        for name, after in RIGHT_CONTEXTS:
            left = _try_inside(guarded, texts, left, context, name, after)
    return Reachability(context, reencoded)


def _try_start(
    encoder: tokenizers.Tokenizer, texts: Mapping[int, str], left: Sequence[int], context: dict[int, str]
) -> list[int]:
    """Try the texts of `left` with the automatic space; return the ids that still do not come back."""
    # The automatic space takes the place of the token's own.
    starts = [texts[token_id].removeprefix(" ") for token_id in left]
    for token_id, given in zip(left, _encode(encoder, starts), strict=True):
        if given == [token_id]:
            context[token_id] = START
    return [token_id for token_id in left if token_id not in context]


def _try_context(
    encoder: tokenizers.Tokenizer,
    texts: Mapping[int, str],
    left: Sequence[int],
    context: dict[int, str],
    name: str,
    before: str,
) -> list[int]:
    """Try the texts of `left` after `before`; return the ids that still do not come back."""
    bare = encoder.encode(before, add_special_tokens=False).ids
    for token_id, given in zip(left, _encode(encoder, [before + texts[i] for i in left]), strict=True):
        # The last token being this one, those before it spell the context: unless the context spells
        # nothing (BERT drops spaces), there must be some.
        if given and given[-1] == token_id and (len(given) > 1 or not bare):
            context[token_id] = name
    return [token_id for token_id in left if token_id not in context]


def _try_spaces(
    encoder: tokenizers.Tokenizer, texts: Mapping[int, str], left: Sequence[int], context: dict[int, str]
) -> list[int]:
    """Try those of `left` that are nothing but spaces before other characters."""
    for token_id in (token_id for token_id in left if not texts[token_id].strip()):
        tried = [f"{before}{texts[token_id]}{after}" for before in ("", "a") for after in _BEHIND_SPACES]
        if any(token_id in ids for ids in _encode(encoder, tried)):
            context[token_id] = "before a character"
    return [token_id for token_id in left if token_id not in context]


def _try_inside(
    encoder: tokenizers.Tokenizer,
    texts: Mapping[int, str],
    left: Sequence[int],
    context: dict[int, str],
    name: str,
    after: str,
) -> list[int]:
    """Try the texts of `left` with `after` behind them; return the ids that still do not come up."""
    for before in _BEFORE_AND_AFTER:
        tried = [token_id for token_id in left if token_id not in context]
        given = _encode(encoder, [f"{before}{texts[i]}{after}" for i in tried])
        for token_id, ids in zip(tried, given, strict=True):
            if token_id in ids:
                context[token_id] = name
    return [token_id for token_id in left if token_id not in context]


def _encode(encoder: tokenizers.Tokenizer, texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield the ids of every text."""
    for start in range(0, len(texts), BATCH):
        for encoding in encoder.encode_batch_fast(
            list(texts[start : start + BATCH]), add_special_tokens=False
        ):
            yield encoding.ids

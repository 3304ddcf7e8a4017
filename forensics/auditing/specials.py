"""Special tokens: whether text gives them, whether the files agree on their roles, what they do to text.

That plain text gives control tokens is a property of the format, true of every tokenizer looked at so far;
it is a note, and a warning only for the tokens that mark roles in this tokenizer's own chat template.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.auditing.rules import found, listed
from forensics.auditing.template_parse import MOST_CHARACTERS
from forensics.schema.finding import Finding, Level
from forensics.schema.tokenizer import SpecialTokenEntry
from forensics.sources.interface import TokenizerSource
from forensics.vocabulary.special import special_findings
from forensics.vocabulary.vocabulary import Vocabulary

__all__ = ["given_by_text", "special_token_findings"]

#: A sentence around the token's text, as a user may write one.
_BEFORE, _AFTER = "He wrote ", " and left."


def special_token_findings(source: TokenizerSource, vocabulary: Vocabulary) -> tuple[Finding, ...]:
    """Return what is wrong with, or worth knowing of, the special tokens.

    :param source: The tokenizer.
    :param vocabulary: Its vocabulary.
    """
    special = special_findings(source, vocabulary)
    return (
        *_roles(source, vocabulary),
        *_split(special.tokens),
        *_from_text(source, special.tokens),
        *_strips(source),
    )


def given_by_text(
    source: TokenizerSource, tokens: Sequence[SpecialTokenEntry]
) -> tuple[SpecialTokenEntry, ...]:
    """Return the special tokens that their text gives inside a sentence."""
    texts = [f"{_BEFORE}{token.piece}{_AFTER}" for token in tokens]
    encodings = source.encoder.encode_batch_fast(texts, add_special_tokens=False)
    return tuple(
        token for token, encoding in zip(tokens, encodings, strict=True) if token.token_id in encoding.ids
    )


def _roles(source: TokenizerSource, vocabulary: Vocabulary) -> Iterator[Finding]:
    for claims in special_findings(source, vocabulary).roles:
        if claims.agree:
            continue
        said = "; ".join(f"{file} names {listed(ids)}" for file, ids in claims.claims.items())
        yield found("special/role-disagrees", claims.role, f"the {claims.role} token: {said}")


def _split(tokens: Sequence[SpecialTokenEntry]) -> Iterator[Finding]:
    for token in tokens:
        # A reserved entry is declared to be of no use; that its text does not give it harms nobody.
        if token.single or token.reserved is not None or not token.piece:
            continue
        message = (
            f"special token {token.token_id} {token.piece!r} ({listed(token.declared_in)}) encodes to "
            f"{len(token.encodes_to)} ids: {listed(token.encodes_to, 10)}"
        )
        yield found("special/split", token.piece, message, token_id=token.token_id, piece=token.piece)


def _from_text(source: TokenizerSource, tokens: Sequence[SpecialTokenEntry]) -> Iterator[Finding]:
    given = given_by_text(source, [token for token in tokens if token.piece])
    # A template too large to be parsed is not searched either, token by token.
    template = source.chat_template or ""
    if len(template) > MOST_CHARACTERS:
        template = ""
    markers = [token for token in given if token.piece in template]
    others = [token for token in given if token not in markers]
    for subject, some, level in (("role markers", markers, Level.WARNING), ("special tokens", others, None)):
        if some:
            what = "that the chat template writes" if some is markers else "declared special"
            pieces = listed((token.piece for token in some), 20)
            message = f"plain text gives {len(some):,} tokens {what}: {pieces}"
            yield found("special/from-text", subject, message, level=level, evidence={"count": len(some)})


def _strips(source: TokenizerSource) -> Iterator[Finding]:
    stripping = [
        token.content
        for _, token in sorted(source.encoder.get_added_tokens_decoder().items())
        if token.lstrip or token.rstrip
    ]
    if stripping:
        message = f"{len(stripping):,} added tokens take spaces beside them away: {listed(stripping, 20)}"
        yield found("special/strips-neighbours", "added tokens", message, evidence={"count": len(stripping)})

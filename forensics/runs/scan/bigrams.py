"""The improbable pairs of a scan: which are drawn, who copies them, and what is kept of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.scan.examined import Examined
from forensics.runs.scan.prompting import Prompting
from forensics.schema.bigrams import BigramsSummary
from forensics.undertrained.bigrams import (
    BigramFindings,
    Copier,
    Copies,
    Phrase,
    Way,
    build_copy_prompt,
    copy_pairs,
    well_trained,
)
from forensics.undertrained.prompts import Prompt, fitting_prompts
from forensics.vocabulary.control_pairs import apart, control_pairs, mixes_scripts, spell_by_characters
from forensics.vocabulary.improbable_pairs import ImprobablePair, ImprobablePairs, improbable_pairs

__all__ = ["pairs_without_model", "try_pairs"]

#: Draws per control pair wanted, before the search is given up.
_PATIENCE = 400


def pairs_without_model(reason: str) -> BigramsSummary:
    """Return what is said where the model cannot be asked."""
    return BigramsSummary(0, 0, refused=f"the model was not run here: {reason.rstrip('. ')}")


def try_pairs(
    examined: Examined,
    prompting: Prompting,
    count: int,
    seed: int,
    journal: Journal,
    progress: Progress,
) -> BigramsSummary:
    """Return how much more unfinished characters cost the model than rare pairs of tokens do.

    It has a generator of its own, so that no other number of a scan changes with it.

    :param examined: The sources and what the weights tell.
    :param prompting: The model.
    :param count: Improbable pairs wanted, and as many controls.
    :param seed: The run's seed.
    :param journal: What an interrupted run had copied.
    :param progress: Where to report.
    """
    if prompting.model is None:
        return pairs_without_model("another program runs it, and pairs are copied in this process only")
    vocabulary, source = examined.vocabulary, examined.source
    rng = np.random.default_rng([seed, 2])
    known = improbable_pairs(vocabulary.bytes, source.encoder, rng) if source.byte_level else None
    if known is None or not known.survived:
        return BigramsSummary(0, 0, refused=_why_none(examined))
    usable = well_trained(examined.findings.values, examined.eligible)[: prompting.rows]

    def is_usable(token: int) -> bool:
        return token < len(usable) and bool(usable[token])

    suitable = [p for p in known.survived if is_usable(p.prefix) and is_usable(p.suffix) and mixes_scripts(p)]
    drawn = apart((suitable[i] for i in rng.permutation(len(suitable))), count)
    complete = control_pairs(vocabulary.bytes, source.encoder, is_usable, rng, _PATIENCE * count)
    controls = apart(filter(mixes_scripts, complete), count)
    pairs, others = (_phrases(each, vocabulary.bytes, prompting.rows) for each in (drawn, controls))
    prompt = build_copy_prompt(source)
    if (remark := _too_long(prompt, prompting, [*pairs, *others])) is not None:
        return BigramsSummary(known.estimate, len(suitable), refused=remark)
    copier = Copier(prompting.model, prompt, _spelling(vocabulary.bytes))
    found = copy_pairs(_remembered(copier, journal), pairs, others, progress)
    return _summary(known, len(suitable), found)


def _why_none(examined: Examined) -> str:
    """Return why a vocabulary has no improbable pair."""
    source = examined.source
    if source.byte_level:
        return "encoding gives back no two tokens of this vocabulary that share a character"
    if source.byte_fallback:
        return (
            "the tokenizer has no improbable pairs: what it has no token for is spelt by single bytes "
            "(byte fallback), and no other token holds a part of a character"
        )
    return "the tokenizer has no improbable pairs: none of its tokens holds a part of a character"


def _phrases(pairs: Iterable[ImprobablePair], token_bytes: Sequence[bytes | None], rows: int) -> list[Phrase]:
    """Return pairs as what is put to the model; those that cannot be spelt by characters are left out."""
    token_of_bytes: dict[bytes, int] = {}
    for token, data in enumerate(token_bytes[:rows]):
        if data:
            token_of_bytes.setdefault(data, token)
    phrases = []
    for pair in pairs:
        by_characters = spell_by_characters(pair.text, token_of_bytes)
        if by_characters is not None:
            phrases.append(Phrase(pair.text, (pair.prefix, pair.suffix), by_characters))
    return phrases


def _too_long(prompt: Prompt, prompting: Prompting, phrases: Sequence[Phrase]) -> str | None:
    """Return why the model cannot be given the task, or None."""
    shown = max((len(phrase.by_characters) for phrase in phrases), default=1)
    said = max((len(phrase.text.encode()) for phrase in phrases), default=1)
    fitting, remarks = fitting_prompts((prompt,), prompting.rows, prompting.positions, steps=shown + said)
    return None if fitting else " ".join(remarks)


def _spelling(token_bytes: Sequence[bytes | None]) -> Callable[[Sequence[int]], bytes]:
    def spell(ids: Sequence[int]) -> bytes:
        return b"".join(token_bytes[i] or b"" for i in ids if i < len(token_bytes))

    return spell


def _remembered(copies: Copies, journal: Journal) -> Copies:
    """Return `copies` that asks the journal first and keeps what is new."""

    def remembered(phrase: Phrase, way: Way) -> bool:
        key = f"copied {way} {phrase.text}"
        kept = journal.recall(key)
        if isinstance(kept, bool):
            return kept
        copied = copies(phrase, way)
        journal.keep(key, copied)
        return copied

    return remembered


def _summary(known: ImprobablePairs, suitable: int, found: BigramFindings) -> BigramsSummary:
    def share(value: float) -> float | None:
        return None if math.isnan(value) else value

    return BigramsSummary(
        in_vocabulary=known.estimate,
        suitable=suitable,
        pairs=found.pairs,
        controls=found.controls,
        pairs_fail=share(found.pairs_fail),
        pairs_fail_by_characters=share(found.pairs_fail_by_characters),
        controls_fail=share(found.controls_fail),
        controls_fail_by_characters=share(found.controls_fail_by_characters),
        difference=share(found.difference),
        p=share(found.p),
        refused=found.refused,
        failed=found.failed,
    )

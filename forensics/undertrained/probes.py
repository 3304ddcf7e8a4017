"""The probes: short prompts on a long shared prefix, which most tokens pass before the dear prompts.

Each asks for a copy, as the prompts of `forensics.undertrained.prompts` do, with two to six new positions per
token instead of ten to four hundred, so that `forensics.undertrained.packed_probe` can read a whole
vocabulary. On SmolLM2-135M `probe_equals` separates verified from rejected tokens better than any of the
prompts by itself (AUC .997 against .922 to .987) at a quarter of the cost of the cheapest; the largest
probability it gave to a token that verifies was .002.

The examples are ordinary tokens drawn at random, as ids: more of them cost nothing, because they are prefix,
and tell the model better what is asked. Which ones they are moves a probability by a factor of three, so a
probe counts only where it shows a token beyond doubt (`token_evidence.PROBE_SHOWS`): such a token is
rejected as by a prompt, and about the others the prompts decide.
"""

from __future__ import annotations

from collections.abc import Sequence

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerSource
from forensics.undertrained.prompts import PROBE_PREFIX, SLOT, Prompt, encode_segments, leading_special_ids

__all__ = ["EXAMPLES", "build_probes"]

#: Ordinary tokens that `build_probes` wants.
EXAMPLES = 120
#: Lines of the first probe; the second takes all examples.
_EQUALS_LINES = 40
#: Shots of the quoted copy, and repetitions of the continuation.
_SHOTS, _REPETITIONS = 4, 5
#: Most ids in a prefix, whatever the examples: models with short contexts are asked too.
_LONGEST = 480


def build_probes(
    source: TokenizerSource, prompts: Sequence[Prompt], examples: Sequence[int]
) -> tuple[Prompt, ...]:
    """Return `probe_equals`, `probe_tab`, `probe_quoted` and `probe_continue`, in the order they are put.

    :param source: The tokenizer of the model under test.
    :param prompts: What `build_prompts` gave for it; `repeat` and `continue` lend their words.
    :param examples: Ids of ordinary tokens in random order, `EXAMPLES` of them or fewer.
    :raises BadInputError: If there is no example, or one of the two prompts is missing.
    """
    if not examples:
        raise BadInputError("examples", "none given", "name ordinary tokens for the probes to copy")
    by_name = {prompt.name: prompt for prompt in prompts}
    if missing := {"repeat", "continue"} - set(by_name):
        raise BadInputError(
            "prompts", f"no {' and no '.join(sorted(missing))}", "pass those of build_prompts"
        )
    return (
        _lines(source, f"{PROBE_PREFIX}equals", " =", examples[:_EQUALS_LINES]),
        _lines(source, f"{PROBE_PREFIX}tab", "\t", examples[:EXAMPLES]),
        _quoted(by_name["repeat"], examples),
        Prompt(
            f"{PROBE_PREFIX}continue",
            by_name["continue"].ids[: by_name["continue"].shared_length] + (SLOT,) * _REPETITIONS,
        ),
    )


def _lines(source: TokenizerSource, name: str, between: str, examples: Sequence[int]) -> Prompt:
    """Return lines `x between x`, one per example, and the beginning of one more."""
    # The first segment is only there to be cut off: what counts is how the others read inside a text.
    inside = encode_segments(source, ["a", between, "\n"])
    _, first, second = _split(inside)
    length = len(first) + len(second) + 2
    start = leading_special_ids(source)
    lines = examples[: max(1, (_LONGEST - len(start)) // length)]
    ids = [i for example in lines for i in (example, *first, example, *second)]
    return Prompt(name, (*start, *ids, SLOT, *first))


def _quoted(repeat: Prompt, examples: Sequence[int]) -> Prompt:
    """Return the n-shot prompt with fixed examples in its first shots and one original to be copied."""
    before, to_copy, to_next, *_ = _split(repeat.ids)
    ids = list(before)
    for i in range(_SHOTS):
        example = examples[i % len(examples)]
        ids += [example, *to_copy, example, *to_next]
    return Prompt(f"{PROBE_PREFIX}quoted", (*ids, SLOT, *to_copy))


def _split(ids: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the stretches of `ids` between slots.

    >>> _split((5, SLOT, 6, 7, SLOT))
    [(5,), (6, 7), ()]
    """
    parts: list[tuple[int, ...]] = [()]
    for token_id in ids:
        if token_id == SLOT:
            parts.append(())
        else:
            parts[-1] += (token_id,)
    return parts

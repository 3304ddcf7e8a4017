"""The prompts of verification, as token ids with slots for the token under test.

Land and Bartolo 2024 (arXiv 2405.05417, section on verification) ask a model to produce a token in
three ways: repeat an input in n-shot trials, explain a phrase by quoting it, continue a repetition. A
token that the model cannot be brought to produce by any of them was hardly ever trained. The structure
and the number of repetitions follow the authors; the wording is ours.

Readings taken where the paper leaves room:

- The token is inserted **by id**. The text around it is encoded in separate segments, so nothing merges
  with the token and also partial UTF-8, unreachable and byte tokens can be tested. A token that begins
  with a space therefore stands behind the opening quotation mark with its space: `« foo»`.
- All prompts of one kind have the same length for every token, which makes padding unnecessary.
- Where the tokenizer begins its sequences with a special token (BOS), so does every prompt.

What is left out: prompts in other languages, and prompts longer than the repetitions below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import tokenizers

from forensics.errors import BadInputError
from forensics.sources.interface import TokenizerSource

__all__ = [
    "PROBE_PREFIX",
    "SLOT",
    "Prompt",
    "build_prompts",
    "encode_segments",
    "fitting_prompts",
    "leading_special_ids",
]

#: Stands in `Prompt.ids` where the token under test goes; no token has a negative id.
SLOT = -1

#: What the names of all probes begin with, see `forensics.undertrained.probes`.
PROBE_PREFIX = "probe_"

#: Trials of the n-shot prompt; as in the authors' published code.
SHOTS = 20
#: After how many shots a fast procedure looks at the n-shot prompt. One shot is enough for five ordinary
#: tokens in six (SmolLM2-135M-Instruct, see `benchmarks/verification.py`).
LOOK_AFTER_SHOTS = (1, 2, 5)
#: After how many shots, and how many repetitions, a token that has shown nothing at all is settled.
SETTLE_AFTER_SHOTS, SETTLE_AFTER_REPETITIONS = 5, 20
#: How often the continuation prompt repeats the token before the model goes on; as in the authors' code.
REPETITIONS = 101

_REPEAT_PREAMBLE = (
    "This copying machine never makes a mistake, as can be seen from 100 originals and their copies."
)
_REPEAT_ORIGINAL = "\nOriginal: «"
_REPEAT_COPY = "»\nCopy: «"
_REPEAT_END = "»"

_EXPLAIN_BEFORE = (
    "A careful librarian tells readers what an expression means, and always answers the same question"
    " in the same words so that nobody is confused."
    "\nReader: What does 'qvurlbt' mean?\nLibrarian: 'qvurlbt' means nothing that I know of."
    "\nReader: What does '"
)
_EXPLAIN_AFTER = "' mean?\nLibrarian: '"

_CONTINUE_PREAMBLE = "This is what the machine printed, the same phrase again and again without an end:\n"

#: Texts put in front of a segment so that an encoder's automatic leading space lands on them.
_GUARDS = ("\n", "«", "'", "a")


@dataclass(frozen=True)
class Prompt:
    """One prompt, ready for any token."""

    #: `repeat`, `explain`, `continue` or `chat`.
    name: str
    #: Token ids with `SLOT` where the token under test goes; the model generates what follows.
    ids: tuple[int, ...]
    #: Positions of slots that a model which can produce the token would have predicted: places where a
    #: fast procedure may look whether the rest is needed. The plain one pays no attention.
    looks: tuple[int, ...] = ()
    #: Position of the slot by which a token that the model cannot produce at all has shown it, see
    #: `verification.SETTLES_BELOW`; None where the prompt is always read to its end.
    settles_at: int | None = None

    @property
    def slots(self) -> tuple[int, ...]:
        """The positions of the token under test."""
        return tuple(i for i, token_id in enumerate(self.ids) if token_id == SLOT)

    @property
    def is_probe(self) -> bool:
        """Whether it is read for what follows at once, without generating on."""
        return self.name.startswith(PROBE_PREFIX)

    @property
    def shared_length(self) -> int:
        """How many leading ids are the same for every token."""
        return self.ids.index(SLOT)

    def fill(self, token_id: int) -> list[int]:
        """Return the prompt's ids for one token.

        >>> Prompt("explain", (5, SLOT, 6, SLOT)).fill(9)
        [5, 9, 6, 9]
        """
        return [token_id if i == SLOT else i for i in self.ids]


def build_prompts(source: TokenizerSource) -> tuple[Prompt, ...]:
    """Return the three prompts of the paper in the words above, encoded by `source`.

    :param source: The tokenizer of the model under test.
    :return: `explain`, `repeat` and `continue`, cheapest first.
    :raises BadInputError: If the tokenizer turns the surrounding text into nothing.
    """
    start = leading_special_ids(source)
    trials = [_REPEAT_PREAMBLE + _REPEAT_ORIGINAL, _REPEAT_COPY]
    trials += [_REPEAT_END + _REPEAT_ORIGINAL, _REPEAT_COPY] * SHOTS
    texts = {
        "explain": [_EXPLAIN_BEFORE, _EXPLAIN_AFTER],
        "repeat": [*trials, ""],
        "continue": [_CONTINUE_PREAMBLE, *[""] * REPETITIONS],
    }
    # The last shot of "repeat" has its original but not its copy: the model is to write it.
    texts["repeat"] = texts["repeat"][:-1]
    prompts = {name: Prompt(name, start + encode_segments(source, parts)) for name, parts in texts.items()}
    slots = prompts["repeat"].slots
    # An original and a copy are two slots: after k shots the next copy stands in slot 2k + 1.
    looks = tuple(slots[2 * shots + 1] for shots in LOOK_AFTER_SHOTS)
    repeat = replace(prompts["repeat"], looks=looks, settles_at=slots[2 * SETTLE_AFTER_SHOTS + 1])
    settles_at = prompts["continue"].slots[SETTLE_AFTER_REPETITIONS]
    return prompts["explain"], repeat, replace(prompts["continue"], settles_at=settles_at)


def fitting_prompts(
    prompts: Sequence[Prompt], rows: int, positions: int | None, steps: int
) -> tuple[tuple[Prompt, ...], list[str]]:
    """Return the prompts that the model can be given, and a remark for each that it cannot.

    :param prompts: The prompts.
    :param rows: Tokens the model can read: ids below it.
    :param positions: Positions the model was made for, or None if it does not say.
    :param steps: Tokens generated after a prompt.
    """
    fitting, remarks = [], []
    for prompt in prompts:
        needed = len(prompt.ids) + steps - 1
        outside = [i for i in prompt.ids if i >= rows]
        if outside:
            reason = f"token {outside[0]} in it has no row in the model's matrix of {rows}"
        elif positions is not None and needed > positions:
            reason = f"it needs {needed} positions and the model has {positions}"
        else:
            fitting.append(prompt)
            continue
        remarks.append(f"Verification went without the prompt `{prompt.name}`: {reason}.")
    return tuple(fitting), remarks


def leading_special_ids(source: TokenizerSource) -> tuple[int, ...]:
    """Return the special ids that the tokenizer puts before every text, e.g. `(bos,)` or `()`.

    What the files declare (`adds_bos`) wins over what the encoder's post-processor does.
    """
    declared = source.adds_bos
    bos_ids = list(source.special_roles.get("bos", {}).values())
    if declared is False:
        return ()
    if declared and bos_ids:
        return (bos_ids[0],)
    bare = source.encoder.encode("a", add_special_tokens=False).ids
    full = source.encoder.encode("a", add_special_tokens=True).ids
    for start in range(len(full) - len(bare) + 1):
        if full[start : start + len(bare)] == bare:
            return tuple(full[:start])
    return ()


def encode_segments(source: TokenizerSource, texts: Sequence[str]) -> tuple[int, ...]:
    """Encode each text by itself and put a `SLOT` between neighbours.

    The first text is encoded as the tokenizer encodes the beginning of any text; the others as they
    would be in the middle of one, without a space that the tokenizer adds to beginnings.

    :param source: The tokenizer.
    :param texts: The surroundings of the slots; one more than there are slots.
    :raises BadInputError: If no id at all precedes the first slot.
    """
    known: dict[str, list[int]] = {"": []}
    ids = source.encoder.encode(texts[0], add_special_tokens=False).ids if texts[0] else []
    if not ids:
        raise BadInputError(
            source.path, "the tokenizer encodes the prompts to nothing", "check that it is the model's own"
        )
    ids = list(ids)
    for text in texts[1:]:
        if text not in known:
            known[text] = _encode_inside(source.encoder, text)
        ids += [SLOT, *known[text]]
    return tuple(ids)


def _encode_inside(encoder: tokenizers.Tokenizer, text: str) -> list[int]:
    """Encode `text` as the inside of a text: behind a guard, whose own ids are cut off again."""
    for guard in _GUARDS:
        before = list(encoder.encode(guard, add_special_tokens=False).ids)
        both = list(encoder.encode(guard + text, add_special_tokens=False).ids)
        if before and both[: len(before)] == before:
            return both[len(before) :]
    # No guard keeps apart from the text: an encoder without automatic spaces needs none.
    return list(encoder.encode(text, add_special_tokens=False).ids)

"""Probes and references: the sentences a token is put into, and those they are compared with.

Cross-pairing: a modified probe is compared with every reference sentence of its set at once, so one
encoding gives hundreds of pairs where the published procedure gets one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.errors import BadInputError
from forensics.sticky.insertion import Mode, draw_slots, insert_ids
from forensics.sticky.interface import Encoder, Float64Array, TokenIds

__all__ = ["Cell", "ProbeSet", "build_probe_set", "refuse_unfit"]

#: Probes hold this many tokens if enough sentences do: short enough to be cheap, and long enough that
#: eight copies of a token do not simply outnumber the sentence.
PROBE_TOKENS = (8, 18)
#: Probes of the screen, which every token goes through, are taken from the short end.
SCREEN_TOKENS = (8, 12)
#: Fewer references than this give no slope worth the name.
LEAST_REFERENCES = 20
#: Seeds of the slots of the full measurement and of the screen differ in this first number.
_SLOT_SEED = 2507


@dataclass(frozen=True)
class Cell:
    """One probe with one way to insert."""

    #: Index of the probe among the set's sentences.
    sentence: int
    mode: Mode
    #: Where the copies go, for `Mode.INSERTION`; their number for all modes.
    slots: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ProbeSet:
    """Sentences with their embeddings, and the cells that tokens are put into."""

    #: What the sentences are, for reports and errors.
    name: str
    #: Content ids of every sentence.
    contents: tuple[TokenIds, ...]
    #: Their unit vectors, `(n, d)`.
    references: Float64Array
    #: Cells of the full measurement: every probe with every mode, probe after probe.
    cells: tuple[Cell, ...]
    #: Cells of the screen, on other probes.
    screen_cells: tuple[Cell, ...]

    def before(self, cells: Sequence[Cell]) -> Float64Array:
        """Return the cosine of each cell's untouched probe with every sentence, `(cells, n)`."""
        probes = self.references[[cell.sentence for cell in cells]]
        similarities: Float64Array = probes @ self.references.T
        return similarities

    def others(self, cells: Sequence[Cell]) -> npt.NDArray[np.bool_]:
        """Mark the sentences a cell is compared with, `(cells, n)`: all but the probe itself."""
        mask = np.ones((len(cells), len(self.contents)), dtype=np.bool_)
        mask[np.arange(len(cells)), [cell.sentence for cell in cells]] = False
        return mask

    def modified(self, token_id: int, cells: Sequence[Cell]) -> list[TokenIds]:
        """Return the probes of `cells` with copies of a token in them."""
        return [insert_ids(self.contents[cell.sentence], token_id, cell.mode, cell.slots) for cell in cells]


def build_probe_set(
    encoder: Encoder,
    sentences: Sequence[str],
    *,
    name: str,
    copies: int,
    probes: int,
    screen_probes: int,
    seed: int,
) -> ProbeSet:
    """Embed the sentences and draw probes from them.

    :param encoder: The model.
    :param sentences: Distinct sentences.
    :param name: What they are, for errors.
    :param copies: Copies of a token that are inserted.
    :param probes: Probes of the full measurement, each with all three modes.
    :param screen_probes: Further probes, each with one mode in turn.
    :param seed: What probes and slots are drawn from; no token has a part in it.
    :raises BadInputError: If there are too few sentences, or one does not fit the model's window.
    """
    refuse_unfit(encoder, sentences, name=name, probes=probes + screen_probes)
    contents = encoder.tokenize(sentences)
    rng = np.random.default_rng([seed, _SLOT_SEED])
    full = _draw_probes(contents, probes, PROBE_TOKENS, set(), rng)
    screen = _draw_probes(contents, screen_probes, SCREEN_TOKENS, set(full), rng)
    chosen = [*full, *screen]
    longest = max(len(contents[i]) for i in chosen)
    if longest + copies > encoder.window:
        found = f"a probe of {longest} tokens with {copies} insertions exceeds the window of {encoder.window}"
        raise BadInputError(name, found, "use shorter sentences or fewer `insertions`")
    slots = {i: draw_slots(len(contents[i]), copies, (seed, _SLOT_SEED, i)) for i in chosen}
    modes = tuple(Mode)
    return ProbeSet(
        name=name,
        contents=tuple(contents),
        references=encoder.embed(contents).astype(np.float64),
        cells=tuple(Cell(i, mode, slots[i]) for i in full for mode in modes),
        screen_cells=tuple(Cell(i, modes[n % len(modes)], slots[i]) for n, i in enumerate(screen)),
    )


def refuse_unfit(
    encoder: Encoder, sentences: Sequence[str], *, name: str, probes: int, lines: Sequence[int] = ()
) -> None:
    """Refuse sentences that no probe set can be built of; nothing is embedded.

    :param encoder: The model.
    :param sentences: Distinct sentences.
    :param name: What they are, for errors.
    :param probes: All probes that are drawn.
    :param lines: The line of every sentence in its file, for errors; empty where there is none.
    :raises BadInputError: If there are too few sentences, or one is empty or does not fit the model's window.
    """
    if len(sentences) < probes + LEAST_REFERENCES:
        raise BadInputError(
            name,
            f"holds {len(sentences)} sentences, at least {probes + LEAST_REFERENCES} are needed",
            "give a file with more sentences, one a line",
        )
    for number, length in enumerate(encoder.lengths(sentences)):
        if not 0 < length < encoder.window:
            place = f"line {lines[number]:,}" if lines else f"sentence {number + 1:,}"
            found = f"{place} has {length:,} tokens, the window holds {encoder.window:,}"
            raise BadInputError(name, found, "leave the sentence out")


def _draw_probes(
    contents: Sequence[TokenIds],
    wanted: int,
    tokens: tuple[int, int],
    taken: set[int],
    rng: np.random.Generator,
) -> list[int]:
    """Return indices of probes not `taken`: sentences of `tokens` tokens, else those nearest to that."""
    low, high = tokens
    free = [i for i in range(len(contents)) if i not in taken]
    fitting = [i for i in free if low <= len(contents[i]) <= high]
    if len(fitting) < wanted:
        fitting = sorted(free, key=lambda i: (max(low - len(contents[i]), len(contents[i]) - high, 0), i))
        fitting = fitting[:wanted]
    return [int(i) for i in rng.permutation(np.array(fitting, dtype=np.int64))[:wanted]]

"""Probes over a random sample of the vocabulary, or all of it: what is cheap to know of every token."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from forensics.progress import Progress
from forensics.undertrained.probe_cascade import CascadeReading
from forensics.undertrained.token_evidence import PROBE_SHOWS, TokenEvidence

__all__ = ["ProbedBlock", "ProbedSample", "Probing", "default_sample_size", "probe_sample"]

#: Tokens probed together; also what one entry of a journal holds.
BLOCK = 512
#: Blocks that are timed before the cost of the rest is told.
_TIMED = 2
#: Sample where nothing else is said, and the arithmetic below which the whole vocabulary is taken instead.
#: 2e13 operations are ten minutes on one thread of a CPU, probes and what they leave to the prompts together:
#: SmolLM2-135M needs 2.6e13 for its 49,152 tokens and took 824 s. Counted and not timed, so that the same
#: inputs give the same sample on a slower machine.
DEFAULT_SAMPLE = 8000
_CENSUS_OPERATIONS = 2e13
_POSITIONS = 2
#: A token is shown only just where it stays below this many times `PROBE_SHOWS` in all probes.
NEAR_FACTOR = 3

Probe = Callable[[Sequence[int], float], CascadeReading]


@dataclass(frozen=True)
class Probing:
    """How a sample is probed and what is left is verified."""

    #: Reads the probes, see `Verifier.probe`.
    probe: Probe
    #: Verifies tokens without letting a probe dismiss them, see `Verifier.verify_past_probes`.
    verify_past_probes: Callable[[Sequence[int]], Sequence[TokenEvidence]]
    #: Tokens to sample from below the candidates; None: all of them.
    sample: int | None = DEFAULT_SAMPLE
    #: Blocks from an interrupted run, by their first token.
    known: Mapping[int, ProbedBlock] | None = None
    #: Called once for every block not in `known`.
    on_block: Callable[[ProbedBlock], None] | None = None


class _BlockJson(TypedDict):
    tokens: list[int]
    names: list[str]
    log_p: list[list[float | None]]


@dataclass(frozen=True, eq=False)
class ProbedBlock:
    """What the probes showed of tokens that were read together."""

    #: Token ids, in the order read.
    tokens: tuple[int, ...]
    #: Names of the probes.
    names: tuple[str, ...]
    #: Natural log of the probabilities, shape (n, probes); NaN where a token had left already.
    log_p: npt.NDArray[np.float32]

    def to_json(self) -> _BlockJson:
        """Return plain data, for a journal."""
        rows = [[None if math.isnan(x) else x for x in row] for row in self.log_p.tolist()]
        return {"tokens": list(self.tokens), "names": list(self.names), "log_p": rows}

    @classmethod
    def from_json(cls, data: _BlockJson) -> ProbedBlock:
        """Rebuild what `to_json` gave.

        :raises KeyError: If a field is missing.
        """
        rows = [[math.nan if x is None else x for x in row] for row in data["log_p"]]
        shape = (len(data["tokens"]), len(data["names"]))
        return cls(
            tuple(data["tokens"]), tuple(data["names"]), np.array(rows, dtype=np.float32).reshape(shape)
        )


@dataclass(frozen=True, eq=False)
class ProbedSample:
    """What the probes showed of all tokens of a sample."""

    #: Token ids, in the order drawn, shape (n,).
    tokens: npt.NDArray[np.int64]
    #: Names of the probes.
    names: tuple[str, ...]
    #: Natural log of the probabilities, shape (n, probes); NaN where a token had left already.
    log_p: npt.NDArray[np.float32]

    @property
    def first_p(self) -> npt.NDArray[np.float32]:
        """Probability in the first probe, which every token was put to, shape (n,)."""
        return np.exp(self.log_p[:, 0])

    @property
    def is_open(self) -> npt.NDArray[np.bool_]:
        """Tokens that no probe showed, shape (n,): what the prompts must settle."""
        shown: npt.NDArray[np.bool_] = np.any(self.log_p >= math.log(PROBE_SHOWS), axis=1)
        return ~shown

    @property
    def is_near(self) -> npt.NDArray[np.bool_]:
        """Tokens that the probes show and only just, shape (n,): where they would miss one, if anywhere."""
        highest = np.max(self.log_p, axis=1, initial=-np.inf, where=~np.isnan(self.log_p))
        near: npt.NDArray[np.bool_] = ~self.is_open & (highest < math.log(NEAR_FACTOR * PROBE_SHOWS))
        return near

    @property
    def open_after(self) -> tuple[int, ...]:
        """How many tokens each probe left open."""
        shown = np.logical_or.accumulate(self.log_p >= math.log(PROBE_SHOWS), axis=1)
        return tuple(int(n) for n in (~shown).sum(axis=0))


def default_sample_size(*, rest: int, parameters: int, on_cpu: bool) -> int | None:
    """Return how many tokens to probe where the user says nothing; None: all.

    :param rest: Tokens below the candidates.
    :param parameters: Parameters of the model.
    :param on_cpu: Whether it runs on a CPU; on an accelerator all tokens are affordable.

    >>> default_sample_size(rest=47_725, parameters=134_515_008, on_cpu=True)
    8000
    """
    operations = rest * _POSITIONS * 2.0 * parameters
    return None if not on_cpu or operations < _CENSUS_OPERATIONS else DEFAULT_SAMPLE


def probe_sample(tokens: Sequence[int], probing: Probing, progress: Progress | None = None) -> ProbedSample:
    """Return what the probes show of `tokens`, in fixed blocks.

    The first blocks are timed, and what the rest will take is told before it is begun.

    :param tokens: The sample in the order drawn; the order decides who is read together.
    :param probing: The probes, and the blocks that are known already.
    :param progress: Where to report.
    """
    progress = progress or Progress()
    known = probing.known or {}
    blocks: list[ProbedBlock] = []
    timed: list[float] = []
    with progress.stage("probes", len(tokens), "tokens") as stage:
        for start in range(0, len(tokens), BLOCK):
            ids = tuple(int(t) for t in tokens[start : start + BLOCK])
            block = known.get(ids[0])
            if block is None or block.tokens != ids:
                began = time.perf_counter()
                reading = probing.probe(ids, PROBE_SHOWS)
                block = ProbedBlock(ids, reading.names, reading.log_p)
                timed.append((time.perf_counter() - began) / len(ids))
                if probing.on_block is not None:
                    probing.on_block(block)
                if len(timed) == _TIMED and (left := len(tokens) - start - len(ids)) > 0:
                    progress.note(_forecast(len(tokens), left, timed))
            blocks.append(block)
            stage.advance(len(ids))
    if not blocks:
        names = probing.probe((), PROBE_SHOWS).names
        return ProbedSample(np.empty(0, np.int64), names, np.empty((0, len(names)), np.float32))
    return ProbedSample(
        np.array([t for block in blocks for t in block.tokens], dtype=np.int64),
        blocks[0].names,
        np.concatenate([block.log_p for block in blocks]),
    )


def _forecast(total: int, left: int, timed: Sequence[float]) -> str:
    per_token = sum(timed) / len(timed)
    return (
        f"Probing {total:,} tokens takes {1000 * per_token:.1f} ms each, about "
        f"{max(1, round(per_token * left / 60))} more minutes; the few that are left then go through the "
        "prompts."
    )

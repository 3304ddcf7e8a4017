"""Probes one after another: each is put to the tokens that all before it left open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from forensics.sources.interface import NextTokens
from forensics.undertrained.prompts import Prompt
from forensics.undertrained.token_evidence import PromptEvidence

__all__ = ["CascadeReading", "Probe", "ProbeCascade"]


@dataclass(frozen=True, eq=False)
class CascadeReading:
    """What the probes showed of some tokens; one row per token, one column per probe."""

    #: Names of the probes, in the order they were put.
    names: tuple[str, ...]
    #: Natural log of the token's probability, shape (n, probes); NaN where the probe was not put.
    log_p: npt.NDArray[np.float32]
    #: The id the model would have said, shape (n, probes); -1 where the probe was not put, or not known.
    said: npt.NDArray[np.int64]
    #: Where `log_p` is what the probability does not exceed, shape (n, probes); None: nowhere.
    is_bound: npt.NDArray[np.bool_] | None = None

    def evidence(self, row: int, decode: Callable[[Sequence[int]], str]) -> dict[str, PromptEvidence]:
        """Return what each probe showed of one token, as a prompt's evidence."""
        shown = {}
        for column, name in enumerate(self.names):
            said, log_p = int(self.said[row, column]), self.log_p[row, column].astype(np.float64)
            if said >= 0 or not np.isnan(log_p):
                bounds = (0,) if self.is_bound is not None and self.is_bound[row, column] else ()
                p = float(np.exp(log_p))
                shown[name] = PromptEvidence(name, (p,), (said,), decode([said]), bounds=bounds)
        return shown


class Probe(Protocol):
    """A probe, ready to be put to one model."""

    @property
    def prompt(self) -> Prompt:
        """What is put."""

    @property
    def is_packed(self) -> bool:
        """Whether many tokens share one pass; else each has a row, or a question, of its own."""

    def read(self, tokens: Sequence[int]) -> NextTokens:
        """Return what it shows of `tokens`."""


class ProbeCascade:
    """Puts tokens to the probes of one model; whoever shows itself leaves."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        """Keep the probes.

        :param probes: The one that settles most first.
        """
        self._probes = tuple(probes)
        #: Names of the probes.
        self.names = tuple(probe.prompt.name for probe in probes)
        #: Names of the probes that run packed; the others cost several times as much.
        self.packed = tuple(p.prompt.name for p in self._probes if p.is_packed)

    @property
    def first(self) -> Probe:
        """The first probe, which every token is put to."""
        return self._probes[0]

    def read(self, tokens: Sequence[int], leave_at: float) -> CascadeReading:
        """Return what the probes show of `tokens`.

        :param tokens: Token ids with a row in the model.
        :param leave_at: A token that reaches this probability is put to no further probe; above 1, all
            tokens are put to all.
        """
        shape = (len(tokens), len(self._probes))
        log_p = np.full(shape, np.nan, dtype=np.float32)
        said = np.full(shape, -1, dtype=np.int64)
        is_bound = np.zeros(shape, dtype=np.bool_)
        ids = np.asarray(tokens, dtype=np.int64)
        open_rows = np.arange(len(ids))
        for column, probe in enumerate(self._probes):
            reading = probe.read(ids[open_rows].tolist())
            log_p[open_rows, column] = reading.log_p
            said[open_rows, column] = reading.said
            if reading.is_bound is not None:
                is_bound[open_rows, column] = reading.is_bound
            # A comparison with NaN is false, so a broken row stays open and is told by the prompts.
            open_rows = open_rows[~(reading.log_p >= np.log(leave_at))]
        return CascadeReading(self.names, log_p, said, is_bound)

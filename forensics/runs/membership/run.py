"""`membership`: what a model's probabilities say of whether it saw a text, or a data set in its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forensics.errors import BadInputError, OptionError
from forensics.exposure.verdict import order_verdict, sets_verdict
from forensics.progress import Progress
from forensics.runs.frame.journal import Journal
from forensics.runs.frame.outcome import Inputs, Job, Outcome, RunSettings
from forensics.runs.frame.result import Result
from forensics.runs.frame.run import run
from forensics.runs.membership.model import AskedModel, open_model
from forensics.runs.membership.order import examine_order
from forensics.runs.membership.sets import compare_sets
from forensics.schema.membership import MembershipOptions, MembershipSummary, OrderSummary, SetsSummary
from forensics.sources.texts.text_pieces import texts_of

__all__ = ["membership"]


def membership(
    model: str | Path,
    *,
    tokenizer: str | Path | None = None,
    texts: str | Path | None = None,
    controls: str | Path | None = None,
    dataset: str | Path | None = None,
    order: bool = False,
    shards: int = 50,
    shuffles: int = 250,
    max_lines: int | None = None,
    max_tokens: int = 512,
    bootstrap: int = 1000,
    permutations: int = 9999,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    overwrite: bool = False,
    offline: bool | None = None,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Result[MembershipSummary]:
    """Return scores of texts beside a judge without the model, or whether it prefers a data set's order.

    >>> import forensics as fx                                                        # doctest: +SKIP
    >>> fx.membership("model", texts="a.txt", controls="b.txt").record.verdict         # doctest: +SKIP

    :param model: A folder, a file, a hub id or `demo`.
    :param tokenizer: The tokenizer, where the model does not bring it.
    :param texts: A file of texts in question, one a line, or with records that have `text`.
    :param controls: A file of texts of the same source that the model cannot have seen.
    :param dataset: A file of lines in the order in which they were published.
    :param order: Ask for that order; you say that any other is as good.
    :param shards: Stretches of the data set.
    :param shuffles: Random orders of each.
    :param max_lines: Only the first so many lines.
    :param max_tokens: Tokens of a text that are read at most.
    :param bootstrap: Draws for an interval.
    :param permutations: Draws for a p-value.
    :param device: A torch device, or `auto`.
    :param dtype: `float32`, `bfloat16`, `float16` or `auto`.
    :param threads: Threads of torch.
    :param seed: Seed of the run's one random generator.
    :param out: Folder for data and reports; None keeps everything in memory.
    :param overwrite: Replace a finished run in `out`.
    :param offline: Never download.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If an input or an option cannot be used.
    :raises ForensicsError: If the model cannot be run.
    """
    options = MembershipOptions(
        texts=None if texts is None else str(texts),
        controls=None if controls is None else str(controls),
        dataset=None if dataset is None else str(dataset),
        order=order,
        shards=shards,
        shuffles=shuffles,
        max_lines=max_lines,
        max_tokens=max_tokens,
        bootstrap=bootstrap,
        permutations=permutations,
        device=device,
        dtype=dtype,
        threads=threads,
    )
    _refuse(options)
    settings = RunSettings.of(out, overwrite=overwrite, offline=offline, command_line=command_line)
    heard = progress or Progress()

    def prepare() -> Job:
        asked = open_model(model, tokenizer, options, settings.offline, heard)
        files = {
            role: Path(name)
            for role, name in (
                ("texts", options.texts),
                ("controls", options.controls),
                ("dataset", options.dataset),
            )
            if name is not None
        }
        read = {role: tuple(texts_of(file)) for role, file in files.items()}
        for role, found in read.items():
            if not found:
                raise BadInputError(files[role], "holds no text", "give one text a line")
        inputs = Inputs(
            {
                "model": asked.checkpoint.files,
                "tokenizer": frozenset(asked.source.files),
                **{role: [file] for role, file in files.items()},
            }
        )
        return Job(inputs, _Work(asked, read, options, seed).work)

    return run("membership", options, prepare, settings, heard, seed=seed)


def _refuse(options: MembershipOptions) -> None:
    """Refuse questions that are none, or two at once."""
    if (options.texts is None) == (options.dataset is None):
        raise OptionError("texts", "give either texts or a data set", "name `texts` or `dataset`")
    if options.controls is not None and options.texts is None:
        raise OptionError("controls", "there is nothing to compare them with", "name `texts`")
    if options.order != (options.dataset is not None):
        raise OptionError(
            "order",
            "the order of a data set is what is asked about, and that any other is as good is yours to say",
            "give `dataset` and `order` together",
        )


@dataclass(frozen=True, eq=False)
class _Work:
    """A question whose inputs are open."""

    asked: AskedModel
    read: dict[str, tuple[str, ...]]
    options: MembershipOptions
    seed: int

    def work(self, _: Journal) -> Outcome:
        """Put the question."""
        asked, options, rng = self.asked, self.options, np.random.default_rng(self.seed)
        sets: SetsSummary | None = None
        order: OrderSummary | None = None
        if "dataset" in self.read:
            order, table = examine_order(asked, self.read["dataset"][: options.max_lines], options, rng)
            verdict = order_verdict(order)
        else:
            texts, controls = self.read["texts"], self.read.get("controls", ())
            sets, table = compare_sets(asked, texts, controls, options, rng)
            verdict = sets_verdict(sets)
        summary = MembershipSummary(
            kind="membership",
            model=asked.checkpoint.name,
            mode="texts" if order is None else "order",
            sets=sets,
            order=order,
            verdict=verdict,
            notes=asked.checkpoint.notes,
            seconds={},
            peak_rss_bytes=0,
        )
        return Outcome({"texts": table}, summary)

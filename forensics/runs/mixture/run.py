"""`mixture`: what a tokenizer was trained on, from its merge list, with the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forensics.errors import BadInputError, MissingExtraError
from forensics.files import read_json
from forensics.mixture.bootstrap import Interval, bootstrap_intervals
from forensics.mixture.infer import Method, infer_proportions
from forensics.mixture.pair_evidence import Denominator
from forensics.mixture.text_sample import MOST_SAMPLE, sample_blocks
from forensics.progress import Progress
from forensics.runs.frame.folder import finished_manifest
from forensics.runs.frame.journal import fingerprint
from forensics.runs.frame.manifest import build_manifest, hash_files
from forensics.runs.frame.peak_memory import peak_rss_bytes
from forensics.runs.mixture.count_text import count_categories
from forensics.runs.mixture.summary import merge_table, mixture_summary, text_summary
from forensics.sources.texts.corpora import find_corpora, left_out, read_corpus
from forensics.vocabulary.merge_list import MergeList, merge_list_of, shared_prefix
from forensics.vocabulary.splitting import splitter_of
from forensics.vocabulary.unlearned import find_unlearned, set_aside

if TYPE_CHECKING:
    import pandas as pd

    from forensics.sources.interface import TokenizerSource

__all__ = ["MixtureResult", "infer_mixture"]

#: Share of the shorter list that must be common for one list to go on from the other. Any two lists share
#: their first merges (Claude's and GPT-4's 18); Llama 3's list has all of GPT-4's, Qwen3's 99 % (all but the
#: numbers).
LEAST_SHARED = 0.5
#: Libraries of the extra `mixture` that every run needs.
_NEEDS = ("highspy", "joblib", "numba")


@dataclass(frozen=True, eq=False, repr=False)
class MixtureResult:
    """The result of `mixture`, in memory; keys and columns are those of the files on disk."""

    #: The contents of `mixture.json`.
    summary: dict[str, Any]
    #: One row per merge in the fit, the columns of `merges.parquet`.
    merges: pd.DataFrame
    #: The contents of `manifest.json`.
    manifest: dict[str, Any]
    #: Where the files were written, or None.
    folder: Path | None = None

    @property
    def proportions(self) -> dict[str, float]:
        """Category -> share of bytes, sums to 1."""
        return dict(self.summary["proportions"])

    def save(self, folder: str | Path) -> list[Path]:
        """Write data files and reports into `folder` and return their paths, `report.html` first.

        :raises OutputError: If anything cannot be written.
        """
        from forensics.report.mixture import save_mixture

        return save_mixture(Path(folder), self.summary, self.merges, self.manifest)

    def __repr__(self) -> str:
        """Return the finding in a sentence."""
        from forensics.report.mixture import mixture_headline

        return mixture_headline(self.summary)


def infer_mixture(
    tokenizer: str | Path,
    corpora: str | Path | Sequence[str | Path] = (),
    *,
    named: Mapping[str, str | Path] | Sequence[tuple[str, str | Path]] = (),
    method: str = "curve",
    compare: bool = False,
    merges: int | None = None,
    skip_merges: int = 0,
    after: str | Path | None = None,
    max_bytes: int | None = None,
    denominator: str = "bytes",
    solver: str = "highs",
    write_lp: str | Path | None = None,
    bootstrap: int = 0,
    pretokenizer: str | None = None,
    baselines: bool = False,
    cache: str | Path | None = None,
    jobs: int = 1,
    dask: str | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    overwrite: bool = False,
    offline: bool | None = None,
    command_line: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> MixtureResult:
    """Return the mixture of categories that a BPE tokenizer's merges point to.

    :param tokenizer: A file, a folder, a hub id or `demo`.
    :param corpora: A folder with one file or folder per category, several of them, or `demo`.
    :param named: Further categories by name.
    :param method: `curve` or `lp`.
    :param compare: Use both methods and warn where they disagree.
    :param merges: Merges used, from the start of the list; default as many as the text supports.
    :param skip_merges: Merges at the start that are not explained.
    :param after: A tokenizer whose list this one begins with: only what follows is explained.
    :param max_bytes: Text read of each category at most.
    :param denominator: Unit inside the inference, `bytes` or `pairs`; the shares are of bytes.
    :param solver: `highs`, or one that PuLP knows.
    :param write_lp: Where the linear program is written.
    :param bootstrap: Simulated tokenizers for the intervals; 0 for none. They are trained on a sample of
        8 MB of each category at most, so that no more text than that is ever in memory.
    :param pretokenizer: A named rule in place of the tokenizer's own.
    :param baselines: Give the source's baselines too.
    :param cache: Folder for the counts of text.
    :param jobs: Processes.
    :param dask: Address of a Dask scheduler for the counting.
    :param seed: What simulations are drawn from.
    :param out: Folder for data and reports; None keeps everything in memory.
    :param overwrite: Replace a finished run in `out`.
    :param offline: Never download.
    :param command_line: The arguments as typed, for the manifest.
    :param progress: Where to report.
    :raises BadInputError: If the tokenizer is not BPE, or a category cannot be used.
    :raises MissingExtraError: If the libraries of the extra `mixture` are not installed.
    """
    import forensics
    from forensics.report.mixture import load_merges
    from forensics.sources import open_tokenizer

    _check_installed(dask)
    progress = progress or Progress()
    folders = [corpora] if isinstance(corpora, str | Path) else list(corpora)
    pairs = list(named.items()) if isinstance(named, Mapping) else list(named)
    categories = find_corpora(folders, pairs)
    if not categories:
        raise BadInputError("--corpora", "no category given", "try --corpora demo")
    unread = left_out(folders, pairs)
    for note in unread:
        progress.note(note)
    source = open_tokenizer(tokenizer, offline=offline, progress=progress)
    merge_list = merge_list_of(source)
    skip, remark = _skipped(source, merge_list, skip_merges, after, offline, progress)
    splitter = splitter_of(source, merge_list, pretokenizer)
    with progress.stage("look for merges that training did not choose"):
        unlearned = find_unlearned(source, merge_list, splitter)
    merge_list = set_aside(merge_list, unlearned)
    files = hash_files([*source.files, *(file for c in categories for file in c.files)], progress=progress)
    parameters: dict[str, Any] = {
        "method": method,
        "compare": compare,
        "merges": merges,
        "skip_merges": skip,
        "max_bytes": max_bytes,
        "denominator": denominator,
        "solver": solver,
        "bootstrap": bootstrap,
        "pretokenizer": pretokenizer,
        "baselines": baselines,
    }
    run = fingerprint(
        {
            "files": sorted((Path(f["path"]).name, f["sha256"]) for f in files),
            "names": [corpus.name for corpus in categories],
            "command": "mixture",
            "version": forensics.__version__,
            "seed": seed,
            **parameters,
        }
    )
    folder = None if out is None else Path(out)
    kept = None if folder is None or overwrite else finished_manifest(folder, run, "mixture.json")
    if folder is not None and kept is not None:
        progress.note(f"{folder} holds this run already; --overwrite computes it again.")
        return MixtureResult(read_json(folder / "mixture.json"), load_merges(folder), kept, folder)
    counted = count_categories(
        categories,
        splitter,
        max_bytes=max_bytes,
        cache=None if cache is None else Path(cache),
        jobs=jobs,
        dask=dask,
        progress=progress,
    )
    mixture = infer_proportions(
        counted,
        merge_list,
        method=Method(method),
        compare=compare,
        most_merges=merges,
        skip=skip,
        denominator=Denominator(denominator),
        solver=solver,
        write_lp=None if write_lp is None else Path(write_lp),
        baselines=baselines,
        progress=progress,
    )
    for note in mixture.notes:
        progress.note(note)
    intervals: dict[str, Interval] = {}
    if bootstrap:
        seeds = np.random.SeedSequence(seed).spawn(len(categories))
        texts = {
            c.name: sample_blocks(read_corpus(c, max_bytes), each)
            for c, each in zip(categories, seeds, strict=True)
        }
        if any(c.nbytes > MOST_SAMPLE for c in counted):
            remark.append(f"the intervals were simulated on {MOST_SAMPLE:,} bytes of each category at most")
        with progress.stage("bootstrap", bootstrap, "simulated tokenizers") as stage:
            intervals = bootstrap_intervals(
                texts,
                mixture.proportions,
                splitter,
                merges=mixture.merges_used,
                repeats=bootstrap,
                seed=seed,
                jobs=jobs,
                on_repeat=stage.advance,
            )
    summary = mixture_summary(source, merge_list, unlearned, splitter, mixture, intervals, bootstrap)
    summary["notes"] = [*unread, *remark, *mixture.notes, *source.notes]
    summary["text"] = text_summary(counted)
    summary["seconds"] = {name: round(seconds, 3) for name, seconds in progress.seconds.items()}
    summary["peak_rss_bytes"] = peak_rss_bytes()
    manifest = build_manifest(
        files, command_line=command_line, seed=seed, parameters=parameters, fingerprint=run
    )
    result = MixtureResult(summary, merge_table(merge_list, mixture, source), manifest, folder)
    if folder is not None:
        result.save(folder)
    return result


def _check_installed(dask: str | None) -> None:
    """Refuse to start what would fail after minutes of counting.

    :raises MissingExtraError: If a library that only this command needs is missing.
    """
    for package in _NEEDS:
        if find_spec(package) is None:
            raise MissingExtraError(package, "mixture", "`forensics mixture`")
    if dask is not None and find_spec("distributed") is None:
        raise MissingExtraError("distributed", "mixture", "--dask")


def _skipped(
    source: TokenizerSource,
    merges: MergeList,
    skip: int,
    after: str | Path | None,
    offline: bool | None,
    progress: Progress,
) -> tuple[int, list[str]]:
    """Return how many merges are not explained, and a remark on why."""
    from forensics.sources import open_tokenizer

    if after is None:
        return skip, []
    if skip:
        raise BadInputError("--after", "given together with --skip-merges", "give one of the two")
    other = open_tokenizer(after, offline=offline, progress=progress)
    others = merge_list_of(other)
    shared = shared_prefix(merges, others)
    if shared < LEAST_SHARED * min(len(merges), len(others)):
        raise BadInputError(
            "--after",
            f"the merge list of {source.name} does not begin with that of {other.name}: they have the first "
            f"{shared:,} merges in common, of {len(others):,}",
            "leave out --after",
        )
    return shared, [f"the first {shared:,} merges are those of {other.name} and are not explained"]

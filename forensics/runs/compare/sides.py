"""What stands on one side of a comparison: a tokenizer, a checkpoint, or a finished scan."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.comparison.scans import ScanOfTokens
from forensics.comparison.spelt import SpeltPieces, spell
from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.report.results import load_results
from forensics.sources.interface import Checkpoint, TokenizerSource

__all__ = ["MOST", "OpenScan", "OpenTokenizer", "Side", "open_sides"]

#: As many as there are letters.
MOST = 26
_TABLE, _SUMMARY = "tokens.parquet", "summary.json"


@dataclass(frozen=True, eq=False)
class OpenTokenizer:
    """A tokenizer, and the checkpoint that it belongs to where there are weights."""

    source: TokenizerSource
    checkpoint: Checkpoint | None
    #: Why weights that are there are left out, or None.
    weights_problem: str | None


@dataclass(frozen=True, eq=False)
class OpenScan:
    """A finished scan."""

    folder: Path
    tokens: ScanOfTokens


@dataclass(frozen=True, eq=False)
class Side:
    """One of the things compared."""

    #: `A`, `B`, ...
    letter: str
    #: What to call it; no two sides have one name.
    name: str
    opened: OpenTokenizer | OpenScan
    #: Of a tokenizer, once the work has begun.
    vocabulary: SpeltPieces | None = None

    @property
    def what(self) -> str:
        """The word for its kind."""
        if isinstance(self.opened, OpenScan):
            return "scan"
        return "tokenizer" if self.opened.checkpoint is None else "checkpoint"

    @property
    def tokenizer(self) -> tuple[TokenizerSource, SpeltPieces]:
        """The tokenizer and its vocabulary, where the work has begun."""
        if isinstance(self.opened, OpenScan) or self.vocabulary is None:
            raise TypeError(f"{self.name} has no vocabulary yet")
        return self.opened.source, self.vocabulary

    def with_vocabulary(self) -> Side:
        """Return it with its vocabulary worked out; a scan as it is."""
        if isinstance(self.opened, OpenScan):
            return self
        return replace(self, vocabulary=spell(self.opened.source))

    def files(self) -> dict[str, frozenset[Path]]:
        """Return what is read of it, by what it is for."""
        if isinstance(self.opened, OpenScan):
            folder = self.opened.folder
            return {f"scan {self.letter}": frozenset({folder / _TABLE, folder / _SUMMARY})}
        found = {f"tokenizer {self.letter}": frozenset(self.opened.source.files)}
        if self.opened.checkpoint is not None:
            found[f"weights {self.letter}"] = frozenset(self.opened.checkpoint.files)
        return found


def open_sides(paths: Sequence[str | Path], offline: bool | None, progress: Progress) -> tuple[Side, ...]:
    """Open everything that is compared.

    :param paths: Two or more: tokenizers, checkpoints, or folders of finished scans.
    :param offline: Never download.
    :param progress: Where to report to.
    :raises BadInputError: If there are too few or too many, one cannot be read, or scans are mixed
        with others.
    """
    if not 2 <= len(paths) <= MOST:
        raise BadInputError("compare", f"found {len(paths)} to compare", f"give 2 to {MOST}")
    opened = [_open(path, offline, progress) for path in paths]
    scans = [path for path, one in zip(paths, opened, strict=True) if isinstance(one, OpenScan)]
    if scans and len(scans) < len(paths):
        other = next(path for path in paths if path not in scans)
        raise BadInputError(
            scans[0], f"is a finished scan, and {other} is none", "compare scans with scans only"
        )
    names = [one.tokens.name if isinstance(one, OpenScan) else one.source.name for one in opened]
    times = Counter(names)
    sides = [
        Side(letter, name if times[name] == 1 else f"{name} ({letter})", one)
        for letter, name, one in zip(string.ascii_uppercase, names, opened, strict=False)
    ]
    return tuple(_without_useless_weights(side, sides) for side in sides)


def _without_useless_weights(side: Side, sides: Sequence[Side]) -> Side:
    """Leave out weights that have nothing to be compared with: nobody wants gigabytes hashed for that."""
    first, *others = (
        isinstance(each.opened, OpenTokenizer) and each.opened.checkpoint is not None for each in sides
    )
    if isinstance(side.opened, OpenScan) or (first and any(others)):
        return side
    return replace(side, opened=replace(side.opened, checkpoint=None))


def _open(path: str | Path, offline: bool | None, progress: Progress) -> OpenTokenizer | OpenScan:
    from forensics.sources import open_checkpoint, open_tokenizer
    from forensics.sources.locate import locate_model

    found = locate_model(path, offline=offline, progress=progress)
    if found.is_dir() and (found / _SUMMARY).is_file():
        return _open_scan(found)
    source = open_tokenizer(found, offline=offline, progress=progress)
    try:
        if not _may_hold_weights(found):
            return OpenTokenizer(source, None, None)
        return OpenTokenizer(source, open_checkpoint(found, offline=offline, progress=progress), None)
    except BadInputError as error:  # the tokenizers can be compared all the same, and the report says so
        return OpenTokenizer(source, None, str(error))


def _may_hold_weights(path: Path) -> bool:
    """Whether a path looks like weights; a GGUF file may hold a tokenizer alone."""
    from forensics.sources.checkpoints.layouts import FOLDER_LAYOUTS
    from forensics.sources.gguf.file import GGUF_MAGIC, read_gguf

    if path.is_dir():
        files = [file for layout in FOLDER_LAYOUTS for file in sorted(path.glob(layout.pattern))]
    else:
        files = [path] if path.suffix in (".safetensors", ".gguf", ".bin", ".pt", ".pth") else []
    for file in files:
        try:
            with file.open("rb") as stream:
                is_gguf = stream.read(len(GGUF_MAGIC)) == GGUF_MAGIC
        except OSError as error:
            raise BadInputError(
                file, f"cannot be read ({error.strerror})", "check its permissions"
            ) from error
        if not is_gguf or read_gguf(file).tensors:
            return True
    return False


def _open_scan(folder: Path) -> OpenScan:
    results = load_results(folder)
    if results.summary.kind != "scan":
        raise BadInputError(
            folder,
            f"holds a finished run of {results.summary.kind!r}",
            "give folders that `forensics scan` wrote",
        )
    tokens = results.tokens
    if "verdict" not in tokens.columns or not tokens["verdict"].notna().any():
        raise BadInputError(
            folder, "is a scan in which no token was put to the model", "scan again with `verify`"
        )
    as_words = [word if isinstance(word, str) else None for word in tokens["verdict"]]
    spelt = [data if isinstance(data, bytes) else None for data in tokens["bytes"]]
    name = results.summary.model.rstrip("/").rsplit("/", 1)[-1]
    return OpenScan(folder, ScanOfTokens(name, spelt, as_words))

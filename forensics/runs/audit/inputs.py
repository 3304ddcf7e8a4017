"""Everything that an audit reads, opened and refused before the work begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.runs.frame.outcome import Inputs
from forensics.schema.audit import AuditOptions
from forensics.sources.interface import TokenizerSource
from forensics.sources.texts.corpora import DEMO, Corpus, find_corpora
from forensics.sources.texts.parallel_text import EMBEDDED, ParallelText, read_parallel_text
from forensics.sources.texts.word_files import read_morphemes, read_words
from forensics.sources.tokenizer_files.chat_templates import ChatTemplate, read_chat_templates

__all__ = ["Opened", "open_inputs"]


@dataclass(frozen=True, eq=False)
class Opened:
    """The inputs of one audit."""

    source: TokenizerSource
    templates: tuple[ChatTemplate, ...]
    parallel: ParallelText
    corpora: Sequence[Corpus]
    #: The tokenizer that lengths are given against.
    other: TokenizerSource | None
    #: Words as their morphemes; word -> how often it occurs; a list of words. Empty where not asked for.
    morphemes: Sequence[tuple[str, ...]]
    words: Mapping[str, int]
    wordlist: Mapping[str, int]
    #: What was asked for -> the file that says it.
    word_files: Mapping[str, Path]

    def inputs(self) -> Inputs:
        """Return the files, by what they are for."""
        # The name of a language is in the results, and is its file's.
        parallel = zip(self.parallel.languages, self.parallel.files, strict=True)
        return Inputs(
            {
                "tokenizer": frozenset(self.source.files),
                "reference": frozenset(self.other.files if self.other is not None else ()),
                **{f"parallel {language}": (file,) for language, file in parallel},
                **{f"text {corpus.name}": corpus.files for corpus in self.corpora},
                **{role: (file,) for role, file in self.word_files.items()},
            }
        )


def open_inputs(
    tokenizer: str | Path, options: AuditOptions, offline: bool | None, progress: Progress
) -> Opened:
    """Open everything that the options name.

    :param tokenizer: A file, a folder, a hub id or `demo`.
    :param options: What is asked for.
    :param offline: Never download.
    :param progress: Where to report.
    :raises BadInputError: Names the first input that cannot be used.
    """
    from forensics.sources import open_tokenizer

    with progress.stage("open"):
        source = open_tokenizer(tokenizer, offline=offline, progress=progress)
        other = (
            open_tokenizer(options.reference, offline=offline, progress=progress)
            if options.reference is not None
            else None
        )
        parallel = read_parallel_text(EMBEDDED if options.parallel is None else options.parallel)
        if options.reference_language not in parallel.lines:
            raise BadInputError(
                options.parallel or "the embedded text",
                f"no language {options.reference_language!r}",
                f"name one of {', '.join(parallel.languages[:8])}, ... with `reference_language`",
            )
        asked = {name: getattr(options, name) for name in ("morphology", "words", "wordlist")}
        files = {name: Path(place) for name, place in asked.items() if place is not None}
        return Opened(
            source=source,
            templates=read_chat_templates(source),
            parallel=parallel,
            corpora=find_corpora(options.corpora or (DEMO,)),
            other=other,
            morphemes=read_morphemes(files["morphology"]) if "morphology" in files else (),
            words=read_words(files["words"]) if "words" in files else {},
            wordlist=read_words(files["wordlist"]) if "wordlist" in files else {},
            word_files=files,
        )

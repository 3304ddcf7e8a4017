"""What merges leave behind on text by category, or why that cannot be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.auditing.applied_merges import apply_merges
from forensics.auditing.residues import Residues, find_residues
from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.sources.interface import TokenizerModel, TokenizerSource
from forensics.sources.texts.corpora import Corpus, read_corpus
from forensics.vocabulary.merge_list import MergeList, merge_list_of
from forensics.vocabulary.splitting import splitter_of

__all__ = ["MOST_BYTES", "TextResidues", "residues_of"]

#: Bytes read of each category, so that none outweighs the others and a run stays short.
MOST_BYTES = 100_000


@dataclass(frozen=True, eq=False)
class TextResidues:
    """Residues, and the text that they were found on."""

    residues: Residues
    #: Categories of text, and the bytes read.
    texts: int
    bytes: int


def residues_of(
    source: TokenizerSource, merges: MergeList | None, corpora: Sequence[Corpus], progress: Progress
) -> TextResidues | str:
    """Return what the merges of a tokenizer leave behind, or the reason why there is no such thing.

    :param source: The tokenizer.
    :param merges: Its merge list, if the caller has read it already.
    :param corpora: The text; `MOST_BYTES` of each are read.
    :param progress: Where to report.
    :raises BadInputError: If text cannot be read.
    """
    if source.model is not TokenizerModel.BPE or not source.merges:
        return f"a {source.model.value} tokenizer keeps no merges"
    try:
        splitter = splitter_of(source, merge_list_of(source, merges))
    except BadInputError as error:
        return error.found
    words: Counter[str] = Counter()
    nbytes = 0
    with progress.stage("applying merges", len(corpora), "texts") as stage:
        for corpus in corpora:
            for text in read_corpus(corpus, MOST_BYTES):
                nbytes += len(text.encode("utf-8", "surrogatepass"))
                for unit in splitter.units(text):
                    words.update(splitter.split(unit))
            stage.advance()
        applied = apply_merges(source, dict(sorted(words.items())))
    return TextResidues(find_residues(source.merges, applied), len(corpora), nbytes)

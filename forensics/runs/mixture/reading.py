"""What of an opened tokenizer `mixture` reads: stored merges, recovered ones, or the pieces."""

from __future__ import annotations

from forensics.errors import OptionError
from forensics.mixture.piece_lists import merges_of_wordpiece, pieces_of_source
from forensics.runs.mixture.learned import LearnedMerges, LearnedPieces
from forensics.schema.mixture import MixtureOptions
from forensics.sources.interface import TokenizerModel, TokenizerSource
from forensics.vocabulary.merge_list import MergeList, merge_list_of
from forensics.vocabulary.splitting import splitter_of, splitter_of_pieces
from forensics.vocabulary.unlearned import Unlearned, find_unlearned, set_aside

__all__ = ["check_for_pieces", "read_tokenizer"]


def read_tokenizer(source: TokenizerSource, rule: str | None) -> LearnedMerges | LearnedPieces:
    """Return what training left in a tokenizer, with what it did not choose set aside.

    :param source: The tokenizer.
    :param rule: A named way of cutting text in place of its own; only where it has merges.
    :raises BadInputError: If its algorithm leaves nothing, or its files do not say how text is cut.
    """
    if source.model is TokenizerModel.UNIGRAM:
        return LearnedPieces(source, pieces_of_source(source), splitter_of_pieces(source))
    if source.model is TokenizerModel.WORDPIECE:
        merges = merges_of_wordpiece(source)
        if merges is None:
            return LearnedPieces(source, pieces_of_source(source), splitter_of_pieces(source))
        return LearnedMerges(
            source, merges, _nothing_unlearned(merges), splitter_of_pieces(source), wordpiece=True
        )
    merges = merge_list_of(source)
    splitter = splitter_of(source, merges, rule)
    unlearned = find_unlearned(source, merges, splitter)
    return LearnedMerges(source, set_aside(merges, unlearned), unlearned, splitter)


def check_for_pieces(source: TokenizerSource, options: MixtureOptions) -> None:
    """Refuse options about merges for a tokenizer of which pieces are read.

    :raises OptionError: If one is given.
    """
    about_merges = {
        "method": options.method != "curve",
        "compare": options.compare,
        "skip_merges": options.skip_merges > 0,
        "after": options.after is not None,
        "write_lp": options.write_lp is not None,
        "pretokenizer": options.pretokenizer is not None,
    }
    for name, given in about_merges.items():
        if given:
            raise OptionError(
                name, f"{source.name} is a {source.model.value} tokenizer without merges", "leave it out"
            )


def _nothing_unlearned(merges: MergeList) -> Unlearned:
    return Unlearned(merges.aside, merges.aside, (), (), ())

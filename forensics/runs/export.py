"""`export`: the tokens that a finished scan found, as a list that keeps a model from producing them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensics.errors import BadInputError, OptionError
from forensics.repairing.ban_formats import BanList
from forensics.repairing.ban_list import tokens_to_ban
from forensics.report.results import load_results
from forensics.runs.finished_scan import refuse_unanswerable, scanned_tokens
from forensics.schema.export import ExportOptions
from forensics.schema.options import check

__all__ = ["ban_list"]

#: Formats whose readers refuse ids that the tokenizer does not have.
_WITHIN_VOCABULARY = ("logit-bias", "vllm-allowed")


def ban_list(
    folder: str | Path,
    *,
    format: str = "ids",
    what: str = "unknown",
    reserved: bool = False,
    past_vocabulary: bool = False,
    keep: Sequence[int] | None = None,
) -> BanList:
    """Return the tokens of a finished scan that are to be banned.

    Tokens with a role (bos, eos, ..) and special entries that no file declares reserved are never among them.

    :param folder: What `scan` wrote.
    :param format: The format it is meant for; what that cannot hold is refused.
    :param what: `unknown`, `verified` or `strong`.
    :param reserved: Ban what is declared reserved, too.
    :param past_vocabulary: Ban rows past the tokenizer's vocabulary, too.
    :param keep: Ids never to be banned.
    :raises BadInputError: If the folder holds no scan that put tokens to the model, or nothing is left to ban
        where the format needs something.
    """
    check(ExportOptions(format, what, reserved, past_vocabulary, None if keep is None else tuple(keep)))
    if past_vocabulary and format in _WITHIN_VOCABULARY:
        raise OptionError(
            "past_vocabulary",
            f"the readers of {format} refuse ids that the tokenizer does not have",
            "leave it out, or choose another `format`",
        )
    results = load_results(Path(folder))
    refuse_unanswerable(results, Path(folder), what, without_text="scan again, or ask for `verified`")
    in_role = {each.token_id for each in results.summary.special_tokens if each.roles}
    ids = tokens_to_ban(
        scanned_tokens(results),
        what,
        reserved=reserved,
        past_vocabulary=past_vocabulary,
        in_role=in_role,
        keep=keep or (),
    )
    if not ids and format == "transformers-bad-words":
        raise BadInputError(
            folder, "nothing to ban, and this format cannot say so", "choose another `format`"
        )
    pieces = results.tokens["piece"].fillna("")
    return BanList(tuple(ids), results.summary.tokenizer.vocab_size, {i: str(pieces.iloc[i]) for i in ids})

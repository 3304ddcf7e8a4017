"""`audit`: its options and what its tables hold; the records of its summary are in `audit_summary`."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.schema.columns import Column, TableSchema
from forensics.schema.options import option

__all__ = ["FINDINGS_TABLE", "LANGUAGES_TABLE", "NUMBERS_TABLE", "VOCABULARY_TABLE", "AuditOptions"]

#: One row per language of the parallel text, the dearest first.
LANGUAGES_TABLE = TableSchema(
    "languages",
    (
        Column("language", "string", "the language, as its file is named"),
        Column("script", "string", "Unicode script of most of its letters"),
        Column("premium", "double", "tokens over those of the reference language for the same lines"),
        Column("premium_low", "double", "lower end of its 95 % interval; null for too few lines"),
        Column("premium_high", "double", "upper end"),
        Column("struck", "bool", "over 10 % is unknown or dropped, so that the premium means nothing"),
        Column("bytes", "int64", "UTF-8 bytes of all lines"),
        Column("characters", "int64", "code points of all lines"),
        Column("tokens", "int64", "tokens of all lines, special tokens not counted"),
        Column("bytes_per_token", "double", "compare tokenizers on one language, never scripts"),
        Column("characters_per_token", "double", "the same in code points"),
        Column("fertility", "double", "tokens per word; null for scripts that put no spaces between words"),
        Column("continued", "double", "share of words of two or more tokens; null as before"),
        Column("single_token", "double", "share of words that are one token (STRR); null as before"),
        Column("unknown", "double", "share of tokens that are unknown; null where every byte can be spelt"),
        Column("dropped", "double", "share of visible characters that no token covers"),
        Column("round_trip", "double", "share of lines that decoding gives back exactly"),
        Column("round_trip_nearly", "double", "the same after NFC, spaces at the ends aside"),
        Column("split_characters", "double", "share of characters spread over several tokens"),
        Column("alphabet", "double", "share of its letters, marks and numbers that are tokens; null: none"),
        Column("shannon", "double", "Shannon entropy of its tokens in bits"),
        Column("renyi_of_types", "double", "Renyi efficiency of order 2.5 over the types seen"),
        Column("renyi_of_size", "double", "the same over the declared size of the vocabulary"),
        Column("average_rank", "double", "mean rank of its tokens, the most frequent having rank 0"),
        Column("nsl", "double", "tokens over those of the tokenizer given with `reference`"),
        Column("nsl_low", "double", "lower end of its 95 % interval"),
        Column("nsl_high", "double", "upper end"),
    ),
)
#: One row per id.
VOCABULARY_TABLE = TableSchema(
    "vocabulary",
    (
        Column("token_id", "int32", "id of the tokenizer"),
        Column("piece", "string", "the entry as stored; empty for an id without one"),
        Column("text", "string", "the text; null where the bytes are no valid UTF-8 by themselves"),
        Column("bytes", "binary", "the exact bytes; null for an id without a piece"),
        Column("kind", "string", "letters, digits, partial, ... (`auditing.kinds.Kind`)"),
        Column("script", "string", "Unicode script of the letters, `Common`, `Mixed`, or empty"),
        Column("characters", "int32", "code points of its text, 0 without one"),
        Column("begins_word", "bool", "a space stands in front; in WordPiece: it does not go on a word"),
        Column("created", "int64", "times merges made it of the corpora; null if no merge makes it"),
        Column("final", "int64", "times it was left standing; null as before"),
        Column("stays", "double", "R = final / created; null if it was never made"),
        Column("vanishes", "double", "the largest share of it that one merge used up (IoS)"),
        Column("removable", "bool", "the texts do without it, and so do the merges they need"),
    ),
    key=("token_id",),
)
#: One row per number of digits.
NUMBERS_TABLE = TableSchema(
    "numbers",
    (
        Column("digits", "int32", "digits per number"),
        Column("numbers", "int64", "random numbers tried"),
        Column("tokens", "double", "tokens per number"),
        Column("patterns", "int64", "different ways in which they were cut"),
        Column("commonest", "string", "the commonest way, as the digits of each part"),
        Column("commonest_share", "double", "how many were cut so"),
        Column("threes_from_left", "double", "share cut in threes from the left"),
        Column("threes_from_right", "double", "share cut in threes from the right"),
        Column("single_digits", "double", "share cut into single digits"),
    ),
    key=("digits",),
)
#: One row per finding, the worst first.
FINDINGS_TABLE = TableSchema(
    "findings",
    (
        Column("level", "string", "error, warning or note"),
        Column("rule", "string", "what kind of finding it is"),
        Column("subject", "string", "what it is about, the same in another run"),
        Column("message", "string", "what was found"),
        Column("help", "string", "what to do about it"),
        Column("token_id", "int64", "the token, where it is about one"),
        Column("evidence", "string", "JSON: the numbers it rests on"),
        Column("fingerprint", "string", "hash of rule and subject"),
    ),
)


@dataclass(frozen=True)
class AuditOptions:
    """What `audit` can be asked for."""

    parallel: str | None = option(
        None,
        "One text per language, line i of each saying the same.",
        metavar="DIR",
        path=True,
        default_text="250 lines of FLORES-200 in 32 languages",
    )
    reference_language: str = option(
        "eng_Latn", "The language that premiums refer to, as its file is named.", metavar="LANG"
    )
    corpora: tuple[str, ...] = option(
        (),
        "Text for residues, one file or folder per category; 100 kB of each are read.",
        metavar="DIR",
        multiple=True,
        path=True,
        default_text="the text that comes with the package",
    )
    reference: str | None = option(
        None, "Give lengths against TOKENIZER too (NSL).", metavar="TOKENIZER", path=True
    )
    renyi: bool = option(False, "Give Renyi efficiency, Shannon entropy and average rank.")
    overlap: bool = option(False, "Give how differently any two languages use the vocabulary.")
    gini: bool = option(False, "Give the Gini coefficient of tokens per line over languages.")
    inference: bool = option(False, "Compare other ways of cutting text into the same pieces.")
    pairs: bool = option(False, "Count pairs of incomplete tokens that survive encoding.")
    morphology: str | None = option(
        None, "Judge cuts by a word, a tab and its morphemes in each line.", metavar="FILE", path=True
    )
    words: str | None = option(
        None, "Give fertility of words found otherwise, one in each line.", metavar="FILE", path=True
    )
    wordlist: str | None = option(
        None, "Give the share of the vocabulary that is in a list of words.", metavar="FILE", path=True
    )
    prune_plan: bool = option(False, "List the tokens that all these texts do without.")

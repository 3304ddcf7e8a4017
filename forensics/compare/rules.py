"""The rules of `compare`: whether a GGUF file still is the tokenizer it was converted from."""

from __future__ import annotations

from forensics.schema.finding import Level, Rule

__all__ = ["RULES"]

_AGAIN = "Convert the model again with a current converter, and compare once more."
_TABLE = (
    Rule(
        "parity/size",
        Level.NOTE,
        "The two have different numbers of ids.",
        "Nothing, if only padding is more.",
    ),
    Rule("parity/piece", Level.ERROR, "An id stands for other bytes.", _AGAIN),
    Rule(
        "parity/type",
        Level.WARNING,
        "A token is matched in text on one side and not, or only with special parsing, on the other.",
        _AGAIN,
    ),
    Rule("parity/merges", Level.ERROR, "The merges differ.", _AGAIN),
    Rule("parity/pre", Level.WARNING, "Text is cut otherwise before the algorithm runs.", _AGAIN),
    Rule("parity/flag", Level.WARNING, "What is put around a text, or a special id, differs.", _AGAIN),
    Rule("parity/ids", Level.ERROR, "The same text gives other ids.", _AGAIN),
    Rule("parity/template", Level.WARNING, "The chat templates differ.", "Set the template by hand."),
)

#: Id -> rule.
RULES = {rule.id: rule for rule in _TABLE}

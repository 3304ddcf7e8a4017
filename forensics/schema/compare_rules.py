"""The rules of `compare`.

`parity/` rules ask whether a GGUF file still is the tokenizer it was converted from, and a difference is a
fault. Between any other two a difference is no fault by itself: `difference/` rules give notes.
"""

from __future__ import annotations

from forensics.schema.finding import Level, Rule

__all__ = ["RULES"]

_AGAIN = "Convert the model again with a current converter, and compare once more."
_TOGETHER = "Nothing, unless the two are meant to be one: then use each only with its own weights."
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
    Rule("difference/pieces", Level.NOTE, "One has pieces that the other lacks.", _TOGETHER),
    Rule("difference/ids", Level.NOTE, "Shared pieces have other ids.", _TOGETHER),
    Rule("difference/order", Level.NOTE, "Shared merges, or scores, stand in another order.", _TOGETHER),
    Rule("difference/added", Level.NOTE, "Added tokens differ.", _TOGETHER),
    Rule("difference/setting", Level.NOTE, "A setting of the tokenizer differs.", _TOGETHER),
    Rule("difference/text", Level.NOTE, "The same text gives other ids.", _TOGETHER),
    Rule("difference/template", Level.NOTE, "The chat templates differ.", _TOGETHER),
    Rule(
        "weights/not-independent",
        Level.NOTE,
        "The two checkpoints did not start independently.",
        "Ask where the weights come from; equal seed and shapes are dependence without descent.",
    ),
)

#: Id -> rule.
RULES = {rule.id: rule for rule in _TABLE}

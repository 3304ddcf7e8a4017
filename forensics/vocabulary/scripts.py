"""The writing system of a token, from Unicode's Script property.

The property comes from fontTools, which matplotlib brings; its tables follow the current Unicode.
"""

from __future__ import annotations

from functools import cache

__all__ = ["COMMON", "MIXED", "script_of_text"]

#: No letter of any script: digits, punctuation, symbols, spaces.
COMMON = "Common"
#: Letters of two or more scripts.
MIXED = "Mixed"

_NONE = frozenset({"Zyyy", "Zinh", "Zzzz"})


@cache
def _script_of_character(character: str) -> str | None:
    """Return the name of a character's script, or None if it belongs to all or none."""
    from fontTools import unicodedata  # type: ignore[import-untyped]

    code = unicodedata.script(character)
    return None if code in _NONE else unicodedata.script_name(code).replace("_", " ")


def script_of_text(text: str | None) -> str:
    """Return the script of the characters of `text` that have one; empty for no text.

    >>> script_of_text(" naïve"), script_of_text("42"), script_of_text("Aя"), script_of_text("東京")
    ('Latin', 'Common', 'Mixed', 'Han')
    """
    if not text:
        return ""
    scripts = {script for character in set(text) if (script := _script_of_character(character))}
    if not scripts:
        return COMMON
    return MIXED if len(scripts) > 1 else scripts.pop()

r"""Make a token visible: nothing in it is lost, and nothing in it can disturb the page around it.

Tokens hold every character there is: control characters, zero-width and bidirectional marks, lone
combining accents, private-use code points, bytes that are no text. A :class:`TokenText` cuts a token
into segments that are either ordinary text or an escape such as ``\u200b``, so that each output
(markdown, HTML, terminal) decides only how an escape looks, never what is one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

__all__ = [
    "Segment", "TokenText", "code_points", "is_right_to_left", "plain", "segments", "shorten",
    "token_text",
]  # fmt: skip

#: Characters of a token that are shown before it is cut; the full bytes stand in tokens.parquet.
LONGEST = 48
#: General categories that are escaped: control, format (zero-width, bidi), surrogate, private use,
#: unassigned, line and paragraph separators.
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: Format characters that a renderer needs inside emoji and Indic or Persian text are still escaped:
#: an auditor must see that they are there.
_NAMED_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
#: Letters that have no ink of their own although Unicode calls them letters (Hangul fillers, braille blank).
_INKLESS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_DOTTED_CIRCLE = "\u25cc"
_OPEN_BOX = "\u2423"


@dataclass(frozen=True)
class Segment:
    """A run of a token that is shown in one manner."""

    #: `text` (as it is), `space` (an open box for each), `escape` (backslash form), `byte` (hex), `more`.
    kind: str
    #: What to print; holds no control character.
    shown: str


@dataclass(frozen=True)
class TokenText:
    """A token ready to be shown anywhere."""

    #: The token's id, or None where a bare string is shown.
    token_id: int | None
    #: Its segments in order; empty for a row that has no token.
    segments: tuple[Segment, ...]
    #: Code points such as ``U+0041 U+200B``, or the bytes in hex where it is no text.
    tooltip: str
    #: Whether it holds characters that run from right to left.
    right_to_left: bool


def segments(text: str) -> tuple[Segment, ...]:
    r"""Cut `text` into segments, none of which holds a character that is invisible or moves others.

    >>> [s.shown for s in segments("a\u200b b")]
    ['a', '\\u200b', '␣', 'b']
    """
    out: list[Segment] = []
    for position, character in enumerate(text):
        kind, shown = _show(character, first=position == 0)
        if out and out[-1].kind == kind == "text":
            out[-1] = Segment("text", out[-1].shown + shown)
        else:
            out.append(Segment(kind, shown))
    return tuple(out)


def _show(character: str, *, first: bool) -> tuple[str, str]:
    """Return the kind and the visible form of one character."""
    if character == " ":
        return "space", _OPEN_BOX
    if character in _NAMED_ESCAPES:
        return "escape", _NAMED_ESCAPES[character]
    category = unicodedata.category(character)
    if (
        category in _ESCAPED_CATEGORIES
        or category == "Zs"
        or character in _INKLESS
        or _is_variation(character)
    ):
        return "escape", _escape(character)
    if first and category.startswith("M"):
        return "text", _DOTTED_CIRCLE + character  # a combining mark would sit on what stands before it
    return "text", character


def _is_variation(character: str) -> bool:
    """Whether it is a variation selector: a mark without ink of its own."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _escape(character: str) -> str:
    """Return the backslash form Python and JSON readers know."""
    point = ord(character)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def token_text(
    token_id: int | None, text: str | None, raw: bytes | None = None, piece: str | None = None
) -> TokenText:
    """Return a token ready to be shown: its text, else its bytes, else its piece.

    :param token_id: Its id.
    :param text: Its text, or None where its bytes are no text by themselves.
    :param raw: Its bytes, shown in hex where there is no text.
    :param piece: The vocabulary entry as stored, used where neither is known.
    """
    if text is None and raw:
        hexed = [f"{byte:02X}" for byte in raw]
        shown = tuple(Segment("byte", byte) for byte in hexed[:LONGEST])
        if len(hexed) > LONGEST:
            shown = (*shown, Segment("more", f"… {len(hexed)} bytes"))
        return TokenText(token_id, shown, "bytes " + " ".join(hexed[:LONGEST]), right_to_left=False)
    content = text if text is not None else (piece or "")
    return TokenText(token_id, _cut(content), code_points(content), is_right_to_left(content))


def _cut(text: str) -> tuple[Segment, ...]:
    """Return the segments of `text`, the middle left out where it is long."""
    if len(text) <= LONGEST:
        return segments(text)
    head, tail = text[: LONGEST - 9], text[-8:]
    return (*segments(head), Segment("more", f"… {len(text)} characters …"), *segments(tail))


def code_points(text: str, most: int = 12) -> str:
    """Return ``U+0041 U+200B`` for ``A`` and a zero-width space; the first `most` of them."""
    points = [f"U+{ord(character):04X}" for character in text[:most]]
    return " ".join(points) + (" …" if len(text) > most else "")


def is_right_to_left(text: str) -> bool:
    """Whether any character is strongly right-to-left, so that it could reorder its neighbours."""
    return any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in text)


def plain(token: TokenText) -> str:
    """Return the token as one line of plain text, isolated if it runs from right to left."""
    joined = "".join(f"<0x{part.shown}>" if part.kind == "byte" else part.shown for part in token.segments)
    # FIRST STRONG ISOLATE ... POP DIRECTIONAL ISOLATE: the plain-text counterpart of <bdi>.
    return f"\u2068{joined}\u2069" if token.right_to_left else joined


def shorten(text: str, width: int) -> str:
    """Return `text` cut to `width` characters, an ellipsis in place of what went."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"

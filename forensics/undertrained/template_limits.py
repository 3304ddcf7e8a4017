"""Bounds for programs that come with a model: Jinja templates that must end, and stay small.

jinja2's sandbox keeps a template from reaching anything; it does not keep it from running for ever. A
trace function counts the lines of Python that the compiled template and what it calls go through, and
operators that make large values of small ones are refused beyond a size.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from jinja2 import TemplateRuntimeError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import SandboxedEnvironment

__all__ = ["GenerationTag", "limit_operators", "limited_steps"]

#: Largest sequence and number of digits that `*` and `**` may make.
_MAX_SIZE = 100_000


class GenerationTag(Extension):
    """`{% generation %}`, with which transformers marks what the assistant said; shown as it stands."""

    tags = {"generation"}  # noqa: RUF012 (the name and type are jinja2's)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return the body of the block."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


@contextmanager
def limited_steps(most: int) -> Iterator[None]:
    """Stop what runs inside after `most` lines of Python, with jinja2's own error."""
    left = most

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise TemplateRuntimeError(f"it does not end within {most:,} steps")
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(before)


def limit_operators(environment: SandboxedEnvironment) -> None:
    """Make `*`, `**` and the filters that pad refuse to make values beyond `_MAX_SIZE`."""
    environment.intercepted_binops = frozenset(["*", "**"])
    plain = dict(environment.binop_table)

    def times(left: Any, right: Any) -> Any:
        for sequence, number in ((left, right), (right, left)):
            is_long = isinstance(sequence, str | list | tuple) and isinstance(number, int)
            if is_long and len(sequence) * number > _MAX_SIZE:
                raise TemplateRuntimeError("it makes too long a sequence")
        if isinstance(left, int) and isinstance(right, int) and _digits(left) + _digits(right) > _MAX_SIZE:
            raise TemplateRuntimeError("it makes too large a number")
        return plain["*"](left, right)

    def power(left: Any, right: Any) -> Any:
        if isinstance(left, int) and isinstance(right, int) and _digits(left) * abs(right) > _MAX_SIZE:
            raise TemplateRuntimeError("it makes too large a number")
        return plain["**"](left, right)

    environment.binop_table = {**plain, "*": times, "**": power}
    for name in ("center", "indent"):
        environment.filters[name] = _limited(environment.filters[name])


def _digits(number: int) -> int:
    return abs(number).bit_length()


def _limited(pad: Any) -> Any:
    """Return a filter that refuses a large width."""

    def limited(text: Any, width: Any = 4, *more: Any, **named: Any) -> Any:
        if isinstance(width, int) and width > _MAX_SIZE:
            raise TemplateRuntimeError("it makes too long a text")
        return pad(text, width, *more, **named)

    return limited

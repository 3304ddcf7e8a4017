"""A chat template as a tree, by Jinja's own parser; nothing is compiled, folded or rendered.

Sandboxes of Jinja have been escaped (CVE-2024-56326, CVE-2025-27516), so the text goes no further than
`Environment.parse`. Size and nesting are bounded before that: the parser calls itself for every level, and
a walk over the tree keeps its own stack for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

__all__ = ["MOST_CHARACTERS", "MOST_LEVELS", "TemplateError", "parse_template", "walk"]

#: The longest released templates have some 20,000 characters.
MOST_CHARACTERS = 200_000
#: Blocks and brackets inside one another; released templates stay below 20.
MOST_LEVELS = 40
#: Words and signs of code; the longest released templates have some 5,000.
MOST_SYMBOLS = 30_000
#: Levels of the tree. `a|b|c` nests without any bracket; released templates stay below 40.
MOST_DEPTH = 150

_OPENING = frozenset({"if", "for", "macro", "call", "filter", "block", "with", "autoescape", "generation"})
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


class TemplateError(Exception):
    """A template that cannot be parsed, or is too large to be tried."""

    def __init__(self, found: str, line: int) -> None:
        """Keep what is wrong and at which line of the template."""
        super().__init__(found)
        self.found = found
        self.line = line


def parse_template(text: str) -> nodes.Template:
    """Return the tree of a template, with the tags that transformers knows (`break`, `generation`).

    :param text: The template.
    :raises TemplateError: If it is too long, nested too deeply, or not Jinja.
    """
    from jinja2 import TemplateSyntaxError

    if len(text) > MOST_CHARACTERS:
        found = f"{len(text):,} characters, where templates have at most {MOST_CHARACTERS:,}"
        raise TemplateError(found, 1)
    environment = _environment()
    try:
        _bound_nesting(environment, text)
        tree = environment.parse(text)
    except TemplateSyntaxError as error:
        raise TemplateError(str(error.message), error.lineno) from error
    except RecursionError as error:
        raise TemplateError("expressions nested too deeply to be parsed", 1) from error
    _bound_depth(tree)
    return tree


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield a node and all below it, in the order of the text, without calling itself."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack += reversed(list(current.iter_child_nodes()))


def _bound_nesting(environment: Environment, text: str) -> None:
    level = symbols = 0
    blocks: list[str] = []
    opens = False
    for line, kind, value in environment.lex(text):
        symbols += kind not in ("data", "whitespace")
        if symbols > MOST_SYMBOLS:
            raise TemplateError(f"more than {MOST_SYMBOLS:,} words and signs of code", line)
        if kind == "operator" and value in _BRACKETS:
            level = max(level + _BRACKETS[value], 0)
        elif kind == "block_begin":
            opens = True
            continue
        elif kind == "name" and opens:
            if value in _OPENING:
                blocks.append(value)
            elif value.startswith("end") and blocks:
                blocks.pop()
        if kind != "whitespace":
            opens = False
        if level + len(blocks) > MOST_LEVELS:
            raise TemplateError(f"more than {MOST_LEVELS} levels inside one another", line)


def _bound_depth(tree: nodes.Template) -> None:
    stack: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MOST_DEPTH:
            raise TemplateError(f"more than {MOST_DEPTH} levels inside one another", node.lineno)
        stack += ((child, depth + 1) for child in node.iter_child_nodes())


@cache
def _environment() -> Environment:
    """Return an environment that parses what transformers parses, and never folds a constant."""
    from jinja2 import Environment, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser

    class Generation(Extension):
        """`{% generation %}`, by which transformers marks what an assistant says."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Parser) -> nodes.Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body).set_lineno(line)

    return Environment(  # noqa: S701 - nothing is rendered
        trim_blocks=True, lstrip_blocks=True, optimized=False, extensions=[Generation, loopcontrols]
    )

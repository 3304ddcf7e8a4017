"""What a template decides by the content of messages, read from its tree.

What comes from a message's content is followed through `set`, loops and macro arguments to the tests that
depend on it. Namespaces are followed as a whole: one attribute that holds content marks all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forensics.auditing.template_parse import walk

if TYPE_CHECKING:
    from jinja2 import nodes

__all__ = [
    "CONTENT_KEYS",
    "ContentTest",
    "content_names",
    "content_tests",
    "flows",
    "follow",
    "key_of",
    "parameters_of",
    "says",
    "variables_read",
]

#: Keys under which a message keeps what was said.
CONTENT_KEYS = frozenset({"content", "text", "reasoning_content"})


@dataclass(frozen=True, eq=False)
class ContentTest:
    """A test that depends on what a message says."""

    #: The line of the test.
    line: int
    #: Strings that content is held against, in order, without repetition.
    literals: tuple[str, ...]
    #: Whether its length is looked at.
    is_length: bool
    #: What is written or set where the test decides: the branches, or the two sides of an expression.
    branches: tuple[nodes.Node, ...]


def variables_read(tree: nodes.Template) -> frozenset[str]:
    """Return the variables that a caller gives, or may give: read somewhere and set nowhere."""
    from jinja2 import nodes

    names = [node for node in walk(tree) if isinstance(node, nodes.Name)]
    given = {node.name for node in names if node.ctx != "load"}
    macros = {node.name for node in walk(tree) if isinstance(node, nodes.Macro)}
    return frozenset({node.name for node in names if node.ctx == "load"} - given - macros)


def content_names(tree: nodes.Template) -> frozenset[str]:
    """Return the variables that hold what a message says, or part of it.

    Followed until nothing new comes: `set`, loops over content, arguments of macros, namespaces (as a whole).
    """
    return follow(list(flows(walk(tree), parameters_of(tree))), _is_content)


def follow(
    found: Sequence[tuple[str, nodes.Node]], is_content: Callable[[nodes.Node, Container[str]], bool]
) -> frozenset[str]:
    """Return the variables that content flows into, followed until nothing new comes.

    :param found: (variable, expression that flows into it).
    :param is_content: Tells of a node, given the variables so far, whether it is content.
    """
    names: set[str] = set()
    before = -1
    while len(names) != before:
        before = len(names)
        for target, value in found:
            if target not in names and any(is_content(part, names) for part in walk(value)):
                names.add(target)
    return frozenset(names)


def says(node: nodes.Node, names: Container[str]) -> bool:
    """Return whether an expression depends on what a message says."""
    return any(_is_content(part, names) for part in walk(node))


def _is_content(node: nodes.Node, names: Container[str]) -> bool:
    from jinja2 import nodes

    if isinstance(node, nodes.Name):
        return node.name in names
    return key_of(node) in CONTENT_KEYS


def content_tests(tree: nodes.Template) -> Iterator[ContentTest]:
    """Yield the tests that depend on what a message says, with the strings they hold it against.

    Tests on the type of a content part, on whether there is any content, and on which keys a part has
    say nothing of what was said and are left out.
    """
    from jinja2 import nodes

    names = content_names(tree)
    parts = _content_parts(tree, names)
    test: nodes.Node
    branches: tuple[nodes.Node, ...]
    for node in walk(tree):
        if isinstance(node, nodes.If):
            test, branches = node.test, (*node.body, *node.elif_, *node.else_)
        elif isinstance(node, nodes.CondExpr):
            test = node.test
            branches = tuple(part for part in (node.expr1, node.expr2) if part is not None)
        elif isinstance(node, nodes.For) and node.test is not None:
            test, branches = node.test, tuple(node.body)
        else:
            continue
        found = list(_comparisons(test, names, parts))
        strings = dict.fromkeys(text for text, _ in found if text is not None)
        is_length = any(length for _, length in found)
        if strings or is_length:
            yield ContentTest(test.lineno, tuple(strings), is_length, branches)


def parameters_of(tree: nodes.Template) -> dict[str, list[str]]:
    """Return macro -> names of its parameters."""
    from jinja2 import nodes

    return {
        node.name: [argument.name for argument in node.args]
        for node in walk(tree)
        if isinstance(node, nodes.Macro)
    }


def flows(
    found: Iterable[nodes.Node], parameters: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, nodes.Node]]:
    """Yield (variable, expression that flows into it)."""
    from jinja2 import nodes

    for node in found:
        if isinstance(node, nodes.Assign):
            for target in walk(node.target):
                if isinstance(target, nodes.Name | nodes.NSRef):
                    yield target.name, node.node
        elif isinstance(node, nodes.AssignBlock):
            for target in walk(node.target):
                if isinstance(target, nodes.Name | nodes.NSRef):
                    for part in node.body:
                        yield target.name, part
        elif isinstance(node, nodes.For):
            for target in walk(node.target):
                if isinstance(target, nodes.Name):
                    yield target.name, node.iter
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            yield from zip(parameters.get(node.node.name, ()), node.args, strict=False)
            for keyword in node.kwargs:
                if keyword.key in parameters.get(node.node.name, ()):
                    yield keyword.key, keyword.value


def key_of(node: nodes.Node) -> str | None:
    """Return the key that `a.key` and `a['key']` look up."""
    from jinja2 import nodes

    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return node.arg.value if isinstance(node.arg.value, str) else None
    return None


def _content_parts(tree: nodes.Template, names: frozenset[str]) -> frozenset[str]:
    """Return the loop variables over content: parts with a type and further keys, not text."""
    from jinja2 import nodes

    return frozenset(
        node.target.name
        for node in walk(tree)
        if isinstance(node, nodes.For) and isinstance(node.target, nodes.Name) and says(node.iter, names)
    )


def _comparisons(
    test: nodes.Node, names: frozenset[str], parts: frozenset[str]
) -> Iterator[tuple[str | None, bool]]:
    """Yield (string that content is held against or None, whether a length is looked at)."""
    from jinja2 import nodes

    for node in walk(test):
        if isinstance(node, nodes.Compare):
            sides = [node.expr, *(operand.expr for operand in node.ops)]
            about = [side for side in sides if says(side, names) and not _is_type(side)]
            if not about:
                continue
            is_membership = any(operand.op in ("in", "notin") for operand in node.ops)
            if is_membership and all(isinstance(side, nodes.Name) and side.name in parts for side in about):
                continue  # which keys a part has
            for side in sides:
                for part in walk(side):
                    if isinstance(part, nodes.Const) and isinstance(part.value, str) and part.value.strip():
                        if not any(key_of(other) == part.value for other in walk(side)):
                            yield part.value, False
                    elif isinstance(part, nodes.Const) and isinstance(part.value, int) and part.value > 1:
                        yield None, any(_is_length(one) for one in about)
        elif (
            isinstance(node, nodes.Call)
            and isinstance(node.node, nodes.Getattr)
            and node.node.attr in ("startswith", "endswith", "find", "count", "index")
            and says(node.node.node, names)
        ):
            for part in (one for argument in node.args for one in walk(argument)):
                if isinstance(part, nodes.Const) and isinstance(part.value, str) and part.value.strip():
                    yield part.value, False


def _is_type(node: nodes.Node) -> bool:
    return any(key_of(part) in ("type", "role", "name") for part in walk(node))


def _is_length(node: nodes.Node) -> bool:
    from jinja2 import nodes

    return any(isinstance(part, nodes.Filter) and part.name in ("length", "count") for part in walk(node))

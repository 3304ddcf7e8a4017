"""What a template writes as it stands: constant text, put together where the template puts it together.

A gadget's name is seldom written out. Strings joined with `~`, `+`, `join`, `format`, `replace`, `reverse`,
slices and variables that are set once are joined here too; nothing else is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forensics.auditing.template_parse import walk

if TYPE_CHECKING:
    from jinja2 import nodes

__all__ = ["Literal", "constant_text", "literals", "set_once"]

#: Longer constants are not put together: no name is that long, and `replace` can grow a text without end.
MOST_TEXT = 10_000


@dataclass(frozen=True)
class Literal:
    """A piece of constant text and the line where it stands."""

    text: str
    line: int
    #: Whether it stands outside of code, and so goes into every prompt that passes by.
    is_data: bool


def literals(tree: nodes.Template) -> Iterator[Literal]:
    """Yield all constant text, and what constant expressions are put together to."""
    from jinja2 import nodes

    known = set_once(tree)
    for node in walk(tree):
        if isinstance(node, nodes.TemplateData):
            yield Literal(node.data, node.lineno, True)
        elif isinstance(node, nodes.Const):
            if isinstance(node.value, str):
                yield Literal(node.value, node.lineno, False)
        elif isinstance(node, nodes.Expr) and not isinstance(node, nodes.Name):
            text = constant_text(node, known)
            if text is not None:
                yield Literal(text, node.lineno, False)


def set_once(tree: nodes.Template) -> dict[str, str]:
    """Return variable -> its constant text, of variables that are set in one place only."""
    from jinja2 import nodes

    places: dict[str, list[nodes.Node]] = {}
    for node in walk(tree):
        if isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name):
            places.setdefault(node.target.name, []).append(node.node)
    known: dict[str, str] = {}
    for name, values in places.items():
        if len(values) == 1 and (text := constant_text(values[0], known)) is not None:
            known[name] = text
    return known


def constant_text(node: nodes.Node, known: Mapping[str, str]) -> str | None:
    """Return the text of an expression of constants, or None if it depends on anything else.

    :param node: The expression.
    :param known: Variables of which the text is known.
    """
    value = _constant(node, known)
    return value if isinstance(value, str) and len(value) <= MOST_TEXT else None


def _constant(node: nodes.Node, known: Mapping[str, str]) -> str | int | tuple[str, ...] | None:
    from jinja2 import nodes

    if isinstance(node, nodes.Const):
        return node.value if isinstance(node.value, str | int) else None
    if isinstance(node, nodes.Name):
        return known.get(node.name)
    if isinstance(node, nodes.List | nodes.Tuple):
        return _all_text(node.items, known)
    if isinstance(node, nodes.Concat):
        parts = _all_text(node.nodes, known)
        return None if parts is None else "".join(parts)
    if isinstance(node, nodes.Add):
        parts = _all_text([node.left, node.right], known)
        return None if parts is None else "".join(parts)
    if isinstance(node, nodes.Mod):
        return _formatted(node.left, [node.right], known)
    if isinstance(node, nodes.Getitem):
        return _sliced(node, known)
    if isinstance(node, nodes.Filter) and node.node is not None:
        return _filtered(node, known)
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        if node.node.attr == "format":
            return _formatted(node.node.node, node.args, known)
        if node.node.attr == "join" and len(node.args) == 1:
            items = _constant(node.args[0], known)
            between = _constant(node.node.node, known)
            return between.join(items) if isinstance(items, tuple) and isinstance(between, str) else None
    return None


def _all_text(parts: list[nodes.Expr], known: Mapping[str, str]) -> tuple[str, ...] | None:
    values = [_constant(part, known) for part in parts]
    texts = [value for value in values if isinstance(value, str)]
    return tuple(texts) if len(texts) == len(values) and sum(map(len, texts)) <= MOST_TEXT else None


def _sliced(node: nodes.Getitem, known: Mapping[str, str]) -> str | None:
    from jinja2 import nodes

    value = _constant(node.node, known)
    if not isinstance(value, str) or not isinstance(node.arg, nodes.Slice):
        return None
    parts = [
        None if part is None else _number(part) for part in (node.arg.start, node.arg.stop, node.arg.step)
    ]
    return value[slice(*parts)] if parts[2] != 0 else None


def _number(node: nodes.Node) -> int | None:
    from jinja2 import nodes

    if isinstance(node, nodes.Neg):
        inner = _number(node.node)
        return None if inner is None else -inner
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, int) else None


def _filtered(node: nodes.Filter, known: Mapping[str, str]) -> str | tuple[str, ...] | None:
    value = _constant(node.node, known) if node.node is not None else None
    arguments = _all_text(node.args, known)
    if value is None or arguments is None or isinstance(value, int):
        return None
    if isinstance(value, tuple):
        if node.name == "join":
            return (arguments[0] if arguments else "").join(value)
        return value[::-1] if node.name == "reverse" else None
    if node.name == "replace" and len(arguments) == 2 and arguments[0]:
        return value.replace(*arguments)
    if node.name == "format":
        return _percent(value, arguments)
    change = {"reverse": value[::-1], "lower": value.lower(), "upper": value.upper(), "trim": value.strip()}
    return change.get(node.name, "".join(value) if node.name in ("string", "join", "safe") else None)


def _formatted(template: nodes.Node, arguments: list[nodes.Expr], known: Mapping[str, str]) -> str | None:
    from jinja2 import nodes

    flat = [part for one in arguments for part in (one.items if isinstance(one, nodes.Tuple) else [one])]
    text, values = _constant(template, known), _all_text(flat, known)
    if not isinstance(text, str) or values is None:
        return None
    if "%" in text:
        return _percent(text, values)
    # `{}` and `{0}` alone: a format may reach into its arguments, and that is not computed.
    for place, value in enumerate(values):
        text = text.replace(f"{{{place}}}", value).replace("{}", value, 1)
    return text


def _percent(text: str, values: tuple[str, ...]) -> str | None:
    if text.count("%") != text.count("%s") or text.count("%s") != len(values):
        return None
    for value in values:
        text = text.replace("%s", value, 1)
    return text

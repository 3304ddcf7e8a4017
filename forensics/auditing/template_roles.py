"""What a template does with the messages of each role, read from its tree.

For one role the tests on `role` are decided, all others are taken either way, and what can be reached is
looked at: whether it writes the content of a message, or refuses it with an error.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forensics.auditing.template_flow import CONTENT_KEYS, flows, follow, key_of, parameters_of, says
from forensics.auditing.template_parse import walk
from forensics.schema.audit_summary import Fate

if TYPE_CHECKING:
    from jinja2 import nodes

__all__ = ["ROLES", "fate_of_role"]

ROLES = ("system", "user", "assistant", "tool")


def fate_of_role(tree: nodes.Template, role: str) -> Fate:
    """Return what becomes of the messages of `role`.

    :param tree: The template.
    :param role: One of `ROLES`.
    """
    from jinja2 import nodes

    readings = [_Reading(role, _role_names(tree))]
    if role == "system":
        # Many templates keep the first message and write it into the user's turn.
        readings.append(_Reading(role, frozenset(), of_first=True))
    if any(_is_written(tree, reading) for reading in readings):
        return Fate.WRITTEN
    calls = [node.node for node in _reached(tree, readings[0]) if isinstance(node, nodes.Call)]
    raises = any(isinstance(call, nodes.Name) and call.name == "raise_exception" for call in calls)
    return Fate.REJECTED if raises else Fate.DROPPED


@dataclass(frozen=True)
class _Reading:
    """Of which messages a template is read."""

    #: Their role.
    role: str
    #: Variables that hold a message's role.
    names: frozenset[str]
    #: Whether only `messages[0]` is meant; then tests on other messages' roles are open.
    of_first: bool = False

    def means(self, node: nodes.Node) -> bool:
        """Return whether `node` looks up a key of the messages that are meant."""
        from jinja2 import nodes

        if not self.of_first:
            return True
        owner = node.node if isinstance(node, nodes.Getattr | nodes.Getitem) else None
        return (
            isinstance(owner, nodes.Getitem) and isinstance(owner.arg, nodes.Const) and owner.arg.value == 0
        )

    def is_role(self, node: nodes.Node) -> bool:
        """Return whether an expression is the role of the messages that are meant."""
        from jinja2 import nodes

        if isinstance(node, nodes.Name):
            return node.name in self.names
        return key_of(node) == "role" and self.means(node)

    def is_content(self, node: nodes.Node, names: Container[str]) -> bool:
        """Return whether a node is the content of these messages, or a variable that holds it."""
        from jinja2 import nodes

        if isinstance(node, nodes.Name):
            return node.name in names
        return key_of(node) in CONTENT_KEYS and self.means(node)


def _is_written(tree: nodes.Template, reading: _Reading) -> bool:
    from jinja2 import nodes

    macros = {node.name: node for node in walk(tree) if isinstance(node, nodes.Macro)}
    reached = list(_reached(tree, reading))
    # A macro may be called for any role; what it sets stays inside it.
    bodies = [node for macro in macros.values() for node in walk(macro)]
    names = follow(list(flows([*reached, *bodies], parameters_of(tree))), reading.is_content)
    outputs = [node for node in reached if isinstance(node, nodes.Output)]
    return any(_writes(part, names, reading, macros) for node in outputs for part in node.nodes)


def _reached(tree: nodes.Template, reading: _Reading) -> Iterator[nodes.Node]:
    """Yield the nodes that may run for the messages that are meant; macros run where they are called."""
    from jinja2 import nodes

    stack: list[nodes.Node] = list(reversed(tree.body))
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Macro):
            continue
        if isinstance(node, nodes.If | nodes.CondExpr):
            stack += reversed(list(_reachable(node, reading)))
            continue
        if isinstance(node, nodes.For) and node.test is not None and _decide(node.test, reading) is False:
            continue
        yield node
        stack += reversed(list(node.iter_child_nodes()))


def _role_names(tree: nodes.Template) -> frozenset[str]:
    """Return the variables that hold a message's role."""
    found = {target for target, value in flows(walk(tree), parameters_of(tree)) if key_of(value) == "role"}
    return frozenset(found)


def _reachable(node: nodes.If | nodes.CondExpr, reading: _Reading) -> Iterator[nodes.Node]:
    """Yield what runs for the messages that are meant: the tests, and the branches they leave open."""
    from jinja2 import nodes

    if isinstance(node, nodes.CondExpr):
        decided = _decide(node.test, reading)
        if decided is not False:
            yield node.expr1
        if decided is not True and node.expr2 is not None:
            yield node.expr2
        return
    for branch in (node, *node.elif_):
        decided = _decide(branch.test, reading)
        if decided is not False:
            yield from branch.body
        if decided is True:
            return
    yield from node.else_


def _decide(test: nodes.Node, reading: _Reading) -> bool | None:
    """Return what a test gives for the messages that are meant, None where it depends on something else."""
    from jinja2 import nodes

    if isinstance(test, nodes.Not):
        inner = _decide(test.node, reading)
        return None if inner is None else not inner
    if isinstance(test, nodes.And | nodes.Or):
        sides = (_decide(test.left, reading), _decide(test.right, reading))
        deciding = isinstance(test, nodes.Or)
        if deciding in sides:
            return deciding
        return None if None in sides else not deciding
    if not isinstance(test, nodes.Compare) or len(test.ops) != 1:
        return None
    operand = test.ops[0]
    for subject, other in ((test.expr, operand.expr), (operand.expr, test.expr)):
        if reading.is_role(subject):
            values = _strings(other)
            if values is None:
                return None
            held = reading.role in values
            return held if operand.op in ("eq", "in") else not held if operand.op in ("ne", "notin") else None
    return None


def _strings(node: nodes.Node) -> Sequence[str] | None:
    from jinja2 import nodes

    items = node.items if isinstance(node, nodes.List | nodes.Tuple) else [node]
    values = [item.value for item in items if isinstance(item, nodes.Const) and isinstance(item.value, str)]
    return values if len(values) == len(items) else None


def _writes(
    part: nodes.Node, names: frozenset[str], reading: _Reading, macros: Mapping[str, nodes.Macro]
) -> bool:
    """Return whether an expression that is written out holds the content of the messages that are meant."""
    from jinja2 import nodes

    if isinstance(part, nodes.TemplateData):
        return False
    stack: list[nodes.Node] = [part]
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.CondExpr):
            stack += _reachable(node, reading)
            continue
        if reading.is_content(node, names):
            return True
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            # A macro that is given a message as a whole.
            body = walk(macros[node.node.name]) if node.node.name in macros else ()
            if any(isinstance(inner, nodes.Output) and says(inner, names) for inner in body):
                return True
        stack += node.iter_child_nodes()
    return False

"""Data goes one way: which room imports which, as docs/architecture.md has it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import forensics

PACKAGE = Path(forensics.__file__).parent
ANALYSES = {
    *("undertrained", "sticky", "mixture", "auditing", "comparison", "repairing", "catalogue", "exposure"),
}
EDGES = {"cli", "report", "runs"}
#: Room -> rooms that nothing in it may import, not even late.
FORBIDDEN = {
    **{room: (ANALYSES | EDGES) - {room} for room in ANALYSES},
    "schema": {*ANALYSES, *EDGES, "sources", "vocabulary"},
    "sources": ANALYSES | EDGES,
    "vocabulary": ANALYSES | EDGES,
    "report": {*ANALYSES, "cli", "runs"},
    "runs": {"cli"},
}


def rooms_imported(path: Path) -> set[str]:
    """The second part of every name of this package that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [node.module] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name.split(".")[1] for name in names if name and name.startswith("forensics.")}
    return found


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_a_room_imports_nothing_from_above_or_beside(room: str) -> None:
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert files
    for path in files:
        assert not rooms_imported(path) & FORBIDDEN[room], path.relative_to(PACKAGE)

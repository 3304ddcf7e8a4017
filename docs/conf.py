"""How the site is built: `make docs`. Pages are these files, docstrings, and the help of the commands.

The pages under reference/ are written anew in every build, one for each room of the package, so that no
list of modules has to be kept by hand.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules, walk_packages
from textwrap import indent
from typing import TYPE_CHECKING, Any

from forensics import __version__
from forensics.schema.columns import TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

project = "forensics"
release = version = __version__
copyright = "the authors of forensics, Apache-2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click"]
html_theme = "furo"
html_title = f"forensics {__version__}"
html_copy_source = False
html_show_sphinx = False
myst_heading_anchors = 3
#: Docstrings write code between single backticks, as the comments do.
default_role = "code"
autodoc_member_order = "bysource"
# A name that a module passes on is described where it is defined.
autodoc_default_options = {"ignore-module-all": True}
# Two records may have a field of one name; an annotation then leads to the first.
suppress_warnings = ["ref.python"]
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
maximum_signature_line_length = 90

REFERENCE = Path(__file__).parent / "reference"


def modules_of(room: str) -> list[str]:
    """Return the names of a package and of all modules in it; nothing but the packages is imported."""
    spec = find_spec(room)
    if spec is None or spec.submodule_search_locations is None:
        return [room]
    inside = walk_packages(spec.submodule_search_locations, f"{room}.")
    return [room, *(module.name for module in inside)]


def page(room: str) -> str:
    """Return the text of the page of one room: its own docstring, then module after module."""
    title, *rest = modules_of(room)
    parts = [f"{title}\n{'=' * len(title)}\n\n.. automodule:: {title}\n"]
    for name in rest:
        heading = name.removeprefix(f"{title}.")
        parts.append(f"{heading}\n{'-' * len(heading)}\n\n.. automodule:: {name}\n   :members:\n")
    return "\n".join(parts)


def columns_page() -> str:
    """Return the text of the page of all columns of all tables, from where they are declared."""
    said = "What data files hold. A column that does not apply to a run is left out."
    parts = [f"Columns\n=======\n\n{said}"]
    for name in sorted(modules_of("forensics.schema")):
        for table in vars(import_module(name)).values():
            if isinstance(table, TableSchema):
                command = name.rpartition(".")[2]
                heading = f"{table.name}.parquet of forensics {command}"
                rows = [f"   * - ``{c.name}``\n     - {c.type}\n     - {c.meaning}" for c in table.columns]
                top = ".. list-table::\n   :widths: 25 12 63\n\n"
                parts.append(f"{heading}\n{'-' * len(heading)}\n\n{top}" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def write_reference(_: Sphinx) -> None:
    """Write a page for every room; unchanged ones are left alone, so that a second build is quick."""
    spec = find_spec("forensics")
    rooms = [f"forensics.{module.name}" for module in iter_modules(spec.submodule_search_locations)]
    pages = {f"{room}.rst": page(room) for room in rooms if not room.endswith("__main__")}
    pages["columns.rst"] = columns_page()
    entries = "".join(f"   {Path(name).stem}\n" for name in pages)
    pages["index.rst"] = f"Reference\n=========\n\n.. toctree::\n   :maxdepth: 1\n\n{entries}"
    REFERENCE.mkdir(exist_ok=True)
    for stale in {path.name for path in REFERENCE.iterdir()} - set(pages):
        (REFERENCE / stale).unlink()
    for name, text in pages.items():
        path = REFERENCE / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


#: A code span, with the letter that follows it if one does; or a bar outside of code.
SPAN_OR_BAR = re.compile(r"(``[^`]+``|`[^`]+`)(?=(\w)?)|\|")


def plain_to_rst(*event: Any) -> None:
    """Read a docstring as its author meant it: plain text with code between backticks.

    Bars are absolute values or the borders of a table and no substitutions; what is indented after a colon
    is a formula or a layout and keeps its lines; a code span may be followed by a letter, as in `Extent`s.

    :param event: Of `autodoc-process-docstring`; its last part is the list of lines, which is altered.
    """
    lines: list[str] = event[-1]
    lines[:] = "\n\n".join(_paragraphs("\n".join(lines).split("\n\n"))).split("\n")


def _paragraphs(paragraphs: list[str]) -> Iterator[str]:
    """Yield each paragraph as reStructuredText."""
    for paragraph, following in zip(paragraphs, [*paragraphs[1:], ""], strict=True):
        if paragraph.startswith("|"):
            yield "::\n\n" + indent(paragraph, "    ")
        elif paragraph.startswith((" ", ">>>")):
            yield paragraph
        else:
            text = SPAN_OR_BAR.sub(_escaped, paragraph)
            literal = text.endswith(":") and following.startswith("    ")
            yield text + ":" if literal and not text.endswith("::") else text


def _escaped(found: re.Match[str]) -> str:
    """Return a bar that is no substitution, or a code span that ends before the letter that follows."""
    return (found[1] + ("\\ " if found[2] else "")) if found[1] else "\\|"


def setup(app: Sphinx) -> None:
    """Connect to the build."""
    app.connect("builder-inited", write_reference)
    app.connect("autodoc-process-docstring", plain_to_rst)

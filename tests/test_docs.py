"""The pages say what the program does: what they name exists, and no command is missing."""

from __future__ import annotations

import re
import runpy

import pytest

from forensics.cli.main import cli, command_names
from forensics.schema.indicators import INDICATOR_NAMES
from tests.extras import ROOT

COMMANDS = command_names()
INTERFACE = (ROOT / "docs" / "interface.md").read_text("utf-8")
#: All but the page on style, which names files of other projects.
PAGES = [page for page in (ROOT / "docs").glob("*.md") if page.stem != "style"]
PAGES = sorted([*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"])


def parts() -> dict[str, str]:
    """Return command -> its part of the interface page."""
    found = re.split(r"^## `forensics (\w+)[^\n]*\n", INTERFACE, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_every_command_has_its_part_of_the_interface_and_no_part_is_about_nothing():
    assert set(parts()) == set(command_names())


@pytest.mark.parametrize("name", command_names())
def test_options_that_the_interface_promises_exist(name):
    promised = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", parts()[name]))
    context = cli.make_context("forensics", [name], resilient_parsing=True)
    options = cli.get_command(context, name).params
    assert promised <= {flag for option in options for flag in (*option.opts, *option.secondary_opts)}


def test_every_indicator_is_named_in_the_interface():
    assert [name for name in INDICATOR_NAMES if f"`{name}`" not in INTERFACE] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_of_the_package_that_a_page_names_exist(page):
    named = re.findall(r"`((?:forensics|tests|benchmarks)/[\w/.]+\.py)`", page.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists() and "NAME" not in name] == []


def test_every_command_shows_one_runnable_example_in_its_help():
    for name in command_names():
        context = cli.make_context("forensics", [name], resilient_parsing=True)
        assert f"forensics {name} " in cli.get_command(context, name).epilog


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("the cosine |a - b| of `E_in`", r"the cosine \|a - b\| of `E_in`"),
        ("two `Extent`s, `a|b` and `c`", r"two `Extent`\ s, `a|b` and `c`"),
        ("| a | `b` |\n|---|---|", "::\n\n    | a | `b` |\n    |---|---|"),
        ("minimise:\n\n    |m - f|", "minimise::\n\n    |m - f|"),
        (">>> 1 | 2\n3", ">>> 1 | 2\n3"),
        (":param x: one:\n    and more", ":param x: one:\n    and more"),
    ],
)
def test_a_docstring_is_read_as_plain_text_with_code_in_backticks(written, wanted):
    lines = written.split("\n")
    runpy.run_path(str(ROOT / "docs" / "conf.py"))["plain_to_rst"](None, "module", "name", None, None, lines)
    assert "\n".join(lines) == wanted

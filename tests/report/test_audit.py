"""What is shown of an audit: findings first, five in words, languages by premium, struck ones marked."""

import dataclasses

import pytest

from forensics.audit.rules import found
from forensics.report.kinds.audit import KIND
from forensics.report.plots.audit import draw_plots
from forensics.report.render import build_document
from forensics.runs.audit.run import audit_tokenizer
from forensics.schema.finding import sorted_findings
from tests.runs.audit.small import write_corpora, write_parallel, write_tokenizer


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    place = tmp_path_factory.mktemp("audit")
    tokenizer, parallel = write_tokenizer(place / "tiny"), write_parallel(place / "parallel")
    return audit_tokenizer(tokenizer, parallel=parallel, corpora=write_corpora(place / "corpora")).results


def changed(results, **parts):
    return dataclasses.replace(results, summary=dataclasses.replace(results.summary, **parts))


def texts(section, kind):
    return [block for block in section.blocks if type(block).__name__ == kind]


def test_findings_come_first_five_of_a_level_in_words_and_all_in_the_table(results):
    many = [found("id/gap", str(i), f"gap {i}") for i in range(7)]
    findings = sorted_findings([*many, found("id/duplicate", "a", "twice")])
    document = build_document(changed(results, findings=findings))
    section = document.sections[0]
    assert section.title == "Findings"
    assert [block.text for block in texts(section, "Paragraph")] == [
        "Errors: 1",
        "Notes: 7, the first 5 of them",
    ]
    errors, notes, *_ = texts(section, "Listing")
    assert errors.items == ("id/duplicate: twice",) and len(notes.items) == 5
    (table,) = texts(section, "Table")
    assert [row.cells[1] for row in table.rows] == ["id/duplicate", *["id/gap"] * 7]
    assert {tile.label: tile.value for tile in document.tiles}["errors"] == "1"
    (worst, _) = KIND.brief(changed(results, findings=findings)).tables
    assert [row.cells[1] for row in worst.rows] == ["id/duplicate"]


def test_no_finding_is_said(results):
    section = build_document(changed(results, findings=())).sections[0]
    assert "No rule found anything." in [block.text for block in texts(section, "Paragraph")]


def test_struck_languages_are_marked_in_words_and_hollow_in_the_plot(results):
    frame = results.tables["languages"].copy()
    frame["struck"] = frame["language"] == "zho_Hans"
    spoken = results.summary.languages
    of = {code: dataclasses.replace(one, struck=code == "zho_Hans") for code, one in spoken.of.items()}
    struck = changed(results, languages=dataclasses.replace(spoken, of=of))
    struck = dataclasses.replace(struck, tables={**results.tables, "languages": frame})
    section = build_document(struck).sections[1]
    assert "Chinese" in texts(section, "Paragraph")[1].text
    (table,) = texts(section, "Table")
    assert {row.cells[0] for row in table.rows} == {"Chinese (struck)", "French", "English"}
    assert draw_plots(struck)["premium"].svg != draw_plots(results)["premium"].svg


def test_parts_without_data_are_left_out(results):
    titles = [
        section.title for section in build_document(changed(results, residues=None, templates=())).sections
    ]
    assert "Residues of merging" not in titles and "Chat template" not in titles
    assert "residues" not in draw_plots(changed(results, residues=None))
    assert "Residues of merging" in [section.title for section in build_document(results).sections]

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from forensics.errors import BadInputError, OutputError
from forensics.report.render import render
from forensics.schema.scan import VerificationSummary
from tests.report.synthetic import HOSTILE, build, save, vocabulary_of

FILES = ("report.html", "report.md", "tokens.parquet", "summary.json", "manifest.json")


class _Page(HTMLParser):
    """Collects what a page asks the browser to fetch or run, and its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action", "data", "srcset", "xlink:href"):
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "id":
                self.ids.append(value or "")


def _parse(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    return page


def test_the_same_run_gives_the_same_bytes(run_folder: Path, tmp_path: Path) -> None:
    again = save(tmp_path, *build())
    for path in again:
        assert path.read_bytes() == (run_folder / path.relative_to(tmp_path)).read_bytes(), path.name


def test_reports_come_from_the_data_files_alone(run_folder: Path, tmp_path: Path) -> None:
    for name in ("tokens.parquet", "summary.json", "manifest.json"):
        shutil.copy(run_folder / name, tmp_path)
    render(tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (run_folder / name).read_bytes()


@pytest.mark.parametrize(
    "manifest",
    [
        {"files": [{}], "versions": 3},
        {"files": "x"},
        {"machine": []},
        {"files": [{"path": "a", "size": [], "sha256": "b"}]},
    ],
)
def test_a_manifest_of_another_form_is_refused(run_folder: Path, tmp_path: Path, manifest: object) -> None:
    for name in ("tokens.parquet", "summary.json"):
        shutil.copy(run_folder / name, tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BadInputError, match=r"manifest\.json: no manifest of this version"):
        render(tmp_path)


def test_the_page_needs_no_network_and_no_other_file(run_folder: Path) -> None:
    html = (run_folder / "report.html").read_text()
    page = _parse(html)
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in page.addresses)
    assert not set(page.tags) & {"link", "iframe", "object", "embed", "base", "form"}
    assert not re.findall(r"@import|url\((?!#)", html)
    assert "http://" not in html
    assert "https://" not in html


def test_hostile_tokens_bring_in_no_markup(run_folder: Path) -> None:
    html = (run_folder / "report.html").read_text()
    page = _parse(html)
    assert page.tags.count("script") == 3  # evidence, tips, the page's own
    assert not page.handlers
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    for character in ("\u202e", "\x00", "\u200b", "\ufeff"):
        body = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
        assert character not in body
    assert html.count("</html>") == 1


def test_ids_of_a_page_are_unique_and_every_link_leads_somewhere(run_folder: Path) -> None:
    page = _parse((run_folder / "report.html").read_text())
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= set(page.ids)


def test_embedded_data_is_json_with_one_tip_per_point(run_folder: Path) -> None:
    html = (run_folder / "report.html").read_text()
    tips = json.loads(re.search(r'id="tips">(.*?)</script>', html, re.DOTALL)[1])  # type: ignore[index]
    evidence = json.loads(re.search(r'id="evidence">(.*?)</script>', html, re.DOTALL)[1])  # type: ignore[index]
    tokens, _, _ = build()
    assert sum(len(lines) for lines in tips.values()) == tokens["max_prob"].notna().sum()
    for group, lines in tips.items():
        drawn = re.search(rf'<g id="{group}"[^>]*>(.*?)</g>\s*<g id="verification-', html, re.DOTALL)
        assert drawn is not None
        assert drawn[1].count("<use ") == len(lines)
    assert len(evidence) > 100
    assert evidence["verified-tokens:0"][0][0] == "explain"


def test_every_verified_ordinary_token_has_its_row(run_folder: Path) -> None:
    html = (run_folder / "report.html").read_text()
    table = html[html.index('id="table-verified-tokens"') : html.index('id="indicator"')]
    ids = {int(number) for number in re.findall(r'<tr[^>]*><td class="n" data-v="(\d+)"', table)}
    tokens, _, _ = build()
    planted = tokens[tokens["text"].isin(HOSTILE) & tokens["role"].eq("candidate")]
    assert set(planted["token_id"]) <= ids


def test_the_page_has_a_section_for_everything_the_run_found(run_folder: Path) -> None:
    names = {
        "verification", "verified", "indicator", "reference", "model", "breakdown", "special", "bytes",
        "partial-utf8", "unreachable", "duplicates", "notes", "provenance",
    }  # fmt: skip
    assert names <= set(_parse((run_folder / "report.html").read_text()).ids)


def _without(tokens: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return tokens.drop(columns=[column for column in columns if column in tokens.columns])


def test_a_run_without_verification_says_why_and_keeps_the_rest(tmp_path: Path) -> None:
    tokens, summary, manifest = build()
    bare = _without(tokens, "max_prob", "max_prob_is_bound", "verdict", "verified_by", "evidence", "role")
    skipped = VerificationSummary(skipped="the folder holds no weights of a language model")
    save(tmp_path, bare, replace(summary, verification=skipped), manifest)
    text = (tmp_path / "report.md").read_text()
    assert "**Not run: the folder holds no weights of a language model.**" in text
    assert "## Indicators and cuts" in text
    assert "## Verified tokens" not in text
    assert "## Candidates" in text
    assert not (tmp_path / "plots" / "verification.png").exists()


def test_a_vocabulary_alone_is_rendered(tmp_path: Path) -> None:
    tokens, summary, manifest = build()
    vocabulary = tokens.loc[tokens["category"] != "unused_row"].iloc[
        :, : tokens.columns.get_loc("byte_role") + 1
    ]
    save(tmp_path, vocabulary.drop(columns=["role"], errors="ignore"), vocabulary_of(summary), manifest)
    text = (tmp_path / "report.md").read_text()
    assert text.startswith("# tokenizer: vocabulary\n")
    assert "## Unreachable tokens" in text
    assert "## Indicators" not in text


def test_a_run_with_the_least_there_can_be_is_rendered(tmp_path: Path) -> None:
    least = pd.DataFrame(
        {"token_id": [0], "piece": ["a"], "text": ["a"], "bytes": [b"a"], "category": ["ok"]}
    )
    _, summary, _ = build()
    bare = replace(
        summary, verification=VerificationSummary(), special_tokens=(), role_agreement={}, seconds={}
    )
    written = save(tmp_path, least, bare, {})
    assert [path.name for path in written[:2]] == ["report.html", "report.md"]
    assert "By category" in written[1].read_text()


@pytest.mark.parametrize("indicator", [[float("nan")] * 4, [0.5] * 4, [float("inf"), 0.1, 0.2, float("nan")]])
def test_degenerate_indicators_can_be_drawn(tmp_path: Path, indicator: list[float]) -> None:
    tokens = pd.DataFrame(
        {
            "token_id": range(4), "piece": list("abcd"), "text": list("abcd"), "bytes": [b"a"] * 4,
            "category": ["ok"] * 4, "eout_cosine": indicator, "ein_l2_norm": [1.0] * 4, "max_prob": [0.0] * 4,
            "verdict": ["verified_strong"] * 4,
        }
    )  # fmt: skip
    _, summary, _ = build()
    written = save(tmp_path, tokens, replace(summary, verification=VerificationSummary(4, 4)), {})
    assert all(path.stat().st_size > 0 for path in written)


def test_a_long_table_says_where_its_rest_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forensics.report.declared.MOST_ROWS", 5)
    save(tmp_path, *build())
    assert (
        "The first 5 of 256; all of them are in <code>tokens.parquet</code>"
        in (tmp_path / "report.html").read_text()
    )


def test_a_folder_that_holds_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"summary\.json: no such file"):
        render(tmp_path)
    with pytest.raises(BadInputError, match="no such folder"):
        render(tmp_path / "absent")


def test_a_report_that_cannot_be_written_is_an_output_error(run_folder: Path, tmp_path: Path) -> None:
    for name in ("tokens.parquet", "summary.json"):
        shutil.copy(run_folder / name, tmp_path)
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match=r"report\.html"):
        render(tmp_path)
    assert not list(tmp_path.glob(".*.part"))

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report.places import Place, location, places_of
from forensics.schema.finding import Finding, Level, Rule

RULES = (
    Rule("piece", Level.NOTE, "A piece.", "None."),
    Rule("merge", Level.NOTE, "A merge.", "None.", ("merges",)),
    Rule("role", Level.NOTE, "A role.", "None.", ("{subject}_token", "{subject}_token_id")),
    Rule("whole", Level.NOTE, "All of it.", "None."),
)
#: `merges` is a piece here, and what follows `content` elsewhere is none.
TOKENIZER = {
    "added_tokens": [{"id": 3, "content": "<s>", "special": True}],
    "padding": {"pad_token": "<s>"},
    "model": {
        "vocab": {"merges": 0, '"\\é\n': 1, "\U0001f600": 2, "content": 4, "a": 5},
        "merges": [["a", "a"]],
    },
}


def entry(path: str, role: str = "model"):
    return {"role": role, "path": path, "size": 1, "sha256": "00"}


def test_a_folder_is_shown_at_its_tokenizer_relative_to_the_working_directory(tmp_path: Path) -> None:
    folder = tmp_path / "a model"
    folder.mkdir()
    for name in ("model.safetensors", "tokenizer.json"):
        (folder / name).write_text("{}")
    files = [entry("model.safetensors"), entry("tokenizer.json", "tokenizer")]
    assert location(str(folder), files, tmp_path) == "a%20model/tokenizer.json"
    assert location(str(folder), files[:1], tmp_path) == "a%20model/model.safetensors"
    assert location(str(folder / "tokenizer.json"), files, tmp_path) == "a%20model/tokenizer.json"
    assert location(str(folder), [entry("elsewhere.json")], tmp_path) == "a%20model"


def test_what_lies_elsewhere_is_shown_under_its_name(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    for folder in (outside, root):
        folder.mkdir()
    (outside / "tokenizer.json").write_text("{}")
    assert location(str(outside / "tokenizer.json"), [], root) == "tokenizer.json"
    assert location("org/name", [entry("tokenizer.json", "tokenizer")], root) == "org/name/tokenizer.json"
    assert location("demo", [], root) == "demo"


def about(piece: str, token_id: int) -> Finding:
    return Finding("piece", Level.NOTE, "message", piece, token_id, piece)


def placed(root: Path, findings, names=None) -> list[tuple[str, int]]:
    names = names or sorted(file.name for file in (root / "m").iterdir())
    found = places_of(findings, RULES, str(root / "m"), [entry(name, "tokenizer") for name in names], root)
    return [(found[one.fingerprint].uri, found[one.fingerprint].line) for one in findings]


def line_with(text: str, part: str) -> int:
    """The slow and obvious way."""
    return next(number for number, line in enumerate(text.split("\n"), 1) if part in line)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "m").mkdir()
    return tmp_path


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_piece_is_shown_at_its_entry(model: Path, ascii_only: bool) -> None:
    text = json.dumps(TOKENIZER, indent=1, ensure_ascii=ascii_only)
    (model / "m" / "tokenizer.json").write_bytes(text.encode())
    pieces = {"merges": 0, '"\\é\n': 1, "\U0001f600": 2, "content": 4, "a": 5}
    found = placed(model, [about(piece, token_id) for piece, token_id in pieces.items()])
    assert found == [("m/tokenizer.json", line_with(text, f": {number}")) for number in (0, 1, 2, 4, 5)]
    added, absent, elsewhere = placed(model, [about("<s>", 3), about("nowhere", 9), about("a", 99)])
    assert added == ("m/tokenizer.json", line_with(text, '"content": "<s>"'))
    assert absent == elsewhere == ("m/tokenizer.json", 1)


def test_a_rule_is_shown_at_its_key_and_never_at_a_piece_of_that_name(model: Path) -> None:
    text = json.dumps(TOKENIZER, indent=1)
    config = json.dumps({"a": 1, "pad_token_id": 3}, indent=1)
    (model / "m" / "tokenizer.json").write_text(text)
    (model / "m" / "config.json").write_text(config)
    findings = [Finding(rule, Level.NOTE, "message", "pad") for rule in ("merge", "role", "whole")]
    assert placed(model, findings) == [
        ("m/tokenizer.json", line_with(text, '"merges": [')),
        ("m/config.json", 3),
        ("m/config.json", 1),
    ]


def test_lists_have_a_piece_in_each_line_and_unigram_a_score(model: Path) -> None:
    (model / "m" / "vocab.txt").write_bytes("[PAD]\r\né\r\nthe\r\né\r\n".encode())
    (model / "m" / "merges.txt").write_text("#version: 0.2\na b\n")
    merge = Finding("merge", Level.NOTE, "message", "merges")
    assert placed(model, [about("the", 2), about("é", 3), merge]) == [
        ("m/vocab.txt", 3),
        ("m/vocab.txt", 4),
        ("m/merges.txt", 1),
    ]
    assert placed(model, [about("é", 2)]) == [("m/merges.txt", 1)]  # not at this id
    vocab = [["<unk>", 0], ["\u2581the", -3.5]]
    (model / "m" / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocab}}, indent=0))
    assert placed(model, [about("\u2581the", 1)], ["tokenizer.json"]) == [("m/tokenizer.json", 9)]


def test_what_the_analysis_knows_goes_before_and_lines_change_no_fingerprint(model: Path) -> None:
    for name in ("tokenizer.json", "chat_template.jinja"):
        (model / "m" / name).write_text("{}")
    findings = [
        Finding("whole", Level.NOTE, "message", "s", file="chat_template.jinja", line=line) for line in (3, 9)
    ]
    assert findings[0].fingerprint == findings[1].fingerprint
    assert placed(model, findings[:1]) == [("m/chat_template.jinja", 3)]
    assert placed(model, findings[1:]) == [("m/chat_template.jinja", 9)]


def test_a_model_that_is_no_folder_has_first_lines_only(tmp_path: Path) -> None:
    finding = about("a", 5)
    assert places_of([finding], RULES, "org/name", [entry("tokenizer.json")], tmp_path) == {
        finding.fingerprint: Place("org/name/tokenizer.json", 1)
    }


def test_the_time_is_linear_in_hostile_files(model: Path) -> None:
    (model / "m" / "tokenizer.json").write_text('{"x": "' + '\\"' * 500_000 + ' "' + '"' * 500_000)
    begin = time.process_time()
    placed(model, [about("a", 5), Finding("merge", Level.NOTE, "message", "merges")])
    assert time.process_time() - begin < 5


@given(st.dictionaries(st.text(min_size=1), st.integers(0, 50), min_size=1))
def test_every_entry_is_found_where_it_stands(tmp_path_factory, vocab) -> None:
    root = tmp_path_factory.mktemp("places")
    (root / "m").mkdir()
    (root / "m" / "tokenizer.json").write_text(json.dumps({"vocab": vocab}, indent=1))
    found = placed(root, [about(piece, number) for piece, number in vocab.items()])
    assert [line for _, line in found] == list(range(3, 3 + len(vocab)))

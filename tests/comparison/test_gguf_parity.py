"""A faithful GGUF file has no finding; each planted difference is told, and the ids show it first."""

import json

import pytest

from forensics.comparison.gguf_parity import first_difference, gguf_parity
from forensics.schema.compare_rules import RULES
from forensics.schema.finding import Level
from forensics.sources.gguf.file import read_gguf
from forensics.sources.gguf.metadata import CONTROL, NORMAL, UNUSED, USER_DEFINED, check_metadata
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from tests.sources.written_tokenizers import byte_level_json, write_gguf_tokenizer

TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}"


@pytest.fixture
def original(tmp_path):
    folder = tmp_path / "hf"
    folder.mkdir()
    data = json.loads(byte_level_json())
    data["added_tokens"].append({**data["added_tokens"][0], "id": 600, "content": "<tool>", "special": False})
    (folder / "tokenizer.json").write_text(json.dumps(data))
    config = {"eos_token": "<|endoftext|>", "chat_template": TEMPLATE, "add_bos_token": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    source = open_tokenizer(folder)
    return source, build_vocabulary(source)


def converted(tmp_path, original, **changed):
    """Findings on a GGUF file written from the original, with some entries changed."""
    source, _ = original
    types = [NORMAL] * len(source.pieces)
    types[0], types[600] = CONTROL, USER_DEFINED
    entries = {
        "tokens": list(source.pieces),
        "token_type": types,
        "merges": [" ".join(pair) for pair in source.merges],
        "pre": "gpt-2",
        "eos_token_id": 0,
        "add_bos_token": False,
        "chat_template": TEMPLATE,
    }
    entries |= {key: change(entries[key]) if callable(change) else change for key, change in changed.items()}
    path = write_gguf_tokenizer(tmp_path / "x.gguf", "gpt2", entries.pop("tokens"), **entries)
    gguf = open_tokenizer(path)
    metadata = check_metadata(path, read_gguf(path).metadata)
    return gguf_parity(original, (gguf, build_vocabulary(gguf)), metadata)


def swapped(items, one, other):
    items = list(items)
    items[one], items[other] = items[other], items[one]
    return items


def replaced(items, at, value):
    return [*items[:at], value, *items[at + 1 :]]


def test_faithful_file_has_no_finding(tmp_path, original):
    assert converted(tmp_path, original) == ()


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({"tokens": lambda t: [*t, "[PAD1]"], "token_type": lambda t: [*t, UNUSED]}, {"parity/size"}),
        ({"tokens": lambda t: t[:-1], "token_type": lambda t: t[:-1]}, {"parity/size", "parity/piece"}),
        ({"tokens": lambda t: replaced(t, 600, "<fool>")}, {"parity/piece"}),
        ({"token_type": lambda t: replaced(t, 600, CONTROL)}, {"parity/type"}),
        ({"token_type": lambda t: replaced(t, 0, NORMAL)}, {"parity/type"}),
        ({"token_type": lambda t: replaced(t, 400, USER_DEFINED)}, {"parity/type"}),
        ({"merges": lambda m: swapped(m, 0, 1)}, {"parity/merges"}),
        ({"tokens": lambda t: swapped(t, 70, 71)}, {"parity/piece", "parity/ids"}),
        ({"pre": "default"}, {"parity/pre"}),
        ({"pre": "no-such-name"}, {"parity/pre"}),
        ({"pre": "llama-bpe"}, {"parity/pre"}),
        ({"add_bos_token": True}, {"parity/flag"}),
        ({"add_eos_token": True}, {"parity/flag"}),
        ({"eos_token_id": 600}, {"parity/flag"}),
        ({"chat_template": TEMPLATE + "x"}, {"parity/template"}),
    ],
)
def test_planted_difference_is_told(tmp_path, original, changed, rules):
    found = {finding.rule: finding for finding in converted(tmp_path, original, **changed)}
    # A planted merge or type may move the ids of the probe text, too.
    assert rules <= set(found) <= rules | {"parity/ids"}
    assert found.keys() <= RULES.keys()


def test_pre_tokenizers_that_engines_make_up_are_errors(tmp_path, original):
    levels = {}
    for name in ("default", "no-such-name", "llama-bpe"):
        findings = converted(tmp_path, original, pre=name)
        levels[name] = next(finding.level for finding in findings if finding.rule == "parity/pre")
    assert levels == {"default": Level.ERROR, "no-such-name": Level.ERROR, "llama-bpe": Level.WARNING}


def test_messages_name_what_differs(tmp_path, original):
    (finding,) = converted(tmp_path, original, tokens=lambda t: replaced(t, 600, "<fool>"))
    assert "id 600 is b'<tool>' and b'<fool>'" in finding.message
    (finding,) = converted(tmp_path, original, token_type=lambda t: replaced(t, 600, CONTROL))
    assert finding.message == "1 tokens are CONTROL where USER_DEFINED is meant: '<tool>'"


def test_first_difference_of_a_text(original, tmp_path):
    encoder = original[0].encoder
    other = open_tokenizer(write_plain(tmp_path)).encoder
    assert first_difference(encoder, encoder, "all <tool> x") is None
    before, one, theirs = first_difference(encoder, other, "all <tool> x")
    assert before == "all "
    assert one[0] == 600 and theirs[0] != 600


def write_plain(folder):
    path = folder / "plain.json"
    path.write_text(byte_level_json())
    return path

import json

import pytest

from forensics.errors import BadInputError
from forensics.sources.interface import AddedToken
from forensics.sources.tokenizer_files.special_roles import merge_added_tokens, read_companions

IDS = {"<s>": 1, "</s>": 2, "<pad>": 3}


def folder_with(folder, **files):
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return read_companions(folder)


def test_every_file_keeps_its_word(tmp_path):
    companions = folder_with(
        tmp_path,
        tokenizer_config={"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": None},
        special_tokens_map={"eos_token": "<pad>"},
        config={"text_config": {"eos_token_id": 2}, "bos_token_id": 1},
        generation_config={"eos_token_id": [2, 3], "pad_token_id": True},
    )
    roles, notes = companions.special_roles(IDS)
    assert roles == {
        "bos": {"tokenizer_config.json": 1, "config.json": 1},
        "eos": {
            "tokenizer_config.json": 2,
            "special_tokens_map.json": 3,
            "config.json": 2,
            "generation_config.json": 2,
            "generation_config.json #2": 3,
        },
    }
    assert notes == []


def test_a_name_without_an_entry_is_noted(tmp_path):
    roles, notes = folder_with(tmp_path, tokenizer_config={"sep_token": "[SEP]"}).special_roles(IDS)
    assert roles == {}
    assert notes == ["tokenizer_config.json names '[SEP]' as sep token, which the vocabulary does not hold"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ x }}", "{{ x }}"),
        ([{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}], "d"),
        ([{"name": "rag", "template": "r"}], "r"),
        ([], None),
        (7, None),
    ],
)
def test_the_default_of_several_templates_counts(tmp_path, template, expected):
    assert folder_with(tmp_path, tokenizer_config={"chat_template": template}).chat_template == expected


def test_a_template_file_takes_precedence(tmp_path):
    (tmp_path / "chat_template.jinja").write_text("from the file")
    companions = folder_with(tmp_path, tokenizer_config={"chat_template": "from the entry"})
    assert companions.chat_template == "from the file"
    assert tmp_path / "chat_template.jinja" in companions.files


def test_a_damaged_companion_is_named(tmp_path):
    (tmp_path / "special_tokens_map.json").write_text("{")
    with pytest.raises(BadInputError, match=r"special_tokens_map\.json: not valid JSON"):
        read_companions(tmp_path)


def test_declarations_of_one_token_are_joined():
    merged = merge_added_tokens(
        [AddedToken(5, "<x>", False, "tokenizer.json")], [AddedToken(5, "<x>", True, "tokenizer_config.json")]
    )
    assert merged == (AddedToken(5, "<x>", True, "tokenizer.json, tokenizer_config.json"),)

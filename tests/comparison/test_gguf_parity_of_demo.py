"""A released GGUF file against a faithful Hugging Face folder of it, and with one planted difference each.

The folder is made from the GGUF file itself, so nothing here says that the release kept its original.
"""

from __future__ import annotations

import copy
import json

import pytest

from forensics.comparison.gguf_parity import gguf_parity
from forensics.comparison.spelt import spell
from forensics.sources.gguf.file import read_gguf
from forensics.sources.gguf.metadata import check_metadata
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer

#: `<repo_name>`, a CONTROL token that has no role.
REPO_NAME = 3


@pytest.fixture(scope="module")
def released():
    """The GGUF file's tokenizer and its own entries, read once."""
    source = open_tokenizer("demo")
    (path,) = source.files
    return (source, spell(source)), check_metadata(path, read_gguf(path).metadata)


@pytest.fixture(scope="module")
def faithful(released):
    """tokenizer.json and tokenizer_config.json as Hugging Face writes them."""
    (source, _), _ = released
    roles = {
        f"{role}_token": source.pieces[next(iter(claims.values()))]
        for role, claims in source.special_roles.items()
    }
    config = {**roles, "add_bos_token": False, "chat_template": source.chat_template}
    return json.loads(source.encoder.to_str()), config


def rules(folder, released, tokenizer, config):
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    original = open_tokenizer(folder)
    converted, metadata = released
    return {each.rule for each in gguf_parity((original, spell(original)), converted, metadata)}


def test_a_faithful_folder_has_no_finding(tmp_path, released, faithful):
    assert rules(tmp_path, released, *faithful) == set()


def plant_type(tokenizer, config):
    tokenizer["added_tokens"][REPO_NAME]["special"] = False


def plant_flag(tokenizer, config):
    config["eos_token"] = "<|endoftext|>"


def plant_merge(tokenizer, config):
    merges = tokenizer["model"]["merges"]
    merges[0], merges[1] = merges[1], merges[0]


def plant_pre_tokenizer(tokenizer, config):
    tokenizer["pre_tokenizer"]["pretokenizers"][0]["individual_digits"] = False


def plant_piece(tokenizer, config):
    vocabulary = tokenizer["model"]["vocab"]
    added = tokenizer["added_tokens"][REPO_NAME]
    vocabulary["<repo-name>"] = vocabulary.pop(added["content"])
    added["content"] = "<repo-name>"


@pytest.mark.parametrize(
    ("plant", "rule"),
    [
        (plant_type, "parity/type"),
        (plant_flag, "parity/flag"),
        (plant_merge, "parity/merges"),
        (plant_pre_tokenizer, "parity/pre"),
        (plant_piece, "parity/piece"),
    ],
)
def test_one_planted_difference_is_the_only_thing_told(tmp_path, released, faithful, plant, rule):
    tokenizer, config = copy.deepcopy(faithful)
    plant(tokenizer, config)
    # Other merges or cuts may give the probe text other ids, too.
    assert {rule} <= rules(tmp_path, released, tokenizer, config) <= {rule, "parity/ids"}

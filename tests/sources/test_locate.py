import os
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.errors import BadInputError
from forensics.sources.hub import is_hub_id
from forensics.sources.locate import locate_model, model_name
from tests.sources.written_checkpoints import LLAMA, matrix, write_folder


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/SmolLM2-135M.Q4_1.gguf", "SmolLM2-135M.Q4_1"),
        ("/a/qwen-00001-of-00003.gguf", "qwen"),
        ("/a/pythia-70m", "pythia-70m"),
        ("/a/Llama-3.1", "Llama-3.1"),
        ("/a/pythia-70m/model.safetensors", "pythia-70m"),
        ("/a/pythia-70m/final", "pythia-70m"),
        ("/a/package/model", "package"),
        ("/hub/models--org--name/snapshots/0123abcd", "org--name"),
        ("/a/weird name (1)", "weird-name-1"),
        ("/", "model"),
    ],
)
def test_names_are_short_and_fit_for_a_folder(path, name):
    assert model_name(Path(path)) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpt2", True),
        ("meta-llama/Llama-3.1-8B", True),
        ("a/b/c", False),
        ("./a", False),
        ("/a", False),
        ("~/a", False),
        ("model.gguf", False),
        ("org/model.safetensors", False),
        ("", False),
    ],
)
def test_hub_ids(text, expected):
    assert is_hub_id(text) == expected


def test_a_local_path_wins_over_everything(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("demo", "gpt2"):
        (tmp_path / name).mkdir()
        assert locate_model(name) == Path(name)


OFFLINE = """
import sys
from forensics.errors import BadInputError
from forensics.sources import open_checkpoint
try:
    opened = open_checkpoint(sys.argv[1], **eval(sys.argv[2]))
    print(opened.name, opened.embedding.shape)
except BadInputError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize(
    ("options", "environment"), [("{'offline': True}", {}), ("{}", {"HF_HUB_OFFLINE": "1"})]
)
def test_offline_uses_the_hub_cache_and_nothing_else(tmp_path, options, environment):
    snapshot = tmp_path / "models--org--tiny" / "snapshots" / "0123"
    write_folder(snapshot, {"model.embed_tokens.weight": matrix(0)}, LLAMA)
    (tmp_path / "models--org--tiny" / "refs").mkdir()
    (tmp_path / "models--org--tiny" / "refs" / "main").write_text("0123")

    def ask(hub_id):
        # An address that answers nothing: a test that reaches for the network fails quickly.
        extra = {"HF_HUB_CACHE": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9", **environment}
        command = [sys.executable, "-c", OFFLINE, hub_id, options]
        return subprocess.run(command, capture_output=True, text=True, env=os.environ | extra).stdout

    assert ask("org/tiny") == "org--tiny (40, 16)\n"
    assert "refused: org/absent: neither a local path nor in the local hub cache" in ask("org/absent")


def test_what_is_neither_path_nor_hub_id(tmp_path):
    with pytest.raises(BadInputError, match="no such file or folder"):
        locate_model(tmp_path / "nothing")


def write_cache(root, *revisions, main=None):
    """Write the hub's cache of one model; return the model's folder."""
    folder = root / "models--org--name"
    for revision in revisions:
        (folder / "snapshots" / revision).mkdir(parents=True)
    if main is not None:
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(main)
    return folder


def test_a_folder_of_the_hubs_cache_stands_for_its_snapshot(tmp_path):
    one = write_cache(tmp_path / "one", "abc")
    assert locate_model(one) == locate_model(one / "snapshots") == one / "snapshots" / "abc"
    two = write_cache(tmp_path / "two", "abc", "def", main="def\n")
    assert locate_model(two) == two / "snapshots" / "def"
    assert locate_model(two / "snapshots" / "abc") == two / "snapshots" / "abc"


@pytest.mark.parametrize("main", [None, "../../..", "ghi"])
def test_a_cache_that_does_not_say_which_snapshot_is_refused(tmp_path, main):
    folder = write_cache(tmp_path, "abc", "def", main=main)
    with pytest.raises(BadInputError, match="2 snapshots"):
        locate_model(folder)
    with pytest.raises(BadInputError, match="cache of 1 models, first models--org--name"):
        locate_model(tmp_path)

import shutil
import subprocess
import sys

import pytest

from forensics.errors import BadInputError
from forensics.progress import Progress
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from tests.sources.written_tokenizers import byte_level_json, minilm, sentencepiece_bytes, smollm2

FRESH = """
import sys
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
assert len(build_vocabulary(open_tokenizer(sys.argv[1]))) > 0
print(sorted({"torch", "transformers", "pandas", "matplotlib"} & set(sys.modules)))
"""


@pytest.mark.parametrize("path", [smollm2(), minilm()], ids=["gguf", "folder"])
def test_neither_torch_nor_transformers_is_imported(path):
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_demo_is_smollm2():
    assert open_tokenizer("demo").path == smollm2()


def test_a_format_is_recognised_by_its_content(tmp_path):
    shutil.copy(smollm2(), tmp_path / "disguised.model")
    (tmp_path / "disguised.json").write_bytes(sentencepiece_bytes("bpe"))
    (tmp_path / "disguised.gguf").write_text(byte_level_json(), encoding="utf-8")
    kinds = {
        name: open_tokenizer(tmp_path / f"disguised.{name}").format for name in ("model", "json", "gguf")
    }
    assert kinds == {"model": "gguf", "json": "sentencepiece", "gguf": "tokenizer.json"}


def test_tokenizer_json_is_preferred_in_a_folder(tmp_path):
    (tmp_path / "tokenizer.model").write_bytes(sentencepiece_bytes("bpe"))
    assert open_tokenizer(tmp_path).format == "sentencepiece"
    (tmp_path / "tokenizer.json").write_text(byte_level_json(), encoding="utf-8")
    assert open_tokenizer(tmp_path).format == "tokenizer.json"


def test_beside_a_weight_file_its_folder_is_read(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "tokenizer.json").write_text(byte_level_json(), encoding="utf-8")
    assert open_tokenizer(tmp_path / "model.safetensors").format == "tokenizer.json"


def test_remarks_reach_the_progress(tmp_path):
    class Listener(Progress):
        heard = ()

        def note(self, message):
            self.heard += (message,)

    (tmp_path / "m.model").write_bytes(sentencepiece_bytes("bpe"))
    listener = Listener()
    open_tokenizer(tmp_path / "m.model", progress=listener)
    assert any("recovered from the scores" in message for message in listener.heard)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: path.mkdir(), "no tokenizer"),
        (lambda path: path.write_bytes(b""), "the file is empty"),
        (lambda path: path.write_text("hello"), "not readable as SentencePiece"),
        (lambda path: path.write_text('{"a": 1}'), "without a `model`"),
        (lambda path: None, "no such file"),
    ],
)
def test_what_is_no_tokenizer_is_refused_by_name(tmp_path, make, found):
    path = tmp_path / "thing.x.json"
    make(path)
    with pytest.raises(BadInputError, match=r"thing\.x\.json") as error:
        open_tokenizer(path, offline=True)
    assert found in str(error.value)


def test_several_candidates_are_listed(tmp_path):
    for name in ("a.model", "b.model"):
        (tmp_path / name).write_bytes(sentencepiece_bytes("bpe"))
    with pytest.raises(BadInputError, match=r"several tokenizer files \(a.model, b.model\)"):
        open_tokenizer(tmp_path)

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


def test_a_pipeline_keeps_the_tokenizer_beside_the_text_encoder(tmp_path):
    for number in ("", "_2"):
        (tmp_path / f"text_encoder{number}").mkdir()
        (tmp_path / f"text_encoder{number}" / "model.safetensors").write_bytes(b"weights")
        (tmp_path / f"tokenizer{number}").mkdir()
        (tmp_path / f"tokenizer{number}" / "tokenizer.json").write_text(byte_level_json(), encoding="utf-8")
    second = tmp_path / "tokenizer_2"
    assert open_tokenizer(tmp_path).files[0].parent == tmp_path / "tokenizer"
    assert open_tokenizer(tmp_path / "text_encoder").files[0].parent == tmp_path / "tokenizer"
    assert open_tokenizer(tmp_path / "text_encoder_2").files[0].parent == second
    assert open_tokenizer(tmp_path / "text_encoder_2" / "model.safetensors").files[0].parent == second


def test_the_transformer_of_an_old_embedding_folder_has_the_tokenizer(tmp_path):
    (tmp_path / "0_Transformer").mkdir()
    (tmp_path / "0_Transformer" / "tokenizer.json").write_text(byte_level_json(), encoding="utf-8")
    (tmp_path / "1_Pooling").mkdir()
    assert open_tokenizer(tmp_path).files[0].parent.name == "0_Transformer"


def test_a_split_gguf_file_has_its_tokenizer_in_the_first_part(tmp_path):
    shutil.copy(smollm2(), tmp_path / "m-00001-of-00002.gguf")
    for other in ("m-00002-of-00002.gguf", "m-mmproj.gguf"):
        (tmp_path / other).write_bytes(b"GGUF")
    for path in (tmp_path, tmp_path / "m-00002-of-00002.gguf"):
        assert open_tokenizer(path).files == (tmp_path / "m-00001-of-00002.gguf",)


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

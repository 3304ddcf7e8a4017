"""The command line of `sticky`, through `run`, on a tiny model."""

import json

import pytest

from forensics.cli.main import run
from tests.sticky.bag_encoder import english
from tests.sticky.embedding_folder import write_embedding_folder


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    place = tmp_path_factory.mktemp("sticky")
    folder = write_embedding_folder(place / "tiny-embedder")
    files = [place / "a.txt", place / "b.txt"]
    for which, file in enumerate(files):
        file.write_text("\n".join(english(50, which)), encoding="utf-8")
    return folder, files


def arguments(inputs, out, *more):
    folder, files = inputs
    named = [part for file in files for part in ("--sentences", str(file))]
    small = ["--insertions", "4", "--ordinary-sample", "12", "--threads", "1"]
    return ["sticky", str(folder), *named, *small, "--out", str(out), *more]


def test_json_is_one_object_on_standard_output(inputs, tmp_path, capsys):
    assert run(arguments(inputs, tmp_path / "out", "--tokens", "7,9-10", "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["asked_for"] == 3
    assert found["out"] == str(tmp_path / "out")


def test_the_summary_names_the_report_and_the_report_renders_again(inputs, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(arguments(inputs, out, "--tokens", "7,9")) == 0
    assert str(out / "report.html") in capsys.readouterr().out
    before = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    assert run(["report", str(out)]) == 0
    assert (out / "report.html").read_bytes() == before


def test_the_gate_closes_on_a_number_of_this_command(inputs, tmp_path, capsys):
    gate = [
        "--tokens",
        "7,9",
        "--no-effects",
        "--json",
        "--fail-on",
        "shortlisted>=2",
        "--fail-on",
        "sticky>2",
    ]
    assert run(arguments(inputs, tmp_path / "out", *gate)) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["fail_on"] == {"shortlisted>=2": True, "sticky>2": False}
    assert "failed: shortlisted>=2 (shortlisted is 2)" in said.err


def causal_folder(folder):
    """A random causal language model, which states no pooling."""
    from transformers import LlamaConfig, LlamaForCausalLM

    write_embedding_folder(folder, modules=False)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=200, num_key_value_heads=2, max_position_embeddings=48, **shape)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def folder_with_nan(folder):
    """One row of the embedding, that of "river", is not a number."""
    from safetensors.numpy import load_file, save_file

    file = write_embedding_folder(folder) / "model.safetensors"
    tensors = load_file(file)
    tensors["embeddings.word_embeddings.weight"][5] = float("nan")
    save_file(tensors, file, metadata={"format": "pt"})
    return folder


def bad_arguments(kind, inputs, place):
    """Return the arguments of a run that cannot succeed, and what its one line must say."""
    folder, files = inputs
    long = place / "long.txt"
    long.write_text("\n".join([*english(60, 3), "river " * 60]), encoding="utf-8")
    (place / "empty.txt").touch()
    (place / "text").mkdir()
    (place / "text" / "nothing.txt").touch()
    both = ["--sentences", files[0], "--sentences", files[1]]
    std = ["--method", "std", "--pairs-score", "1", "--pairs-validate", "2"]
    return {
        "no pooling": ([write_embedding_folder(place / "plain", modules=False)], "--pooling"),
        "causal": ([causal_folder(place / "causal")], "--pooling"),
        "empty sentences": ([folder, "--sentences", place / "empty.txt"], "holds no sentence"),
        "missing sentences": ([folder, "--sentences", place / "nowhere.txt"], "nowhere.txt"),
        "few sentences": ([folder, "--sentences", files[0]], "sentences, at least"),
        "long": ([folder, "--sentences", long, "--sentences", files[1]], "line 61"),
        "few pairs": ([folder, *std, "--pairs", few_pairs(place)], "below u"),
        "nan": ([folder_with_nan(place / "nan"), *both], "not finite"),
        "missing text": ([folder, "--corpora", place / "nowhere"], "no such file or folder"),
        "empty text": ([folder, *both, "--corpora", place / "text"], "no token"),
    }[kind]


def pairs_file(file, rows):
    file.write_text("\n".join(["sentence1,sentence2,similarity", *rows]), encoding="utf-8")
    return file


def long_pairs(place):
    texts = english(6, 9)
    return pairs_file(place / "long.csv", [f"{text},{'river ' * 60},0.0{k}" for k, text in enumerate(texts)])


def few_pairs(place):
    texts = english(6, 9)
    return pairs_file(place / "few.csv", [f"{text},{texts[0]} stone,0.99999" for text in texts])


KINDS = ("no pooling", "causal", "empty sentences", "missing sentences", "few sentences", "long",
         "few pairs", "nan", "missing text", "empty text")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_one_line_and_exit_code_two(inputs, tmp_path, capsys, kind):
    given, said = bad_arguments(kind, inputs, tmp_path)
    given = ["sticky", *map(str, given), "--threads", "1", "--device", "cpu", "--out", str(tmp_path / "out")]
    assert run(given) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert said in lines[0]
    assert not (tmp_path / "out" / "report.html").exists()


def test_a_model_without_special_tokens_is_examined_like_any_other(inputs, tmp_path):
    bare = write_embedding_folder(tmp_path / "bare", frame=False)
    given = arguments((bare, inputs[1]), tmp_path / "out", "--tokens", "7,9", "--json")
    assert run(given) == 0


def test_help_has_an_example(capsys):
    assert run(["sticky", "--help"]) == 0
    assert "Example: forensics sticky demo" in capsys.readouterr().out


def test_std_cuts_long_texts_as_encode_does_and_says_how_many(inputs, tmp_path, capsys):
    folder, _ = inputs
    out = tmp_path / "out"
    given = ["sticky", folder, "--method", "std", "--pairs-score", "1", "--pairs-validate", "2", "--pairs"]
    given += [long_pairs(tmp_path), "--threads", "1", "--device", "cpu", "--out", out]
    assert run([str(each) for each in given]) == 0
    notes = json.loads((out / "summary.json").read_text(encoding="utf-8"))["notes"]
    assert any("Such texts are cut as `encode` does" in note for note in notes)

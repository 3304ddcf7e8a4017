"""`repair` from a scan's folder to a model's: what changes, what does not, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forensics as fx
from forensics.cli.main import run
from forensics.errors import BadInputError, OptionError
from tests.extras import need
from tests.runs.repair.planted import LICENCE, ROWS, VOCABULARY, plant_scan, unseen, write_model

torch = need("torch")
need("transformers")
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file  # noqa: E402


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    (folder / "licence.txt").write_text(LICENCE, "utf-8")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "sharp")


@pytest.fixture(scope="module")
def scan(model, tmp_path_factory) -> Path:
    return plant_scan(model, tmp_path_factory.mktemp("scan"), unseen(model, 4))


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return {name: each for file in folder.glob("*.safetensors") for name, each in load_file(file).items()}


def others(folder: Path, *but: str) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in but)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def trained(scan: Path) -> list[int]:
    """Return the ordinary tokens: reachable text of several bytes, not verified, no reference."""
    rows = pd.read_parquet(scan / "tokens.parquet")
    plain = (rows.category == "ok") & ~rows.is_byte & ~rows.is_special
    return rows.token_id[plain & rows.verdict.isna() & ~rows.is_reference].tolist()


def test_a_dry_run_writes_no_model_and_says_what_would_be(model, scan, text, tmp_path):
    result = fx.repair(model, scan, corpora=text, out=tmp_path)
    assert result.record.ids == tuple(sorted(unseen(model, 4)))
    assert result.record.guard.objections == ()
    assert result.record.guard.tokens >= 2000
    assert result.record.guard.argmax_after == 0
    assert result.record.written is None
    assert not (tmp_path / "model").exists()
    assert json.loads((tmp_path / "repair.json").read_text())["ids"] == list(result.record.ids)
    assert "Nothing was written" in repr(result)


def test_written_are_these_rows_and_no_other_byte(model, scan, text, tmp_path):
    result = fx.repair(model, scan, corpora=text, out=tmp_path, write=True)
    ids = list(result.record.ids)
    assert others(tmp_path / "model", "model.safetensors") == others(model, "model.safetensors")
    before, after = tensors(model), tensors(tmp_path / "model")
    name = "model.embed_tokens.weight"
    assert torch.equal(after[name][ids[0]], after[name][ids[-1]])
    kept = np.setdiff1d(np.arange(ROWS), ids)
    assert torch.equal(before[name][kept], after[name][kept])
    assert {n: t for n, t in before.items() if n != name and not torch.equal(t, after[n])} == {}
    mean = before[name][trained(scan)].double().mean(0)
    assert torch.allclose(after[name][ids[0]].double(), mean, atol=1e-6)
    # The header and the order are those of the original.
    one, other = ((folder / "model.safetensors").read_bytes() for folder in (model, tmp_path / "model"))
    differing = np.flatnonzero(np.frombuffer(one, np.uint8) != np.frombuffer(other, np.uint8))
    assert len(one) == len(other) and len(differing) <= len(ids) * 32 * 4
    changed = [each.path for each in result.record.written.files if each.changed]
    assert changed == ["model.safetensors"]


def test_writing_after_a_dry_run_asks_the_guard_no_second_time(model, scan, text, tmp_path, monkeypatch):
    fx.repair(model, scan, corpora=text, out=tmp_path)
    monkeypatch.setattr("forensics.runs.repair.run.run_guard", None)
    result = fx.repair(model, scan, corpora=text, out=tmp_path, write=True)
    assert (tmp_path / "model" / "config.json").is_file()
    again = fx.repair(model, scan, corpora=text, out=tmp_path, write=True)
    assert again.record.written == result.record.written


def test_shards_and_bfloat16_stay_what_they_are(text, tmp_path):
    model = write_model(tmp_path / "sharded", dtype="bfloat16", shard="20KB")
    assert len(list(model.glob("*.safetensors"))) > 1
    scan = plant_scan(model, tmp_path / "scan", unseen(model, 2))
    result = fx.repair(model, scan, corpora=text, out=tmp_path / "out", write=True)
    repaired = tmp_path / "out" / "model"
    name = "model.embed_tokens.weight"
    holders = [file.name for file in sorted(model.glob("*.safetensors")) if name in load_file(file)]
    assert [each.path for each in result.record.written.files if each.changed] == holders
    assert {each.dtype for each in tensors(repaired).values()} == {torch.bfloat16}
    row = tensors(repaired)[name][list(result.record.ids)]
    assert torch.equal(row[0], row[1])


def test_a_head_of_its_own_gets_the_mean_and_the_bias_its_least_value(text, tmp_path):
    model = write_model(tmp_path / "phi", tied=False, bias=True)
    ids = sorted(unseen(model, 2))
    scan = plant_scan(model, tmp_path / "scan", ids)
    result = fx.repair(model, scan, corpora=text, out=tmp_path / "out", method="parts", write=True)
    before, after = tensors(model), tensors(tmp_path / "out" / "model")
    roles = {each.role: (each.tensor, each.method) for each in result.record.matrices}
    assert {role: method for role, (_, method) in roles.items()} == {
        "embedding": "parts", "head": "mean", "bias": "minimum",
    }  # fmt: skip
    table = result.tables["rows"].set_index("token_id")
    for token in ids:
        parts = json.loads(table.parts[token])
        assert len(parts) == 2 and not set(parts) & set(ids)
        name = roles["embedding"][0]
        assert torch.allclose(after[name][token], before[name][parts].mean(0), atol=1e-6)
    head, bias = after[roles["head"][0]], after[roles["bias"][0]]
    rest = trained(scan)
    assert torch.allclose(head[ids[0]], before[roles["head"][0]][rest].mean(0), atol=1e-6)
    assert set(bias[ids].tolist()) == {float(before[roles["bias"][0]][rest].min())}


def test_groups_of_identical_rows_go_whole_and_special_tokens_stay(model, text, tmp_path):
    first, twin, other = unseen(model, 3)
    groups = {0: 1, first: 1, twin: 1, other: 2}
    scan = plant_scan(model, tmp_path / "scan", [first], duplicate_group=groups)
    result = fx.repair(model, scan, corpora=text, keep=[other])
    assert result.record.by_why == {"identical row": 1, "verified": 1}
    assert set(result.record.ids) == {first, twin}
    assert result.record.left_special == (0,)
    cleared = plant_scan(model, tmp_path / "cleared", [first, other], cleared_by_text={first: True})
    assert fx.repair(model, cleared, corpora=text).record.ids == (other,)


@pytest.mark.parametrize(("multiple", "rows"), [(1, VOCABULARY), (256, 512), (300, 600)])
def test_all_sizes_agree_after_a_resize(model, scan, text, tmp_path, multiple, rows):
    options = {"resize_to": "tokenizer", "multiple_of": multiple, "corpora": text, "write": True}
    result = fx.repair(model, scan, out=tmp_path, **options)
    repaired = tmp_path / "model"
    sizes = result.record.written.sizes
    assert (sizes.config, sizes.embedding, sizes.tokenizer) == (rows, rows, VOCABULARY)
    assert json.loads((repaired / "config.json").read_text())["vocab_size"] == rows
    from transformers import AutoModelForCausalLM

    both = [AutoModelForCausalLM.from_pretrained(folder).eval() for folder in (model, repaired)]
    ids = torch.tensor([[5, 300, 41, 320]])
    with torch.no_grad():
        old, new = (each(ids).logits[0] for each in both)
    assert new.shape[-1] == rows
    kept = np.setdiff1d(np.arange(VOCABULARY), result.record.ids)
    assert torch.allclose(old[:, kept], new[:, kept], atol=1e-5)
    with safe_open(repaired / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_one_step_of_training_after_the_repair_learns_the_token(model, scan, text, tmp_path):
    from transformers import AutoModelForCausalLM

    result = fx.repair(model, scan, corpora=text, out=tmp_path, write=True)
    token = result.record.ids[0]
    repaired = AutoModelForCausalLM.from_pretrained(tmp_path / "model").eval()
    context = torch.tensor([[5, 300, 41, 320]])

    def probability() -> float:
        with torch.no_grad():
            return float(repaired(context).logits[0, -1].softmax(-1)[token])

    assert probability() < 1e-6
    logits = repaired(context).logits[0, -1]
    torch.nn.functional.cross_entropy(logits[None], torch.tensor([token])).backward()
    row = repaired.get_input_embeddings().weight
    with torch.no_grad():
        row -= 5 * row.grad
    assert probability() > 0.99


def test_a_second_scan_shows_the_rows_harmless(model, scan, text, tmp_path):
    ids = fx.repair(model, scan, corpora=text, out=tmp_path, write=True).record.ids
    again = fx.scan(tmp_path / "model", tokens=ids, corpora=text, threads=1)
    rows = again.tokens.set_index("token_id").loc[list(ids)]
    assert rows.duplicate_group.nunique() == 1 and (rows.duplicate_size == len(ids)).all()
    tested = rows[rows.emission_max.notna()]
    assert len(tested) and (tested.emission_max < 1e-4).all()
    assert rows.verdict.str.startswith("verified").all()


def test_the_guard_refuses_with_its_numbers_and_nothing_is_written(text, tmp_path, capsys):
    model = write_model(tmp_path / "trained", steps=40)
    common = [token for token in range(257, VOCABULARY) if token not in unseen(model, ROWS)][:60]
    scan = plant_scan(model, tmp_path / "scan", common)
    out = tmp_path / "out"
    line = ["repair", str(model), "--from", str(scan), "--corpora", str(text), "--out", str(out), "--write"]
    assert run(line) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error:") and "perplexity rises from" in error and "--keep" in error
    assert not (out / "model").exists()
    dry = fx.repair(model, scan, corpora=text, out=out)
    assert [finding.rule for finding in dry.findings] == ["repair-refused"]


def test_what_weights_alone_point_at_needs_force(model, text, tmp_path):
    unverified = tmp_path / "unverified"
    fx.scan(model, verify=False, out=unverified)
    with pytest.raises(BadInputError, match="nothing was verified"):
        fx.repair(model, unverified, corpora=text)
    forced = fx.repair(model, unverified, corpora=text, force=True)
    assert set(forced.record.by_why) == {"candidate"}
    assert any("weights alone" in note for note in forced.record.notes)


def test_a_scan_of_another_model_is_refused(model, scan, text, tmp_path):
    other = shutil.copytree(model, tmp_path / "other")
    weights = load_file(other / "model.safetensors")
    weights["model.embed_tokens.weight"] = weights["model.embed_tokens.weight"].flip(0) * 1.5
    from safetensors.torch import save_file

    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BadInputError, match="numbers that the scan wrote down"):
        fx.repair(other, scan, corpora=text)
    fx.repair(other, scan, corpora=text, force=True)


def test_formats_whose_rows_cannot_be_written_are_refused(model, scan, text, tmp_path):
    pickled = tmp_path / "pickled"
    shutil.copytree(model, pickled)
    weights = load_file(pickled / "model.safetensors")
    (pickled / "model.safetensors").unlink()
    torch.save(weights, pickled / "pytorch_model.bin")
    with pytest.raises(BadInputError, match="pickled"):
        fx.repair(pickled, scan)
    with pytest.raises(BadInputError, match="lone file"):
        fx.repair(model / "model.safetensors", scan)
    with pytest.raises(OptionError, match="resize_to"):
        fx.repair(model, scan, resize_to=10)
    with pytest.raises(OptionError, match="out"):
        fx.repair(model, scan, write=True)
    with pytest.raises(BadInputError, match="2,000"):
        short = tmp_path / "short"
        short.mkdir()
        (short / "a.txt").write_text("Too short.", "utf-8")
        fx.repair(model, scan, corpora=short)


def test_weights_in_other_formats_beside_it_are_told(model, scan, text, tmp_path):
    both = shutil.copytree(model, tmp_path / "both")
    (both / "pytorch_model.bin").write_bytes(b"old weights")
    result = fx.repair(both, scan, corpora=text)
    assert [finding.rule for finding in result.findings] == ["repair-other-weights"]

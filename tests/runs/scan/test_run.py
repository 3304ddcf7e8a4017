"""`scan` from files to files, through its public function."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import tokenizers

from forensics.errors import BadInputError, ForensicsError
from forensics.progress import Progress, Stage
from forensics.runs.scan.run import scan
from forensics.undertrained.loss_by_count import STRETCH
from tests.runs.conftest import ROWS, TWINS, VOCABULARY, ZERO

#: The promise of INTERFACE: columns that every scan with verification has.
COLUMNS = {
    *("token_id", "piece", "text", "bytes", "category", "is_byte", "is_special", "script", "duplicate_group"),
    *("is_reference", "rank", "is_candidate", "max_prob", "verdict", "evidence"),
}


class Interrupting(Progress):
    """Presses Ctrl-C after so many verified tokens."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def open_stage(self, name: str, total: int | None, unit: str) -> Stage:
        outer = self

        class Counting(Stage):
            def advance(self, count: int = 1, **fields: object) -> None:
                super().advance(count, **fields)
                if name == "verification" and self.done >= outer.after:
                    raise KeyboardInterrupt

        return Counting(name, total, unit)


@pytest.fixture(scope="module")
def run(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "out"
    return scan(tiny_model, out=folder, candidates=10, audit_sample=30)


def copy(model: Path, to: Path) -> Path:
    return Path(shutil.copytree(model, to / "copy"))


def edit_rows(folder: Path, change) -> Path:
    """Rewrite the embedding of a copied model."""
    file = folder / "model.safetensors"
    tensors = safetensors.numpy.load_file(file)
    name = "model.embed_tokens.weight"
    tensors[name] = change(tensors[name].copy())
    safetensors.numpy.save_file(tensors, file, metadata={"format": "pt"})
    return folder


def test_table_has_a_row_per_row_and_the_promised_columns(run):
    assert len(run.tokens) == ROWS
    assert run.tokens.token_id.tolist() == list(range(ROWS))
    assert set(run.tokens.columns) >= COLUMNS
    assert "eout_cosine" in run.tokens.columns
    assert sorted(run.tokens["rank"]) == list(range(1, ROWS + 1))


def test_files_are_whole_and_hold_what_the_result_holds(run):
    names = {path.name for path in run.folder.iterdir()}
    assert {"tokens.parquet", "summary.json", "manifest.json", "report.md", "report.html"} <= names
    assert not [name for name in names if name.endswith((".part", ".jsonl"))]
    on_disk = pd.read_parquet(run.folder / "tokens.parquet")
    assert on_disk.token_id.tolist() == run.tokens.token_id.tolist()
    assert on_disk.verdict.fillna("").tolist() == run.tokens.verdict.fillna("").tolist()
    assert json.loads((run.folder / "summary.json").read_text())["verification"]["tested"] > 0


def test_sizes_and_rows_past_the_vocabulary_are_reported(run):
    sizes = run.summary["sizes"]
    assert (sizes["config"], sizes["matrix"], sizes["tokenizer"]) == (ROWS, ROWS, VOCABULARY + 2)
    assert sizes["past_vocabulary"]["rows"] == ROWS - VOCABULARY - 2
    assert sizes["past_vocabulary"]["can_win_argmax"] is True
    past = run.tokens[run.tokens.token_id >= VOCABULARY + 2]
    assert (past.category == "unused_row").all()
    assert set(past.token_id) <= set(run.summary["reference"]["ids"])


def test_one_of_identical_rows_speaks_for_the_others(run):
    rows = run.tokens.set_index("token_id").loc[list(TWINS)]
    assert rows.duplicate_group.nunique() == 1
    assert (rows.duplicate_size == 3).all()
    if rows.verdict.notna().any():
        assert rows.verdict.nunique() == 1
        assert rows.verified_by.iloc[1:].tolist() == [TWINS[0]] * 2


def test_a_zero_row_is_named_and_ranks_first(run):
    row = run.tokens.set_index("token_id").loc[ZERO]
    assert row.row_problem == "zero"
    assert row["rank"] == 1
    assert any("as good as zero" in note for note in run.summary["notes"])


def test_every_verdict_carries_its_evidence(run):
    tested = run.tokens[run.tokens.verdict.notna() & run.tokens.verified_by.isna()]
    assert len(tested) > 60
    for evidence, max_prob in zip(tested.evidence, tested.max_prob, strict=True):
        shown = json.loads(evidence)
        assert shown["probes"] or shown["prompts"]
        assert shown["max_prob"] == pytest.approx(max_prob, rel=1e-6)


def test_a_model_that_cannot_repeat_says_so_instead_of_blaming_tokens(run):
    """The weights are random: no token is repeated, not even the controls."""
    assert run.summary["verification"]["prompts_unsuitable"]
    assert any("prompts do not suit" in note for note in run.summary["notes"])


def test_the_same_inputs_give_the_same_bytes(run, tiny_model, tmp_path):
    again = scan(tiny_model, out=tmp_path / "again", candidates=10, audit_sample=30)
    for name in ("tokens.parquet",):
        assert (again.folder / name).read_bytes() == (run.folder / name).read_bytes()


def test_a_finished_run_is_not_computed_again(run, tiny_model):
    before = (run.folder / "summary.json").stat().st_mtime_ns
    again = scan(tiny_model, out=run.folder, candidates=10, audit_sample=30, progress=Interrupting(0))
    assert (run.folder / "summary.json").stat().st_mtime_ns == before
    assert again.summary["verification"] == run.summary["verification"]


def test_a_finished_run_of_other_options_is_not_replaced_unasked(run, tiny_model):
    with pytest.raises(BadInputError, match="`overwrite`"):
        scan(tiny_model, out=run.folder, candidates=20, audit_sample=30)


@pytest.mark.parametrize("after", [1, 100])
def test_an_interrupted_run_resumes_to_the_same_bytes(run, tiny_model, tmp_path, after):
    out = tmp_path / "interrupted"
    with pytest.raises(KeyboardInterrupt):
        scan(tiny_model, out=out, candidates=10, audit_sample=30, progress=Interrupting(after))
    assert [path.name for path in out.iterdir()] == ["verification.jsonl"]
    kept = (out / "verification.jsonl").read_text().splitlines()
    assert len(kept) > after
    # A crash may have cut the last line in half.
    (out / "verification.jsonl").write_text("\n".join([*kept[:-1], kept[-1][:20]]))
    scan(tiny_model, out=out, candidates=10, audit_sample=30)
    assert (out / "tokens.parquet").read_bytes() == (run.folder / "tokens.parquet").read_bytes()


def test_a_journal_of_another_run_is_not_mixed_in(run, tiny_model, tmp_path):
    out = tmp_path / "other"
    with pytest.raises(KeyboardInterrupt):
        scan(tiny_model, out=out, candidates=10, audit_sample=30, seed=5, progress=Interrupting(50))
    scan(tiny_model, out=out, candidates=10, audit_sample=30)
    assert (out / "tokens.parquet").read_bytes() == (run.folder / "tokens.parquet").read_bytes()


def test_what_was_probed_and_what_text_says_stands_in_table_and_summary(run):
    found = run.summary["verification"]
    details = found["estimate"]
    assert details["method"] == "census"
    assert details["probed"] == details["rest"] == details["sampled"]
    assert list(details["open_after"]) == sorted(details["open_after"], reverse=True)
    assert len(details["open_after"]) == len(details["probes"]) == 4
    assert sum(floor["tested"] for floor in details["floors"]) == details["sampled"]
    assert list(found["interval"]) == [found["estimate_total"]] * 2
    in_text = found["in_text"]
    assert in_text["cleared"] + in_text["fails"] + in_text["absent"] == found["verified"]
    assert found["unknown_in_text"] == in_text["fails"] + in_text["absent"]
    own = run.tokens[run.tokens.verdict.fillna("").str.startswith("verified") & run.tokens.verified_by.isna()]
    own = own[own.role != "control"]
    assert len(own) == found["verified"]
    assert (own.cleared_by_text.fillna(False)).sum() == in_text["cleared"]
    assert run.tokens.emission_max.between(0, 1).all()
    assert run.tokens.probe_p.notna().sum() >= details["probed"]
    assert set(details["probes"]) < set(found["prompts"])


def test_a_sample_is_estimated_from_and_its_interval_holds_the_census(run, tiny_model, tmp_path):
    few = tmp_path / "text"
    few.mkdir()
    (few / "one.txt").write_text("License " * 200, "utf-8")
    result = scan(tiny_model, candidates=10, audit_sample=10, estimate_tokens=64, corpora=few, seed=1)
    found = result.summary["verification"]
    assert found["estimate"]["method"] == "two-phase"
    assert found["estimate"]["probed"] == 64
    low, high = found["interval"]
    assert low <= run.summary["verification"]["estimate_total"] <= high
    assert found["in_text"]["text_tokens"] < run.summary["verification"]["in_text"]["text_tokens"]
    assert "text one" in str(result.manifest["files"])


def test_census_and_a_sample_exclude_each_other(tiny_model):
    with pytest.raises(BadInputError, match="census: given together"):
        scan(tiny_model, census=True, estimate_tokens=5)


def test_only_the_requested_tokens_are_verified(tiny_model):
    result = scan(tiny_model, tokens=[300, 305, 610])
    roles = result.tokens.set_index("token_id").role
    assert roles[roles == "requested"].index.tolist() == [300, 305, 610]
    assert set(roles.dropna()) == {"requested", "control"}
    assert result.summary["verification"]["estimate_total"] is None


def test_without_verification_the_scan_finishes_and_says_why(tiny_model, tmp_path):
    result = scan(tiny_model, verify=False, out=tmp_path / "out")
    assert "switched off" in result.summary["verification"]["skipped"]
    assert "verdict" not in result.tokens
    assert (tmp_path / "out" / "report.html").exists()


def test_a_model_that_cannot_be_run_is_scanned_and_the_reason_given(tiny_model, tmp_path):
    folder = copy(tiny_model, tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({**config, "architectures": ["NoSuchForCausalLM"], "model_type": "nosuch"})
    )
    result = scan(folder)
    assert result.summary["verification"]["skipped"]
    assert result.summary["verification"]["tested"] == 0
    with pytest.raises(ForensicsError):
        scan(folder, verify=True)


def test_tokenizer_ids_beyond_the_matrix_are_reported(tiny_model, tmp_path):
    folder = edit_rows(copy(tiny_model, tmp_path), lambda E: E[:590])
    result = scan(folder, verify=False)
    assert len(result.tokens) == 590
    assert any("590 to 601" in note for note in result.summary["notes"])


def test_nan_and_infinite_rows_are_named_and_spoil_nothing(tiny_model, tmp_path):
    def damage(E):
        E[350], E[351] = np.nan, np.inf
        return E

    result = scan(edit_rows(copy(tiny_model, tmp_path), damage), verify=False)
    problems = result.tokens.set_index("token_id").row_problem
    assert (problems[350], problems[351]) == ("nan", "inf")
    assert result.tokens.set_index("token_id").eout_cosine.drop([350, 351, ZERO]).notna().all()


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_rows_at_the_edge_of_float32_bring_no_warnings(tiny_model, tmp_path):
    def enlarge(E):
        E = np.sign(E) * np.float32(1e17)
        E[350] *= 100
        return E

    problems = scan(edit_rows(copy(tiny_model, tmp_path), enlarge), verify=False).tokens.row_problem
    assert problems[350] == "inf"
    assert problems.isna().sum() > 500


def test_given_references_and_indicator_are_used(tiny_model):
    result = scan(tiny_model, verify=False, reference=[605, 606], indicator="eout_l2")
    assert result.summary["reference"]["ids"] == [605, 606]
    assert result.summary["indicator"]["name"] == "eout_l2"
    assert result.tokens.set_index("token_id").is_reference.sum() == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"candidates": 0}, "candidates: found 0"),
        ({"tokens": [ROWS]}, "tokens: .*no row of the matrix"),
        ({"tokens": []}, "tokens: names no token"),
        ({"reference": [-1]}, "reference: -1"),
        ({"indicator": "eout_bias"}, "indicator: .*does not apply"),
    ],
)
def test_options_that_cannot_be_used_are_one_clear_line(tiny_model, options, message):
    with pytest.raises(BadInputError, match=message) as caught:
        scan(tiny_model, verify=False, **options)
    assert "\n" not in str(caught.value)


def test_a_lone_tensor_file_needs_a_tokenizer_and_takes_one(tiny_model, tmp_path):
    lone = tmp_path / "weights.safetensors"
    shutil.copy(tiny_model / "model.safetensors", lone)
    with pytest.raises(ForensicsError):
        scan(lone)
    result = scan(lone, tokenizer=tiny_model / "tokenizer.json")
    assert len(result.tokens) == ROWS
    assert result.summary["verification"]["skipped"]


def test_geometry_is_context_that_moves_no_other_number(tiny_model):
    plain, with_it = (scan(tiny_model, verify=False, geometry=asked) for asked in (False, True))
    assert plain.summary["geometry"] is None
    found = with_it.summary["geometry"]
    assert found["rows"] + found["rows_left_out"] == ROWS
    assert found["rows_left_out"] == 3  # two twins and the zero row
    pd.testing.assert_frame_equal(with_it.tokens.drop(columns="fiber_p"), plain.tokens)
    assert with_it.tokens.fiber_p.dropna().between(0, 1).all()
    tenths = plain.summary["by_frequency"]
    assert sum(each["tokens"] for each in tenths) > 300
    assert {"norm", "cosine_to_mean", plain.summary["indicator"]["name"]} == set(tenths[0]["means"])
    assert plain.summary["by_count"] is None


def test_rows_are_counted_in_the_text_that_the_user_gives(tiny_model, tmp_path):
    folder = tmp_path / "text"
    folder.mkdir()
    licence = (Path(__file__).parents[3] / "LICENSE").read_text("utf-8")
    (folder / "licence.txt").write_text(licence, "utf-8")
    encoder = tokenizers.Tokenizer.from_file(str(tiny_model / "tokenizer.json"))
    result = scan(tiny_model, tokens=[300], corpora=folder, out=tmp_path / "out")
    found = result.summary["by_count"]
    assert found["text_tokens"] + found["held_out"] == len(encoder.encode(licence).ids)
    assert found["held_out"] % STRETCH == 0
    assert found["held_out"] > 0
    strata = found["strata"]
    assert [each["name"] for each in strata][:2] == ["never seen", "seen 1 to 3 times"]
    assert sum(each["tokens"] for each in strata) == sum(e["tokens"] for e in result.summary["by_frequency"])
    # A model of noise loses about as much on every token as if it guessed.
    losses = [each["loss"]["value"] for each in strata if each["targets"]]
    assert all(math.log(ROWS) / 2 < loss for loss in losses)
    assert "Means over the ordinary tokens by how often" in (tmp_path / "out" / "report.md").read_text()
    unread = scan(tiny_model, verify=False, corpora=folder).summary["by_count"]
    assert [each["loss"] for each in unread["strata"]] == [None] * len(strata)
    assert [each["tokens"] for each in unread["strata"]] == [each["tokens"] for each in strata]

"""`membership` on a small model that has seen one list in its order, and no other text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forensics as fx
from forensics.cli.main import run
from forensics.errors import BadInputError, OptionError
from forensics.progress import Progress
from forensics.runs.membership.model import open_model
from forensics.runs.membership.order import examine_order
from forensics.schema.membership import SCORES, MembershipOptions
from tests.extras import need
from tests.planted_model import train_tokenizer

torch = need("torch")
need("transformers")

LICENCE = (Path(__file__).parents[3] / "LICENSE").read_text("utf-8")
#: Lines in random order: any order of them is as good as another.
LINES = [" ".join(line.split()) for line in LICENCE.splitlines() if len(line.split()) > 5]
LINES = [LINES[place] for place in np.random.default_rng(0).permutation(len(LINES))]
SEEN, UNSEEN = LINES[:60], LINES[60:120]


@pytest.fixture(scope="module", autouse=True)
def little_embedded_text(tmp_path_factory):
    """Read two files in place of the embedded text."""
    from forensics.sources.texts.corpora import find_corpora

    folder = tmp_path_factory.mktemp("embedded")
    for number in range(2):
        (folder / f"{number}.txt").write_text(LICENCE[3000 * number :], "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forensics.runs.membership.sets.natural_text", lambda: find_corpora([folder]))
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A model trained on `SEEN`, thirty times in its order."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("models") / "planted"
    tokenizer = train_tokenizer([LICENCE], 500)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=512, bos_token_id=0,
        eos_token_id=0, tie_word_embeddings=True,
    )  # fmt: skip
    planted = LlamaForCausalLM(config)
    ids = [i for line in SEEN for i in tokenizer.encode(f"{line}\n").ids]
    optimizer = torch.optim.AdamW(planted.parameters(), lr=4e-3)
    for epoch in range(30):
        shift = 13 * epoch % 128
        windows = torch.tensor(ids[shift:])[: (len(ids) - shift) // 128 * 128].reshape(-1, 128)
        for batch in windows.split(4):
            planted(input_ids=batch, labels=batch).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    planted.eval().save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def write(file: Path, lines: list[str]) -> Path:
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def test_the_order_that_was_seen_is_found_and_exactly_so(model, tmp_path):
    file = write(tmp_path / "seen.txt", SEEN)
    out = tmp_path / "out"
    result = fx.membership(model, dataset=file, order=True, shards=6, shuffles=49, out=out)
    order = result.record.order
    assert order.log10_p < -3 and order.gain > 0
    assert result.record.verdict == "evidence that this order was seen"
    assert [finding.rule for finding in result.findings] == ["membership-order"]
    assert sum(each.lines for each in order.shards) == order.lines == 60
    assert json.loads((out / "membership.json").read_text())["order"]["p"] == order.p
    assert (out / "plots" / "gains.png").is_file()
    assert "training data" not in result.record.verdict


def test_orders_that_were_never_seen_have_any_p(model):
    from scipy.stats import kstest

    options = MembershipOptions(shards=4, shuffles=9, threads=1)
    asked = open_model(model, None, options, True, Progress())
    found = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        lines = [UNSEEN[place] for place in rng.permutation(len(UNSEEN))[:28]]
        order, _ = examine_order(asked, lines, options, rng)
        found += [] if order.p is None else [order.p]
    assert len(found) > 20
    assert kstest(found, "uniform").pvalue > 0.01


def test_an_order_whose_neighbours_belong_together_is_refused_before_the_model_is_asked(
    model, tmp_path, monkeypatch
):
    from forensics.sources.texts.parallel_text import read_parallel_text

    monkeypatch.setattr("forensics.sources.runtimes.causal_lm.load_causal_lm", None)
    file = write(tmp_path / "flores.txt", list(read_parallel_text(languages=["eng_Latn"]).lines["eng_Latn"]))
    result = fx.membership(model, dataset=file, order=True, shards=25, shuffles=9)
    assert result.record.order.p is None and result.record.order.shards == ()
    assert result.record.verdict == "neighbours belong together, order is no evidence: refused"
    assert [finding.rule for finding in result.findings] == ["membership-no-conclusion"]


def test_texts_that_were_seen_stand_out_where_text_alone_does_not(model, tmp_path):
    texts, controls = write(tmp_path / "a.txt", SEEN), write(tmp_path / "b.txt", UNSEEN)
    result = fx.membership(model, texts=texts, controls=controls, permutations=999, bootstrap=200)
    sets = result.record.sets
    assert not sets.blind.separates
    areas = {each.name: each.auroc for each in sets.scores}
    assert set(areas) == set(SCORES) and areas["loss"] > 0.8 and areas["min_k"] > 0.8
    assert sets.p_corrected <= 5 / 1000
    assert "evidence that texts like these were seen" in result.record.verdict
    table = result.tables["texts"]
    assert (table.set == "texts").sum() == 60 and table.blind.notna().all()


def test_no_p_where_the_sets_differ_without_the_model(model, tmp_path):
    texts = write(tmp_path / "a.txt", SEEN)
    controls = write(tmp_path / "b.txt", [line.upper() for line in UNSEEN])
    out = tmp_path / "out"
    result = fx.membership(model, texts=texts, controls=controls, permutations=99, bootstrap=200, out=out)
    assert result.record.verdict == "the two sets differ without the model: no conclusion"
    assert all(each.p is None for each in result.record.sets.scores)
    report = (out / "report.md").read_text("utf-8")
    assert "no conclusion" in report and re.search(r"\| blind classifier \| (1|0\.9)", report)
    assert result.record.sets.blind.interval[0] > 0.85


def test_without_controls_there_is_a_percentile_and_no_verdict(model, tmp_path, capsys):
    texts = write(tmp_path / "a.txt", SEEN[:8])
    out = tmp_path / "out"
    assert run(["membership", str(model), "--texts", str(texts), "--out", str(out), "--threads", "1"]) == 0
    assert "no p-value and no verdict" in capsys.readouterr().out
    table = pd.read_parquet(out / "texts.parquet")
    assert table.percentile[table.set == "texts"].between(0, 1).all()
    assert (table.set == "embedded").sum() > 30
    assert run(["membership", str(model), "--texts", str(texts), "--out", str(out), "--threads", "1",
                "--fail-on", "p<0.05"]) == 2  # fmt: skip


def test_questions_that_are_none_are_refused(model, tmp_path):
    texts = write(tmp_path / "a.txt", SEEN[:3])
    for options in (
        {}, {"texts": texts, "dataset": texts, "order": True}, {"controls": texts}, {"dataset": texts},
        {"texts": texts, "order": True},
    ):  # fmt: skip
        with pytest.raises(OptionError):
            fx.membership(model, **options)
    with pytest.raises(BadInputError, match="at least 5"):
        fx.membership(model, texts=texts)
    with pytest.raises(BadInputError, match="at least 10"):
        fx.membership(model, dataset=texts, order=True)
    with pytest.raises(BadInputError, match="holds no text"):
        fx.membership(model, texts=write(tmp_path / "empty.txt", ["", " "]))

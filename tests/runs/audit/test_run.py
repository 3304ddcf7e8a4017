"""Whole audits of tiny tokenizers: what the files say is what a plain recount says, and says it again."""

import json

import pandas as pd
import pytest

import forensics as fx
from forensics.errors import BadInputError
from forensics.report.results import load_results
from forensics.runs.audit.run import audit
from forensics.schema.audit_summary import AuditSummary
from forensics.schema.record import from_json, to_json
from tests.auditing.test_template import HOSTILE
from tests.auditing.tokenizers_at_hand import at_hand
from tests.runs.audit.small import LANGUAGES, write_corpora, write_parallel, write_tokenizer, write_words


def everything(place):
    """Write all inputs below `place` and return tokenizer and options."""
    options = {
        "parallel": write_parallel(place / "parallel"),
        "corpora": write_corpora(place / "corpora"),
        "reference": write_tokenizer(place / "reference"),
        **write_words(place),
        **dict.fromkeys(("renyi", "overlap", "gini", "inference", "pairs", "prune_plan"), True),
    }
    return write_tokenizer(place / "tiny"), options


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return everything(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def audited(inputs, tmp_path_factory):
    tokenizer, options = inputs
    return audit(tokenizer, out=tmp_path_factory.mktemp("runs") / "first", **options)


@pytest.fixture(scope="module")
def encoder():
    return at_hand("byte_level")[0].encoder


def total(encoder, lines):
    return sum(len(encoder.encode(line, add_special_tokens=False).ids) for line in lines)


def test_languages_are_recounted_one_line_at_a_time(audited, encoder):
    table = audited.tables["languages"].set_index("language")
    base = total(encoder, LANGUAGES["eng_Latn"])
    for language, lines in LANGUAGES.items():
        tokens = total(encoder, lines)
        assert table.loc[language, "tokens"] == tokens
        assert table.loc[language, "premium"] == pytest.approx(tokens / base)
        assert table.loc[language, "bytes_per_token"] == pytest.approx(len("".join(lines).encode()) / tokens)
    assert table.premium.is_monotonic_decreasing
    assert table.loc["zho_Hans", ["fertility", "single_token"]].isna().all()
    entry = audited.record.languages.of["zho_Hans"]
    assert (
        entry.variant == "sum_ratio/lines/no_specials" and "without spaces" in entry.not_applicable["words"]
    )
    assert entry.interval[0] < entry.premium < entry.interval[1]


def test_vocabulary_says_what_became_of_every_piece(audited, encoder):
    table = audited.tables["vocabulary"].set_index("piece")
    made = table[table.created.notna()]
    assert set(made.index) == {a + b for a, b in json.loads(encoder.to_str())["model"]["merges"]}
    corpus = [line for language in ("eng_Latn", "fra_Latn") for line in LANGUAGES[language] * 5]
    ids = [id_ for line in corpus for id_ in encoder.encode(line, add_special_tokens=False).ids]
    final = pd.Series(ids).value_counts()
    counted = made.set_index("token_id").final
    assert {i: n for i, n in counted.items() if n} == {i: n for i, n in final.items() if i in counted.index}
    assert audited.record.residues.tokens >= len(ids)  # line ends are tokens of the text too
    assert audited.record.residues.bytes == sum(len(line.encode()) + 1 for line in corpus) - 2
    unused = table[table.removable].token_id
    assert not set(unused) & set(ids) and len(unused) == audited.record.optional.prune_plan.removable > 0


def test_what_was_asked_for_is_there(audited):
    parts, table = audited.record.optional, audited.tables["languages"]
    assert (table.nsl == 1).all() and parts.reference == "reference"  # the same tokenizer in another folder
    assert table.renyi_of_types.between(0, 1).all() and (table.average_rank > 0).all()
    assert 0 < parts.gini < 1
    assert parts.overlap["eng_Latn"]["eng_Latn"] == 0 < parts.overlap["eng_Latn"]["zho_Hans"] <= 1
    assert parts.inference[0].method == "longest_prefix" and len(parts.inference) == 4
    assert parts.morphology.words + parts.morphology.single_token == 3
    assert [one.variant for one in parts.words] == ["leading_space/words_of_file", "bare/words_of_file"]
    assert parts.words[0].words == 3
    assert parts.wordlist.listed == 3 and parts.pairs.tried <= parts.pairs.compatible


def test_without_options_there_are_none_of_them(inputs):
    tokenizer, options = inputs
    chosen = {name: options[name] for name in ("parallel", "corpora")}
    plain = audit(tokenizer, **chosen)
    parts = to_json(plain.record)["optional"]
    assert not any(parts.values())
    assert "nsl" not in plain.tables["languages"] and "removable" not in plain.tables["vocabulary"]
    french = audit(tokenizer, reference_language="fra_Latn", **chosen)
    assert french.tables["languages"].set_index("language").premium["fra_Latn"] == 1


def test_template_and_findings_are_told(audited):
    (template,) = audited.record.templates
    assert template.file == "tokenizer_config.json" and template.roles["user"] == "written"
    assert {"template/special-missing"} <= {one.rule for one in audited.findings}
    assert list(audited.tables["findings"].rule) == [one.rule for one in audited.findings]
    assert audited.record.headline.startswith("tiny needs ")


def test_the_folder_reads_back_as_it_was_written(audited):
    read = load_results(audited.folder)
    assert read.summary == audited.record
    assert from_json(AuditSummary, to_json(audited.record)) == audited.record
    kept = json.loads((audited.folder / "audit.json").read_text("utf-8"))
    assert {"seconds", "peak_rss_bytes"} == set(audited.summary) - set(kept)


def test_the_same_again_elsewhere_and_on_one_thread_gives_the_same_bytes(audited, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    tokenizer, options = everything(tmp_path / "other place")
    again = audit(tokenizer, out=tmp_path / "second", **options)
    names = ["audit.json", *(f"{name}.parquet" for name in audited.tables)]
    for name in [*names, *(f"plots/{path.name}" for path in (again.folder / "plots").iterdir())]:
        assert (again.folder / name).read_bytes() == (audited.folder / name).read_bytes(), name
    assert again.manifest["fingerprint"] == audited.manifest["fingerprint"]


def test_a_tokenizer_without_merges_says_so_and_is_audited_all_the_same(inputs, tmp_path):
    source, _ = at_hand("unigram")
    options = {"parallel": inputs[1]["parallel"], "corpora": inputs[1]["corpora"], "inference": True}
    result = fx.audit(source.path, out=tmp_path / "out", **options)
    assert result.record.residues is None and "created" not in result.tables["vocabulary"]
    assert result.record.not_applicable["residues"].lower() == "a unigram tokenizer keeps no merges"
    assert "byte-level BPE" in result.record.not_applicable["inference"]
    assert "residues does not apply" in (tmp_path / "out" / "report.md").read_text("utf-8")


def test_a_language_of_unknown_tokens_is_struck(tmp_path):
    santali = ["ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ"] * 60
    parallel = write_parallel(tmp_path / "parallel", sat_Olck=santali)
    result = audit(at_hand("bert")[0].path, parallel=parallel, corpora=parallel)
    assert result.record.languages.of["sat_Olck"].struck
    assert result.record.languages.highest != "sat_Olck"
    assert "no merges" in result.record.not_applicable["residues"]
    (row,) = result.tables["languages"].query("language == 'sat_Olck'").to_dict("records")
    assert row["unknown"] == 1


@pytest.mark.parametrize("hostile", ["50 MB", "blocks", "brackets"])
def test_a_hostile_template_is_one_clear_line_and_the_rest_is_audited(hostile, inputs, tmp_path):
    tokenizer = write_tokenizer(tmp_path / "tiny")
    (tokenizer / "tokenizer_config.json").unlink()
    (tokenizer / "chat_template.jinja").write_text(HOSTILE[hostile])
    options = {name: inputs[1][name] for name in ("parallel", "corpora")}
    result = audit(tokenizer, **options)
    (finding,) = (each for each in result.findings if each.rule.startswith("template/"))
    assert (finding.rule, finding.file, finding.line) == ("template/unparsable", "chat_template.jinja", 1)
    assert len(finding.message) < 200 and "\n" not in finding.message
    assert result.record.templates[0].error in finding.message
    assert len(result.tables["languages"]) == 3


@pytest.mark.parametrize(
    ("option", "write", "said"),
    [
        ("parallel", lambda p: write_parallel(p, fra_Latn=["un"]), "1 lines where eng_Latn.txt has 60"),
        ("parallel", lambda p: write_parallel(p, zho_Hans=[]), "zho_Hans.txt: no text in it"),
        (
            "parallel",
            lambda p: write_parallel(p, zho_Hans=["", *LANGUAGES["zho_Hans"][1:]]),
            "line 1 is empty",
        ),
        ("parallel", lambda p: p, "no such file or folder"),
        ("corpora", lambda p: p, "no such file or folder"),
        ("reference", lambda p: p, "p"),
        ("morphology", lambda p: p.write_text("unhappy un happy") and p, "line 1 is 'unhappy un happy'"),
        ("morphology", lambda p: p.write_text("unhappy\tun hap") and p, "line 1 is"),
        ("words", lambda p: p.write_text("\n \n") and p, "no word in it"),
        ("wordlist", lambda p: p, "p"),
        ("reference_language", lambda p: "xxx_Xxxx", "no language 'xxx_Xxxx'; name one of eng_Latn"),
    ],
)
def test_what_cannot_be_used_is_one_line(option, write, said, inputs, tmp_path):
    options = {"parallel": inputs[1]["parallel"], option: write(tmp_path / "p")}
    with pytest.raises(BadInputError, match=said) as caught:
        audit(inputs[0], out=tmp_path / "out", **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()

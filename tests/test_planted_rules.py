"""Every rule of every command has a planted case with exactly this defect, and an innocent one has none.

A rule without a case here fails: plant its defect, and nothing else, in `PLANTED`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tokenizers import AddedToken, Regex, normalizers, pre_tokenizers

import forensics as fx
from forensics.auditing.integrity import integrity_findings
from forensics.auditing.specials import special_token_findings
from forensics.auditing.template import audit_template, copies_differ
from forensics.report.kinds import kind_names, kind_of
from forensics.report.results import Results
from forensics.schema.finding import Finding
from forensics.schema.index import LeftOutEntry
from forensics.schema.scan import PastVocabularySummary
from forensics.schema.tokenizer import MergeProblemEntry, MergesSummary
from forensics.sources.interface import TokenizerSource
from forensics.sources.tokenizer_files.chat_templates import read_chat_templates
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from tests.auditing.templates import CHATML, PLANTS
from tests.auditing.test_integrity import added, rewritten
from tests.auditing.tokenizers_at_hand import at_hand, spelt
from tests.report.outcomes import membership_of_order, membership_of_sets, repaired
from tests.report.synthetic import build, vocabulary_of
from tests.report.test_kinds import _index, _mixture, _sticky
from tests.runs.compare.written import checkpoint, gguf_of, parallel_text, swapped, tokenizer_folder
from tests.vocabulary.vocabularies import byte_level_bpe

#: What plants a defect in an empty folder and returns the findings.
Case = Callable[[Path], Iterable[Finding]]
MERGES = [("a", "b"), ("ab", "c")]
#: A special token is given by its text, and a template marks roles with some: no defect can do without.
SPECIAL = frozenset({"special/from-text"})


def audited(source: TokenizerSource, original: TokenizerSource | None = None) -> list[Finding]:
    """What an audit finds, text aside; `original` has the vocabulary of a source changed in memory."""
    vocabulary = build_vocabulary(original or source)
    known = {token.content for token in source.added_tokens}
    templates = read_chat_templates(source)
    found = [*integrity_findings(source, vocabulary), *special_token_findings(source, vocabulary)]
    for one in templates:
        found += audit_template(one.text, known, one.name, one.file, one.line).findings
    return [*found, *copies_differ({one.file: one.text for one in templates})]


def bpe(folder: Path, merges=tuple(MERGES), **options: Any) -> list[Finding]:
    return audited(byte_level_bpe(folder, list(merges), **options))


def in_memory(folder: Path, **changed: Callable[[TokenizerSource], Any]) -> list[Finding]:
    source = byte_level_bpe(folder, MERGES)
    values = {name: change(source) for name, change in changed.items()}
    return audited(dataclasses.replace(source, **values), source)


def in_file(folder: Path, change: Callable[[Any], object], **options: Any) -> list[Finding]:
    return audited(rewritten(folder, byte_level_bpe(folder, MERGES, **options), change))


def own_text(folder: Path, text: str) -> list[Finding]:
    """An added token that is not special."""
    return audited(added(folder, text, byte_level_bpe(folder, MERGES)))


def undecodable(folder: Path) -> list[Finding]:
    from tokenizers import decoders

    source = added(folder, "über", byte_level_bpe(folder, MERGES))
    source.encoder.decoder = decoders.ByteLevel()
    return audited(source)


def stripping(folder: Path) -> list[Finding]:
    source = byte_level_bpe(folder, MERGES)
    source.encoder.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    (folder / "tokenizer.json").write_text(source.encoder.to_str())
    return audited(open_tokenizer(folder))


def templated(folder: Path, template: str, copy: str | None = None) -> list[Finding]:
    if copy is not None:
        (folder / "chat_template.jinja").write_text(copy)
    marks = ["<|im_start|>", "<|im_end|>"]
    return bpe(folder, added=marks, tokenizer_config={"chat_template": template})


def declare(data: Any) -> None:
    data["added_tokens"][0]["id"] = 900


def with_piece(folder: Path, text: str) -> list[Finding]:
    """A piece that merges make byte by byte, so that nothing is odd but what it spells."""
    characters = spelt(text)
    return bpe(folder, [(characters[:n], characters[n]) for n in range(1, len(characters))])


def single_digits(folder: Path) -> list[Finding]:
    digits = pre_tokenizers.Split(Regex(r"\d"), "isolated")
    spelling = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return bpe(folder, [("1", "2")], pre_tokenizer=pre_tokenizers.Sequence([digits, spelling]))


CHARACTERS = {
    "ansi": "\x1b[", "control": "\x07\x07", "bidi": "\u202e", "invisible": "\u200b", "private-use": "\ue000",
    "unassigned": "\U000e0fff", "mixed-scripts": "μg",
}  # fmt: skip
AUDIT: dict[str, Case] = {
    "id/duplicate": partial(in_memory, pieces=lambda source: (*source.pieces, source.pieces[256])),
    "id/gap": partial(in_file, change=lambda data: data["model"]["vocab"].update(abc=260)),
    "id/not-honoured": partial(in_file, change=declare, added=["<|end|>"]),
    "piece/same-bytes": partial(bpe, merges=[("Ġ", "Ġ")], extra=["  "]),
    "piece/unreachable": partial(bpe, merges=[("b", "c"), ("a", "b"), ("ab", "c")]),
    "merge/repeated": partial(in_memory, merges=lambda source: (*source.merges, source.merges[0])),
    "merge/redundant": partial(bpe, merges=[("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc")]),
    "merge/dangling": partial(in_memory, merges=lambda source: (*source.merges, ("qqq", "zzz"))),
    "merge/unformable": single_digits,
    "merge/token-without-merge": partial(bpe, extra=["xyz"]),
    "merge/by-hand": partial(bpe, merges=[("x", "y")], added=["xy"]),
    "added/overrides": partial(own_text, text="bc"),
    "added/undecodable": undecodable,
    "roundtrip": partial(bpe, normalizer=normalizers.NFC()),
    "special/role-disagrees": partial(
        bpe, added=["<s>", "</s>"], tokenizer_config={"eos_token": "</s>"}, config={"eos_token_id": 258}
    ),
    "special/split": partial(bpe, merges=(), extra=["<pad>"], config={"pad_token_id": 256}),
    "special/from-text": partial(bpe, added=["<s>"]),
    "special/strips-neighbours": stripping,
    "template/unparsable": partial(templated, template="{% nonsense %}"),
    "template/no-generation-prompt": partial(templated, template=CHATML.partition("{% if add_gen")[0]),
    "template/role-dropped": partial(
        templated, template=CHATML.replace("messages %}", "messages if message.role != 'tool' %}", 1)
    ),
    "template/copies-differ": partial(templated, template=CHATML, copy=CHATML + "x"),
    **{rule: partial(templated, template=CHATML + plant) for rule, plant in reversed(PLANTS)},
    **{f"char/{risk}": partial(with_piece, text=text) for risk, text in CHARACTERS.items()},
}


def compared(folder: Path, change: Callable[[Any], object] = lambda _: None, template: str = "") -> Any:
    one, other = tokenizer_folder(folder / "one"), tokenizer_folder(folder / "other", change)
    if template:
        (other / "chat_template.jinja").write_text(template)
    return fx.compare(one, other, parallel=parallel_text(folder)).findings


def converted(folder: Path, **planted: Any) -> Any:
    original = tokenizer_folder(folder / "one")
    return fx.compare(
        original, gguf_of(original, folder / "x.gguf", **planted), parallel=parallel_text(folder)
    ).findings


def related(folder: Path) -> Any:
    sides = checkpoint(folder / "one", seed=1), checkpoint(folder / "other", seed=1, noise=0.2)
    return fx.compare(*sides, parallel=parallel_text(folder)).findings


def one_more(data: Any) -> None:
    data["model"]["vocab"]["qqqq"] = len(data["model"]["vocab"])


def exchange(data: Any) -> None:
    vocab = data["model"]["vocab"]
    names = {token_id: piece for piece, token_id in vocab.items()}
    vocab[names[70]], vocab[names[71]] = 71, 70


def reorder(data: Any) -> None:
    data["model"]["merges"] = swapped(data["model"]["merges"], 0, 1)


COMPARE: dict[str, Case] = {
    "parity/size": partial(
        converted, tokens=lambda t: [*t, "[PAD1]"], token_type=lambda t: [*t, 5]  # UNUSED
    ),
    "parity/piece": partial(converted, tokens=lambda t: ["<|fool|>", *t[1:]]),
    "parity/type": partial(converted, token_type=lambda types: [1, *types[1:]]),
    "parity/merges": partial(converted, merges=lambda merges: swapped(merges, 0, 1)),
    "parity/pre": partial(converted, pre="llama-bpe"),
    "parity/flag": partial(converted, add_bos_token=True),
    "parity/ids": partial(converted, tokens=lambda tokens: swapped(tokens, 70, 71)),
    "parity/template": partial(converted, chat_template="{{ messages }}"),
    "difference/pieces": partial(compared, change=one_more),
    "difference/ids": partial(compared, change=exchange),
    "difference/order": partial(compared, change=reorder),
    "difference/added": partial(compared, change=lambda data: data["added_tokens"][0].update(lstrip=True)),
    "difference/setting": partial(compared, change=lambda data: data.update(decoder={"type": "Fuse"})),
    "difference/text": partial(compared, change=lambda data: data.update(normalizer={"type": "NFC"})),
    "difference/template": partial(compared, template="{{ messages }}"),
    "weights/not-independent": related,
}  # fmt: skip


def scanned(
    _: Path,
    rows: Mapping[str, object] | None = None,
    verification: Mapping[str, Any] | None = None,
    **changed: Any,
) -> Any:
    """A sound scan of 200 ordinary words; `rows` are cells of the last of them."""
    tokens, summary, manifest = build()
    tokens = tokens[tokens["category"].eq("ok") & ~tokens["is_byte"]].head(200).reset_index(drop=True)
    tokens["token_id"] = range(len(tokens))
    tokens["verdict"], tokens["max_prob"], tokens["row_problem"] = "rejected", np.float32(0.9), None
    tokens["cleared_by_text"] = pd.array([pd.NA] * len(tokens), dtype="boolean")
    for column, value in (rows or {}).items():
        tokens.loc[len(tokens) - 1, column] = value
    size = len(tokens)
    sizes = replace(summary.sizes, config=size, matrix=size, tokenizer=size, past_vocabulary=None)
    sound = {"role_agreement": {}, "sizes": sizes, **changed}
    summary = replace(summary, verification=replace(summary.verification, **(verification or {})), **sound)
    return kind_of("scan").findings(Results(summary, {"tokens": tokens}, manifest))


DISAGREE = {"pad": {"config.json": 1, "tokenizer_config.json": 2, "agree": False}}
UNREACHABLE = {"category": "unreachable_multi", "reencodes_to": "[3, 4]"}
VERIFIED = {"verdict": "verified_strong", "max_prob": 1e-6}


def sized(matrix: int, past: PastVocabularySummary | None = None) -> Any:
    return replace(build()[1].sizes, config=200, matrix=matrix, tokenizer=200, past_vocabulary=past)


SCAN: dict[str, Case] = {
    "undertrained-token": partial(scanned, rows=VERIFIED),
    "fails-prompts-only": partial(scanned, rows={**VERIFIED, "cleared_by_text": True}),
    "prompts-unsuitable": partial(scanned, verification={"prompts_unsuitable": True}),
    "row-past-vocabulary": partial(scanned, sizes=sized(200, PastVocabularySummary(8, True, "large norms"))),
    "sizes-differ": partial(scanned, sizes=sized(190)),
    "row-not-finite": partial(scanned, rows={"row_problem": "nan"}),
    "row-of-zeros": partial(scanned, rows={"row_problem": "zero"}),
    "role-disagreement": partial(scanned, role_agreement=DISAGREE),
    "unreachable-token": partial(scanned, rows=UNREACHABLE),
}


def vocabulary(_: Path, rows: Mapping[str, object] | None = None, **changed: Any) -> Any:
    tokens, summary, _manifest = build()
    tokens = tokens[tokens["category"].eq("ok")].reset_index(drop=True)
    for column, value in (rows or {}).items():
        tokens.loc[len(tokens) - 1, column] = value
    return kind_of("tokens").findings(Results(replace(vocabulary_of(summary), **changed), {"tokens": tokens}))


ODD = MergesSummary(9, (MergeProblemEntry("redundant_merge", "It can never apply.", 3, (["a", "b"],)),))
TOKENS: dict[str, Case] = {
    "role-disagreement": partial(vocabulary, role_agreement=DISAGREE),
    "unreachable-token": partial(vocabulary, rows=UNREACHABLE),
    "merge-oddity": partial(vocabulary, merges=ODD),
}


def embedded(_: Path, sticky: bool) -> Any:
    results = _sticky()
    table = results.tokens.assign(sticky=[False, sticky, False])
    return kind_of("sticky").findings(Results(results.summary, {"tokens": table}))


def mixed(_: Path, doubts: tuple[str, ...]) -> Any:
    return kind_of("mixture").findings(_mixture(doubts=doubts))


def indexed(_: Path, *left_out: LeftOutEntry) -> Any:
    return kind_of("index").findings(_index(*left_out))


def judged(results: Results[Any]) -> Case:
    return lambda _: kind_of(results.summary.kind).findings(results)


PLANTED: dict[str, dict[str, Case]] = {
    "audit": AUDIT,
    "compare": COMPARE,
    "scan": SCAN,
    "tokens": TOKENS,
    "sticky": {"sticky-token": partial(embedded, sticky=True)},
    "mixture": {"mixture-doubt": partial(mixed, doubts=("too little text",))},
    "index": {"run-left-out": lambda folder: indexed(folder, LeftOutEntry("two", "cut short"))},
    "repair": {
        "repair-refused": judged(repaired(("perplexity rises by 3 %",))),
        "repair-other-weights": judged(repaired(other_weights=("pytorch_model.bin",))),
        "repair-special-left": judged(repaired(left_special=(7,))),
    },
    "membership": {
        "membership-texts": judged(membership_of_sets(0.001)),
        "membership-order": judged(membership_of_order(0.001)),
        "membership-no-conclusion": judged(membership_of_sets(None)),
    },
}
INNOCENT: dict[str, list[Case]] = {
    "audit": [
        bpe,
        lambda _: [each for each in audited(at_hand("byte_level")[0]) if each.rule not in SPECIAL],
    ],
    "compare": [compared, converted],
    "scan": [scanned],
    "tokens": [vocabulary],
    "sticky": [partial(embedded, sticky=False)],
    "mixture": [partial(mixed, doubts=())],
    "index": [indexed],
    "repair": [judged(repaired())],
    "membership": [judged(membership_of_sets(0.4)), judged(membership_of_order(0.4))],
}
#: Rule -> what a defect of this kind brings with it.
WITH: Mapping[str, frozenset[str]] = {
    "piece/same-bytes": frozenset({"merge/token-without-merge", "piece/unreachable"}),
    "merge/unformable": frozenset({"piece/unreachable"}),
    "merge/token-without-merge": frozenset({"piece/unreachable"}),
    "added/overrides": frozenset({"piece/unreachable"}),
    "char/ansi": frozenset({"char/control"}),
    "template/content-branch-injects": frozenset({"template/content-branch"}),
    "parity/piece": frozenset({"parity/ids"}),
    "parity/ids": frozenset({"parity/piece"}),
    "difference/ids": frozenset({"difference/text"}),
    "difference/text": frozenset({"difference/setting"}),
}


@pytest.mark.parametrize(
    ("command", "rule"), [(name, rule.id) for name in kind_names() for rule in kind_of(name).rules]
)
def test_every_rule_has_a_planted_case(command: str, rule: str, tmp_path: Path) -> None:
    found = {each.rule for each in PLANTED[command][rule](tmp_path)}
    assert rule in found
    assert found <= {rule} | SPECIAL | WITH.get(rule, frozenset())


@pytest.mark.parametrize("command", kind_names())
def test_an_innocent_one_has_no_finding(command: str, tmp_path: Path) -> None:
    for number, case in enumerate(INNOCENT[command]):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert list(case(folder)) == []

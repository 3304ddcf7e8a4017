"""Every rule has a tokenizer with exactly this defect; a sound tokenizer has no finding above a note."""

import dataclasses
import json

import pytest
from tokenizers import Regex, normalizers, pre_tokenizers

from forensics.auditing.integrity import ROUND_TRIP_TEXTS, integrity_findings, unreachable_reasons
from forensics.auditing.rules import listed
from forensics.schema.audit_rules import RULES
from forensics.schema.finding import Level
from forensics.sources.interface import AddedToken
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.vocabulary.build import build_vocabulary
from forensics.vocabulary.merges import MergeProblem
from tests.auditing.tokenizers_at_hand import at_hand, spelt
from tests.vocabulary.vocabularies import byte_level_bpe, wordpiece


def findings(source):
    return integrity_findings(source, build_vocabulary(source))


def of_rule(source, rule):
    return [finding for finding in findings(source) if finding.rule == rule]


def rewritten(folder, source, change):
    """The tokenizer in `folder` with its JSON changed."""
    path = folder / "tokenizer.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return open_tokenizer(path)


def test_sound_tokenizers_have_nothing_to_tell(tmp_path):
    assert findings(at_hand("byte_level")[0]) == ()
    source = byte_level_bpe(tmp_path, [("a", "b"), ("ab", "c")], added=["<|end|>"])
    assert findings(source) == ()


def test_piece_at_two_ids():
    source, vocabulary = at_hand("byte_level")
    doubled = dataclasses.replace(source, pieces=(*source.pieces, source.pieces[300]))
    (finding,) = [f for f in integrity_findings(doubled, vocabulary, ()) if f.rule == "id/duplicate"]
    assert (finding.level, finding.subject) == (Level.ERROR, source.pieces[300])
    assert f"300, {len(source.pieces)}" in finding.message


def test_id_with_two_pieces():
    source, vocabulary = at_hand("byte_level")
    taken = AddedToken(300, "<|x|>", True, "tokenizer.json")
    changed = dataclasses.replace(source, added_tokens=(taken,))
    (finding,) = [f for f in integrity_findings(changed, vocabulary, ()) if f.rule == "id/duplicate"]
    assert finding.token_id == 300


def test_gap_in_the_ids(tmp_path):
    source = byte_level_bpe(tmp_path, [("a", "b")])
    moved = rewritten(tmp_path, source, lambda data: data["model"]["vocab"].update(ab=260))
    (finding,) = findings(moved)
    assert (finding.rule, finding.level) == ("id/gap", Level.NOTE)
    assert finding.message.endswith("256, 257, 258, 259")


def test_declared_id_that_the_library_does_not_give(tmp_path):
    source = byte_level_bpe(tmp_path, [("a", "b")], added=["<|end|>"])

    def declare(data):
        data["added_tokens"][0]["id"] = 900

    (finding,) = of_rule(rewritten(tmp_path, source, declare), "id/not-honoured")
    assert finding.level is Level.ERROR
    assert "'<|end|>' declared 900, given 257" in finding.message
    assert finding.evidence == {"count": 1}


def test_two_ids_of_the_same_bytes(tmp_path):
    source = byte_level_bpe(tmp_path, [("Ġ", "Ġ")], extra=["  "])
    (finding,) = of_rule(source, "piece/same-bytes")
    assert finding.level is Level.WARNING and finding.evidence["count"] == 1


@pytest.mark.parametrize(
    ("reason", "options", "piece"),
    [
        ("merges", {"merges": [("b", "c"), ("a", "b")], "extra": ["abc"]}, "abc"),
        (
            "pre-tokenizer",
            {
                "merges": [("1", "2")],
                "pre_tokenizer": pre_tokenizers.Sequence(
                    [
                        pre_tokenizers.Split(Regex(r"\d"), "isolated"),
                        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
                    ]
                ),
            },
            "12",
        ),
        ("normalizer", {"merges": [("A", "b")], "normalizer": normalizers.Lowercase()}, "Ab"),
    ],
)
def test_unreachable_piece_with_its_reason(tmp_path, reason, options, piece):
    merges = options.pop("merges")
    source = byte_level_bpe(tmp_path, merges, **options)
    vocabulary = build_vocabulary(source)
    token_id = source.pieces.index(piece)
    assert unreachable_reasons(source, vocabulary)[token_id] == reason
    by_subject = {f.subject: f for f in findings(source) if f.rule == "piece/unreachable"}
    assert str(token_id) in by_subject[reason].message


def test_piece_that_a_left_context_reaches_is_reachable(tmp_path):
    source = wordpiece(tmp_path, ["cat", "##s", "a", "q", "Z", "##ats"])
    assert not of_rule(source, "piece/unreachable")


@pytest.mark.parametrize(
    ("rule", "merges", "extra"),
    [
        ("merge/redundant", [("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc")], ()),
        ("merge/token-without-merge", [("a", "b")], ("xyz",)),
    ],
)
def test_merge_oddities_are_warnings(tmp_path, rule, merges, extra):
    (finding,) = of_rule(byte_level_bpe(tmp_path, merges, extra=extra), rule)
    assert finding.level is Level.WARNING and finding.evidence["count"] == 1


def test_dangling_and_repeated_merges():
    source, vocabulary = at_hand("byte_level")
    repeated = dataclasses.replace(source, merges=(*source.merges, source.merges[7]))
    assert [f.rule for f in integrity_findings(repeated, vocabulary)] == ["merge/repeated"]
    dangling = dataclasses.replace(source, merges=(*source.merges, ("qqq", "zzz")))
    rules = [f.rule for f in integrity_findings(dangling, vocabulary)]
    assert rules == ["merge/dangling"]


def test_unformable_merge(tmp_path):
    source = byte_level_bpe(tmp_path, [("A", "b")], normalizer=normalizers.Lowercase())
    assert of_rule(source, "merge/unformable")


def test_ways_of_making_a_piece_are_a_note_in_a_list_rebuilt_from_scores():
    (finding,) = of_rule(at_hand("sentencepiece_bpe")[0], "merge/redundant")
    assert finding.level is Level.NOTE


def added(source_folder, text, source):
    def declare(data):
        data["added_tokens"].append(
            {
                "id": len(source.pieces),
                "content": text,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": False,
            }
        )

    return rewritten(source_folder, source, declare)


def test_added_token_that_kills_a_piece(tmp_path):
    source = byte_level_bpe(tmp_path, [("b", "c"), ("a", "bc")])
    changed = added(tmp_path, "bc", source)
    (finding,) = of_rule(changed, "added/overrides")
    assert finding.evidence == {"count": 1, "pieces": 1}
    assert unreachable_reasons(changed, build_vocabulary(changed)) == {
        source.pieces.index("abc"): "added token"
    }


def test_added_token_that_decodes_to_something_else(tmp_path):
    # The decoder takes ü for the byte that GPT-2's alphabet spells with it.
    from tokenizers import decoders

    source = byte_level_bpe(tmp_path, [])
    changed = added(tmp_path, "über", source)
    changed.encoder.decoder = decoders.ByteLevel()
    (finding,) = of_rule(changed, "added/undecodable")
    assert "'über' gives '\ufffdber'" in finding.message


def test_text_that_does_not_come_back(tmp_path):
    (finding,) = of_rule(at_hand("bert")[0], "roundtrip")
    assert (finding.level, finding.evidence["exact"]) == (Level.WARNING, 0)
    folded = byte_level_bpe(tmp_path, [], normalizer=normalizers.NFC())
    (finding,) = of_rule(folded, "roundtrip")
    assert finding.level is Level.NOTE
    assert finding.evidence == {"texts": len(ROUND_TRIP_TEXTS), "exact": 7, "nearly": 8}


@pytest.mark.parametrize(
    ("risk", "piece"),
    [
        ("ansi", "\x1b["),
        ("control", "a\x07"),
        ("bidi", "\u202e"),
        ("invisible", "\u200b"),
        ("private-use", "\ue000"),
        ("unassigned", "\U000e0fff"),
        ("mixed-scripts", "μg"),
    ],
)
def test_planted_characters(tmp_path, risk, piece):
    source = byte_level_bpe(tmp_path, [], extra=[spelt(piece)])
    (finding,) = of_rule(source, f"char/{risk}")
    assert finding.level is (Level.WARNING if risk == "ansi" else Level.NOTE)
    assert finding.message.startswith("1 pieces: 256 ")


def test_every_finding_has_a_rule_and_lists_are_bounded():
    for name in ("byte_level", "sentencepiece_bpe", "unigram", "bert", "smollm2"):
        for finding in integrity_findings(*at_hand(name)):
            assert finding.rule in RULES
            assert len(finding.message) < 2500
    assert listed(range(300)).endswith("99, and 200 more")


def test_examples_of_merge_oddities_are_told_in_words():
    source, vocabulary = at_hand("byte_level")
    pair = {"piece": "abc", "pair": ("a", "bc"), "learned": ("ab", "c")}
    same = {"pieces": ["<0x41>", "A"], "token_ids": [3, 9]}
    problem = MergeProblem("redundant_merge", "A further way.", 7, (pair, same, pair, pair))
    findings = integrity_findings(source, vocabulary, (problem,))
    (told,) = (one for one in findings if one.rule == "merge/redundant")
    once, twice = (
        "piece 'abc', pair 'a' + 'bc', learned 'ab' + 'c'",
        "pieces '<0x41>' and 'A', token ids 3 and 9",
    )
    assert told.message == f"7 times: A further way. For example {once}; {twice}; {once}"

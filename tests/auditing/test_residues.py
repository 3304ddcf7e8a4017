from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.auditing.applied_merges import apply_merges
from forensics.auditing.residues import find_residues
from forensics.errors import BadInputError
from tests.auditing.tokenizers_at_hand import at_hand
from tests.sources.written_tokenizers import LINES, texts
from tests.vocabulary.vocabularies import byte_level_bpe

#: A merge list over three letters, `abc` made on the way to `abca` and from there on only.
MERGES = [("a", "b"), ("ab", "c"), ("abc", "a"), ("c", "c"), ("a", "a"), ("cc", "ab")]


def pretokens(source, lines):
    counts = Counter()
    for line in lines:
        counts.update(word for word, _ in source.encoder.pre_tokenizer.pre_tokenize_str(line))
    return counts


def simulate(words, merges):
    """All words together, one merge after the other, counting what stands in the text before each."""
    text = [(list(word), count) for word, count in words.items()]
    applied, before = [], []
    for left, right in merges:
        before.append(Counter())
        for parts, count in text:
            for part in parts:
                before[-1][part] += count
        times = 0
        for parts, count in text:
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == (left, right):
                    parts[at : at + 2] = [left + right]
                    times += count
                at += 1
        applied.append(times)
    final = Counter()
    for parts, count in text:
        for part in parts:
            final[part] += count
    return applied, before, final


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=9), st.integers(1, 5), min_size=1, max_size=8))
def test_closed_form_is_what_a_simulation_counts(tmp_path_factory, words):
    source = byte_level_bpe(tmp_path_factory.mktemp("bpe"), MERGES)
    result = apply_merges(source, words)
    found = find_residues(source.merges, result, least_created=1)
    applied, before, final = simulate(words, source.merges)
    assert result.applied.tolist() == applied
    assert result.tokens == sum(final.values())
    for place, piece in enumerate(found.pieces):
        assert found.created[place] == applied[place]
        assert found.final[place] == final[piece]
        shares = [
            times / count[piece]
            for (pair, times, count) in zip(source.merges, applied, before, strict=True)
            if piece in pair and count[piece]
        ]
        assert found.vanishes[place] == pytest.approx(max(shares, default=0))
    created = np.array(applied)
    assert found.examined == (created >= 1).sum()
    assert found.never_stay == sum(applied[i] > 0 and not final[p] for i, p in enumerate(found.pieces))
    assert found.never_created == (created == 0).sum()


def step_by_step(word, merges):
    """The leftmost pair of the lowest rank, until none is left: what the library documents."""
    parts, applied = list(word), Counter()
    while found := [(merges.index(pair), at) for at, pair in enumerate(pairwise(parts)) if pair in merges]:
        number, at = min(found)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
        applied[number] += 1
    return applied, parts


@st.composite
def lists_with_several_ways(draw):
    """Merges over three letters, many pieces made in more ways than one, no pair twice."""
    pieces, merges = ["a", "b", "c"], []
    for _ in range(draw(st.integers(1, 9))):
        pair = draw(st.sampled_from(pieces)), draw(st.sampled_from(pieces))
        if pair not in merges and len("".join(pair)) < 6:
            merges.append(pair)
            pieces = list(dict.fromkeys([*pieces, "".join(pair)]))
    return merges


@settings(deadline=None, max_examples=60)
@given(
    lists_with_several_ways(),
    st.dictionaries(st.text("abcd", min_size=1, max_size=9), st.integers(1, 5), min_size=1, max_size=8),
)
def test_merges_are_those_of_the_rule_in_one_way_or_in_several(tmp_path_factory, merges, words):
    source = byte_level_bpe(tmp_path_factory.mktemp("bpe"), merges)
    result = apply_merges(source, words)
    applied, tokens = Counter(), 0
    for word, count in words.items():
        steps, parts = step_by_step(word, merges)
        tokens += len(parts) * count
        for number, times in steps.items():
            applied[number] += times * count
    assert result.applied.tolist() == [applied[number] for number in range(len(merges))]
    assert result.tokens == tokens


@settings(deadline=None, max_examples=40)
@given(st.lists(texts, min_size=1, max_size=3))
def test_tokens_left_are_the_library_s(lines):
    source, _ = at_hand("byte_level")
    result = apply_merges(source, pretokens(source, lines))
    assert result.tokens == sum(len(source.encoder.encode(line).ids) for line in lines)


def test_final_counts_are_how_often_the_library_gives_each_token():
    source, _ = at_hand("byte_level")
    found = find_residues(source.merges, apply_merges(source, pretokens(source, LINES)))
    given_tokens = Counter(token for line in LINES for token in source.encoder.encode(line).tokens)
    assert {p: n for p, n in zip(found.pieces, found.final.tolist(), strict=True) if n} == {
        piece: count for piece, count in given_tokens.items() if piece in set(found.pieces)
    }
    assert found.rate_bound == 3 / found.tokens


def test_a_piece_taken_whole_is_made_without_merging(tmp_path):
    import json

    source = byte_level_bpe(tmp_path, MERGES)
    path = tmp_path / "tokenizer.json"
    data = json.loads(path.read_text())
    data["model"]["ignore_merges"] = True
    path.write_text(json.dumps(data))
    from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer

    whole = apply_merges(open_tokenizer(path), {"abca": 3, "cab": 2})
    assert whole.taken_whole == {"abca": 3}
    assert whole.applied.tolist() == [2, 0, 0, 0, 0, 0]
    assert whole.tokens == 3 + 2 * 2
    assert apply_merges(source, {"abca": 3}).applied.tolist() == [3, 3, 3, 0, 0, 0]


def test_split_really_used_is_counted_where_a_list_names_every_split(tmp_path):
    source = byte_level_bpe(tmp_path, [("b", "c"), ("a", "b"), ("a", "bc"), ("ab", "c")])
    result = apply_merges(source, {"abc": 4})
    assert result.applied.tolist() == [4, 0, 4, 0]
    found = find_residues(source.merges, result, least_created=1)
    assert dict(zip(found.pieces, found.final.tolist(), strict=True)) == {"bc": 0, "ab": 0, "abc": 4}


@pytest.mark.parametrize("name", ["unigram", "bert"])
def test_tokenizers_without_merges_are_refused(name):
    with pytest.raises(BadInputError, match="need a BPE tokenizer"):
        apply_merges(at_hand(name)[0], {"a": 1})

"""The prompts as ids: what surrounds the token, and that nothing of it merges with the token."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tokenizers
from tokenizers import decoders, models, pre_tokenizers, processors

from forensics.errors import BadInputError
from forensics.undertrained.prompts import (
    LOOK_AFTER_SHOTS,
    SLOT,
    Prompt,
    build_prompts,
    encode_segments,
    fitting_prompts,
    leading_special_ids,
)
from forensics.undertrained.token_evidence import text_of_ids
from forensics.vocabulary.spelling import token_bytes


@pytest.fixture(scope="module")
def spaced(smollm2_tokenizer):
    """A tokenizer that puts U+2581 before every text, as SentencePiece ones do."""
    letters = [chr(i) for i in range(32, 127)] + ["«", "»", "\n", "\u2581"]
    encoder = tokenizers.Tokenizer(models.BPE({c: i for i, c in enumerate(["<s>", *letters])}, []))
    encoder.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    encoder.decoder = decoders.Metaspace()
    return replace(smollm2_tokenizer, encoder=encoder, special_roles={"bos": {"f": 0}}, adds_bos=None)


def test_the_prompts_have_the_papers_structure(smollm2_tokenizer):
    explain, repeat, go_on = build_prompts(smollm2_tokenizer)
    assert [p.name for p in (explain, repeat, go_on)] == ["explain", "repeat", "continue"]
    assert len(explain.slots) == 1
    assert len(repeat.slots) == 2 * 20 + 1
    assert len(go_on.slots) == 101
    # The orientation of the issue: 67, 268 and 121 tokens in the authors' words.
    assert [len(p.ids) for p in (explain, repeat, go_on)] == pytest.approx([67, 268, 121], rel=0.1)
    assert explain.shared_length / len(explain.ids) > 0.8


def test_the_token_stands_between_the_text_that_was_written(smollm2_tokenizer):
    token = smollm2_tokenizer.encoder.encode(" magic").ids[0]
    decode = text_of_ids(token_bytes(smollm2_tokenizer))
    explain, repeat, go_on = (decode(p.fill(token)) for p in build_prompts(smollm2_tokenizer))
    assert explain.count(" magic") == 1
    assert explain.endswith("What does ' magic' mean?\nLibrarian: '")
    assert repeat.endswith("\nOriginal: « magic»\nCopy: « magic»\nOriginal: « magic»\nCopy: «")
    assert go_on.endswith(":\n" + " magic" * 101)


def test_looks_are_places_where_a_copy_is_due(smollm2_tokenizer):
    repeat = build_prompts(smollm2_tokenizer)[1]
    assert list(repeat.looks) == sorted(repeat.looks)
    for shots, stop in zip(LOOK_AFTER_SHOTS, repeat.looks, strict=True):
        assert repeat.ids[stop] == SLOT
        assert repeat.ids[:stop].count(SLOT) == 2 * shots + 1
        # The same ids stand before every look as before the end.
        assert repeat.ids[stop - 4 : stop] == repeat.ids[-4:]


def test_segments_inside_a_text_get_no_automatic_space(spaced):
    assert spaced.encoder.encode("'x").tokens[0] == "\u2581"
    ids = encode_segments(spaced, ["say '", "' twice: '", ""])
    pieces = [spaced.encoder.id_to_token(i) if i != SLOT else "@" for i in ids]
    assert "".join(pieces) == "\u2581say\u2581'@'\u2581twice:\u2581'@"


def test_bos_comes_first_where_files_or_encoder_say_so(spaced, smollm2_tokenizer):
    assert leading_special_ids(smollm2_tokenizer) == ()
    assert leading_special_ids(spaced) == ()
    assert leading_special_ids(replace(spaced, adds_bos=True)) == (0,)
    assert build_prompts(replace(spaced, adds_bos=True))[2].ids[0] == 0
    with_processor = tokenizers.Tokenizer.from_str(spaced.encoder.to_str())
    with_processor.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 0)])
    assert leading_special_ids(replace(spaced, encoder=with_processor)) == (0,)
    assert leading_special_ids(replace(spaced, encoder=with_processor, adds_bos=False)) == ()


def test_a_tokenizer_that_encodes_nothing_is_refused(spaced):
    empty = replace(spaced, encoder=tokenizers.Tokenizer(models.BPE({"x": 0}, [])))
    with pytest.raises(BadInputError, match="encodes the prompts to nothing"):
        build_prompts(replace(empty, adds_bos=False))


def test_prompts_that_a_model_cannot_be_given_are_left_out_with_the_reason():
    short, long, odd = Prompt("short", (1, SLOT)), Prompt("long", (1, SLOT) * 40), Prompt("odd", (90, SLOT))
    fitting, remarks = fitting_prompts((short, long, odd), rows=90, positions=64, steps=3)
    assert fitting == (short,)
    assert "`long`: it needs 82 positions and the model has 64" in remarks[0]
    assert "`odd`: token 90 in it has no row in the model's matrix of 90" in remarks[1]
    assert len(fitting_prompts((short, long), rows=90, positions=None, steps=3)[0]) == 2

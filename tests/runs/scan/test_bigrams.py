"""`scan --bigrams`: a vocabulary with such pairs and a model that cannot copy, and one without any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forensics.errors import BadInputError
from forensics.progress import Progress, Stage
from forensics.runs.scan.run import scan
from forensics.sources.tokenizer_files.byte_alphabet import CHARACTER_OF_BYTE
from tests.vocabulary.vocabularies import byte_level_bpe

PLAIN = {"tokens": [300]}
_GREEK = [chr(code) for code in range(0x3B1, 0x3C9)]
_HAN = [chr(code) for code in range(0x4E00, 0x4E18)]
#: Last bytes of Cyrillic letters, none of which is a token.
_ENDS = range(0xB0, 0xC0)


def _merges() -> list[tuple[str, str]]:
    """Return merges that make letters, and letters with one half of a Cyrillic letter beside them."""
    merges: dict[tuple[str, str], None] = {}
    for letter in (*_GREEK, *_HAN):
        spelt = [CHARACTER_OF_BYTE[byte] for byte in letter.encode()]
        for cut in range(1, len(spelt)):
            merges["".join(spelt[:cut]), spelt[cut]] = None
    whole = {letter: "".join(CHARACTER_OF_BYTE[b] for b in letter.encode()) for letter in (*_GREEK, *_HAN)}
    lead = CHARACTER_OF_BYTE["б".encode()[0]]
    before = [(whole[letter], lead) for letter in _GREEK]
    after = [(CHARACTER_OF_BYTE[end], whole[letter]) for end, letter in zip(_ENDS, _HAN, strict=False)]
    return [*merges, *before, *after]


@pytest.fixture(scope="module")
def many_scripts(tmp_path_factory) -> Path:
    """A random model whose tokens hold halves of characters, behind Greek letters and before Chinese ones."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("models") / "many-scripts"
    folder.mkdir()
    source = byte_level_bpe(folder, _merges(), tokenizer_config={"model_max_length": 4096})
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(source.pieces),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        initializer_range=0.5,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


class Stopping(Progress):
    """Presses Ctrl-C after so many copies."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after, self.copies = after, 0

    def open_stage(self, name: str, total: int | None, unit: str) -> Stage:
        outer = self

        class Counting(Stage):
            def advance(self, count: int = 1, **fields: object) -> None:
                super().advance(count, **fields)
                outer.copies += unit == "copies"
                if outer.copies > outer.after:
                    raise KeyboardInterrupt

        return Counting(name, total, unit)


def test_a_model_that_cannot_copy_is_refused_and_no_other_number_moves(many_scripts, tmp_path):
    plain, asked = scan(many_scripts, **PLAIN), scan(many_scripts, bigrams=8, out=tmp_path / "out", **PLAIN)
    found = asked.summary["bigrams"]
    # The first two bytes of the Chinese letters are one prefix more, and make pairs of one script.
    assert found["in_vocabulary"] == (len(_GREEK) + 1) * len(_ENDS)
    assert found["in_vocabulary"] > found["suitable"] > 8
    assert (found["pairs"], found["controls"]) == (8, 8)
    assert found["controls_fail_by_characters"] > 0.3
    assert "even character by character" in found["refused"]
    assert found["p"] is found["pairs_fail"] is None
    assert plain.summary["bigrams"] is None
    assert plain.tokens.equals(asked.tokens)
    assert "Not tested: the model fails to copy" in (tmp_path / "out/report.md").read_text()


def test_what_was_copied_before_an_interruption_is_not_copied_again(many_scripts, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        scan(many_scripts, bigrams=8, out=tmp_path, progress=Stopping(5), **PLAIN)
    lines = (tmp_path / "verification.jsonl").read_text().splitlines()
    kept = [entry for entry in map(json.loads, lines[1:]) if entry["key"].startswith("copied")]
    assert len(kept) == 6
    # What the journal says is believed: with all copies there the controls would pass.
    claimed = [*lines, *(json.dumps({**entry, "value": True}) for entry in kept)]
    (tmp_path / "verification.jsonl").write_text("\n".join(claimed))
    found = scan(many_scripts, bigrams=8, out=tmp_path, **PLAIN).summary["bigrams"]
    assert found["controls_fail_by_characters"] <= 2 / 8


def test_a_vocabulary_without_such_pairs_says_so(tiny_model):
    found = scan(tiny_model, bigrams=8, tokens=[300]).summary["bigrams"]
    assert found["in_vocabulary"] == found["pairs"] == 0
    assert "no two tokens of this vocabulary that share a character" in found["refused"]


def test_pairs_need_a_model_that_is_run(tiny_model):
    with pytest.raises(BadInputError, match="bigrams: the model is not to be run"):
        scan(tiny_model, bigrams=8, verify=False)

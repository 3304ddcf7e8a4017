import json

from tokenizers import AddedToken, normalizers

from forensics.comparison.fields import compare_added_tokens, compare_fields
from forensics.comparison.scans import ScanOfTokens, Standing, compare_scans
from forensics.schema.compare import AddedTokenDifference
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from tests.auditing.tokenizers_at_hand import at_hand
from tests.vocabulary.vocabularies import byte_level_bpe


def folders(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return tmp_path / "a", tmp_path / "b"


def test_a_tokenizer_has_the_fields_of_itself():
    source, _ = at_hand("byte_level")
    assert compare_fields(source, source) == ()
    assert compare_added_tokens(source, source) == ()


def test_planted_settings_are_told_by_path(tmp_path):
    a, b = folders(tmp_path)
    one = byte_level_bpe(a, [("a", "b")], normalizer=normalizers.NFC())
    other = byte_level_bpe(
        b, [("a", "b")], extra=["<s>"], normalizer=normalizers.NFKC(), config={"bos_token_id": 257}
    )
    found = {difference.path: (difference.a, difference.b) for difference in compare_fields(one, other)}
    assert found == {"normalizer.type": ('"NFC"', '"NFKC"'), "role bos": (None, '["<s>"]')}


def test_a_setting_deep_in_a_pre_tokenizer(tmp_path):
    a, b = folders(tmp_path)
    one = byte_level_bpe(a, [])
    data = json.loads((a / "tokenizer.json").read_text())
    data["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [data["pre_tokenizer"]]}
    data["pre_tokenizer"]["pretokenizers"][0]["use_regex"] = False
    data["model"]["ignore_merges"] = True
    (b / "tokenizer.json").write_text(json.dumps(data))
    found = {
        difference.path: (difference.a, difference.b) for difference in compare_fields(one, open_tokenizer(b))
    }
    assert found["pre_tokenizer.pretokenizers[0].use_regex"] == (None, "false")
    assert found["model.ignore_merges"] == (None, "true")


def test_added_tokens(tmp_path):
    a, b = folders(tmp_path)
    one = byte_level_bpe(a, [], added=["<x>", "<y>", "<z>"])
    other = byte_level_bpe(b, [])
    other.encoder.add_special_tokens(["<y>", "<x>"])
    other.encoder.add_tokens([AddedToken("<w>", lstrip=True)])
    (b / "tokenizer.json").write_text(other.encoder.to_str())
    found = compare_added_tokens(one, open_tokenizer(b))
    assert set(found) == {
        AddedTokenDifference("<x>", 256, 257),
        AddedTokenDifference("<y>", 257, 256),
        AddedTokenDifference("<z>", 258, None),
        AddedTokenDifference("<w>", None, 258),
    }


def test_flags_of_an_added_token(tmp_path):
    a, b = folders(tmp_path)
    one = byte_level_bpe(a, [], added=["<x>"])
    other = byte_level_bpe(b, [])
    other.encoder.add_tokens([AddedToken("<x>", lstrip=True, normalized=False)])
    (b / "tokenizer.json").write_text(other.encoder.to_str())
    (found,) = compare_added_tokens(one, open_tokenizer(b))
    assert found == AddedTokenDifference("<x>", 256, 256, "special, lstrip")


def test_scans_are_matched_by_bytes():
    one = ScanOfTokens(
        "a",
        [b"x", b"y", b"z", b"u", None, b"z"],
        ["verified_strong", "rejected", None, "verified_weak", None, "verified_weak"],
    )
    other = ScanOfTokens(
        "b",
        [b"y", b"x", b"z", b"w", b"v"],
        ["verified_weak", "verified_strong", "inconclusive", None, "verified_weak"],
    )
    found = {
        token.bytes: (token.id_a, token.id_b, token.in_a, token.in_b)
        for token in compare_scans(one, other).tokens
    }
    assert found == {
        b"x": (0, 1, Standing.VERIFIED, Standing.VERIFIED),
        b"y": (1, 0, Standing.NOT_VERIFIED, Standing.VERIFIED),
        b"z": (5, 2, Standing.VERIFIED, Standing.NOT_VERIFIED),
        b"u": (3, None, Standing.VERIFIED, Standing.ABSENT),
        b"v": (None, 4, Standing.ABSENT, Standing.VERIFIED),
    }
    assert sum(compare_scans(one, other).counts.values()) == 5

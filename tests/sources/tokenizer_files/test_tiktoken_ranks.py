import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings

from forensics.errors import BadInputError
from forensics.sources.tokenizer_files import tiktoken_ranks
from forensics.sources.tokenizer_files.byte_alphabet import bytes_of_piece
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from forensics.sources.tokenizer_files.pretokenizers import GPT2, LLAMA_CPP_NAMES
from forensics.sources.tokenizer_files.tiktoken_ranks import KNOWN_NAMES, RankFile
from tests.extras import need
from tests.sources.written_tokenizers import byte_level_json, damage, encode, garbled, texts

tiktoken = need("tiktoken")
openai_public = need("tiktoken_ext.openai_public")

FILES = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ranks():
    """Ranks from the merges of the small tokenizer: bytes first, as tiktoken has them."""
    model = json.loads(byte_level_json())["model"]
    tokens = [bytes([byte]) for byte in range(256)]
    tokens += [bytes_of_piece(left + right) for left, right in model["merges"]]
    return {token: rank for rank, token in enumerate(dict.fromkeys(tokens))}


def rank_file(path, table):
    path.write_bytes(b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in table.items()))
    return path


@pytest.fixture(scope="module", params=["gpt-2", "dbrx", "qwen2", "gpt-4o"])
def pair(request, tmp_path_factory):
    """Our reading with a known pre-tokenizer, beside tiktoken's Encoding with its pattern."""
    path = rank_file(tmp_path_factory.mktemp("ranks") / "small.tiktoken", ranks())
    rule = LLAMA_CPP_NAMES[request.param]
    pattern = {
        "gpt-2": openai_public.r50k_pat_str,
        "dbrx": rule.steps[0][1],
        "qwen2": rule.steps[0][1],
        "gpt-4o": rule.steps[0][1],
    }[request.param]
    known = tiktoken_ranks.KNOWN_NAMES
    known[path.name, len(ranks())] = tiktoken_ranks.RankFile("small", rule)
    try:
        source = open_tokenizer(path)
    finally:
        del known[path.name, len(ranks())]
    return source, tiktoken.Encoding("small", pat_str=pattern, mergeable_ranks=ranks(), special_tokens={})


@FILES
@given(texts)
def test_encoding_equals_that_of_tiktoken(pair, text):
    ours, reference = pair
    assert encode(ours, text) == reference.encode_ordinary(text)


def test_merges_are_those_that_the_ranks_were_learnt_with(tmp_path):
    source = open_tokenizer(rank_file(tmp_path / "small.tiktoken", ranks()))
    model = json.loads(byte_level_json())["model"]
    assert [list(pair) for pair in source.merges] == [list(pair) for pair in model["merges"]]
    assert any("recovered from the ranks" in note for note in source.notes)


def test_an_unknown_file_has_no_pretokenizer(tmp_path):
    source = open_tokenizer(rank_file(tmp_path / "small.tiktoken", ranks()))
    assert source.pretokenizer_origin is None
    assert any("does not say how text is split" in note for note in source.notes)


def test_gaps_and_tokens_put_in_by_hand_are_noted(tmp_path):
    table = {**ranks(), b"zzqzz": len(ranks()) + 2}
    source = open_tokenizer(rank_file(tmp_path / "small.tiktoken", table))
    assert source.pieces[-3:] == (None, None, "zzqzz")
    assert any("2 ids have no piece" in note for note in source.notes)
    assert any("1 tokens cannot be made" in note for note in source.notes)


@pytest.mark.parametrize("name", ["r50k_base", "p50k_base", "cl100k_base", "o200k_base"])
def test_the_table_agrees_with_tiktoken(name, monkeypatch):
    """Hash and special tokens as tiktoken itself has them; the files are not fetched."""
    asked = {}
    monkeypatch.setattr(
        openai_public, "load_tiktoken_bpe", lambda url, expected_hash: asked.setdefault("hash", expected_hash)
    )
    encoding = openai_public.ENCODING_CONSTRUCTORS[name]()
    known = tiktoken_ranks.KNOWN_RANK_FILES[asked["hash"]]
    assert (known.name, dict(known.special)) == (name, encoding["special_tokens"])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"!!!! 3", "line 2"),
        (b"YQ== x", "line 2"),
        (b"YWI= -1", "line 2"),
        (b"YQ== 5", "repeated"),
        (b"YWI= 0", "id 0 stands"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, found):
    path = tmp_path / "small.tiktoken"
    path.write_bytes(b"YQ== 0\n" + line + b"\n")
    with pytest.raises(BadInputError, match=found):
        open_tokenizer(path)


@FILES
@given(damage)
def test_a_garbled_file_is_read_or_refused(tmp_path, how):
    path = rank_file(tmp_path / "small.tiktoken", ranks())
    path.write_bytes(garbled(path.read_bytes(), *how))
    try:
        source = open_tokenizer(path)
    except BadInputError as error:
        assert "\n" not in str(error)
    else:
        assert len(source.pieces) > 0


def test_special_tokens_of_known_files_follow_the_ranks() -> None:
    qwen = KNOWN_NAMES["qwen.tiktoken", 151643].special
    assert (len(qwen), qwen["<|im_start|>"], qwen["<|extra_204|>"]) == (208, 151644, 151850)
    llama = KNOWN_NAMES["tokenizer.model", 128000].special
    assert (len(llama), llama["<|eot_id|>"], llama["<|reserved_special_token_250|>"]) == (256, 128009, 128255)


def test_what_a_folder_says_of_special_tokens_counts_more(tmp_path, monkeypatch) -> None:
    ranks = {bytes([byte]): byte for byte in range(256)}
    lines = [f"{base64.b64encode(token).decode()} {rank}" for token, rank in ranks.items()]
    (tmp_path / "own.tiktoken").write_text("\n".join(lines))
    known = RankFile("Own", GPT2, {"<a>": 256, "<b>": 257, "<c>": 258})
    monkeypatch.setitem(KNOWN_NAMES, ("own.tiktoken", 256), known)
    decoder = {"257": {"content": "<better>", "special": True}, "259": {"content": "<c>", "special": True}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": decoder}))
    source = open_tokenizer(tmp_path)
    assert source.pieces[256:] == ("<a>", "<better>", None, "<c>")

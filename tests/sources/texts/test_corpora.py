"""Text by category from files of every form."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.errors import BadInputError
from forensics.sources.texts.corpora import Corpus, content_hash, find_corpora, left_out, read_corpus


def text_of(folder: Path) -> dict[str, str]:
    return {corpus.name: "".join(read_corpus(corpus)) for corpus in find_corpora([folder])}


def test_every_form_gives_its_text(tmp_path: Path) -> None:
    text = "one\ntwo \u00e9\n"
    (tmp_path / "plain.txt").write_text(text, encoding="utf-8")
    (tmp_path / "upper.TXT").write_text(text, encoding="utf-8")
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (tmp_path / "gz.txt.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "bz2.txt.bz2").write_bytes(bz2.compress(text.encode()))
    (tmp_path / "xz.txt.xz").write_bytes(lzma.compress(text.encode()))
    lines = [json.dumps({"text": line, "id": 1}) for line in ("one", "two \u00e9")]
    for name in ("json.jsonl", "nd.ndjson", "records.json"):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    pq.write_table(pa.table({"id": [1, 2], "text": ["one", "two \u00e9"]}), tmp_path / "table.parquet")
    found = text_of(tmp_path)
    assert sorted(found) == sorted(
        ["plain", "upper", "bom", "gz", "bz2", "xz", "json", "nd", "records", "table"]
    )
    assert set(found.values()) == {text}
    assert left_out([tmp_path]) == []


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, None])
def test_streams_one_after_the_other_are_read_to_the_end_and_cut_ones_are_refused(tmp_path, compress) -> None:
    suffix = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz", None: "zst"}[compress]
    compress = compress or pytest.importorskip("zstandard").compress
    file = tmp_path / f"a.txt.{suffix}"
    first, second = b"one\n" * 1000, b"two\n" * 1000
    file.write_bytes(compress(first) + compress(second))
    assert "".join(read_corpus(Corpus("a", (file,)))) == (first + second).decode()
    file.write_bytes(compress(first) + compress(second)[:-3])
    with pytest.raises(BadInputError, match=rf"a\.txt\.{suffix}: cannot be read"):
        list(read_corpus(Corpus("a", (file,))))


def test_damage_in_the_middle_of_an_archive_is_refused(tmp_path) -> None:
    zstandard = pytest.importorskip("zstandard")
    text = "".join(f"line {i * i}\n" for i in range(20_000)).encode()
    checked = zstandard.ZstdCompressor(write_checksum=True).compress
    for suffix, compress in (("gz", gzip.compress), ("bz2", bz2.compress), ("zst", checked)):
        data = bytearray(compress(text))
        data[len(data) // 2 : len(data) // 2 + 50] = bytes(50)
        (tmp_path / f"a.txt.{suffix}").write_bytes(data)
        with pytest.raises(BadInputError, match=rf"a\.txt\.{suffix}: "):
            list(read_corpus(Corpus("a", (tmp_path / f"a.txt.{suffix}",))))


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    for place in ("en.txt", "de/a.txt", "de/b.md", "fr/a.html", "notes.md", "es.txt.zip", "es/x.parquet.gz"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text("x\n")
    (folder / "setting.json").write_text('{"name": "x"}')
    (folder / "empty").mkdir()
    (folder / "it.txt").symlink_to(tmp_path / "nowhere.txt")
    for i in range(5):
        (folder / f"code{i}.py").write_text("x\n")
    assert set(text_of(folder)) == {"en", "de"}
    assert sorted(left_out([folder])) == [
        "Left out of texts/de: b.md (unread format .md).",
        "Left out of texts/es: x.parquet.gz (unread format .parquet.gz).",
        "Left out of texts/fr: a.html (unread format .html).",
        "Left out of texts: code0.py, code1.py, code2.py and 2 more (unread format .py).",
        "Left out of texts: empty (empty folder).",
        "Left out of texts: es.txt.zip (unread format .zip).",
        "Left out of texts: it.txt (broken link).",
        "Left out of texts: notes.md (unread format .md).",
        "Left out of texts: setting.json (unread format .json).",
    ]


def test_links_are_followed_once(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "a.txt").write_text("stored\n")
    (tmp_path / "texts" / "en").mkdir(parents=True)
    (tmp_path / "texts" / "en" / "one").symlink_to(store, target_is_directory=True)
    (tmp_path / "texts" / "en" / "two").symlink_to(store, target_is_directory=True)
    (tmp_path / "texts" / "en" / "up").symlink_to(tmp_path / "texts" / "en", target_is_directory=True)
    assert text_of(tmp_path / "texts") == {"en": "stored\n"}
    reason = "link to a folder that is read already"
    assert left_out([tmp_path / "texts"]) == [f"Left out of texts/en: two, up ({reason})."]


def test_what_systems_and_editors_leave_behind_is_no_text(tmp_path: Path) -> None:
    for place in (
        ".DS_Store",
        "._en.txt",
        "en/._a.txt",
        "en/.ipynb_checkpoints/a.txt",
        "en/a.txt~",
        "en/~$a.txt",
        "__MACOSX/en/._a.txt",
        "en/a.txt",
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(b"text\n" if place == "en/a.txt" else b"\xff\xfe\x00")
    assert text_of(tmp_path) == {"en": "text\n"}
    assert left_out([tmp_path]) == []


def test_half_a_surrogate_pair_is_an_unknown_character(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(r'{"text": "half \ud83d. whole \ud83d\ude00 other half \ude00"}')
    assert text_of(tmp_path) == {"a": "half \ufffd. whole \U0001f600 other half \ufffd\n"}


def test_a_folder_is_a_category_and_several_folders_are_groups(tmp_path: Path) -> None:
    for place in ("languages/de/a.txt", "languages/de/b.txt", "languages/en.txt", "code/c.txt"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(f"{place}\n")
    assert text_of(tmp_path / "languages") == {
        "de": "languages/de/a.txt\nlanguages/de/b.txt\n",
        "en": "languages/en.txt\n",
    }
    grouped = find_corpora([tmp_path / "languages", tmp_path / "code"])
    assert [corpus.name for corpus in grouped] == ["code/c", "languages/de", "languages/en"]


def test_the_demo_set_has_languages_and_code_under_stated_licences() -> None:
    demo = find_corpora(["demo"])
    names = [corpus.name for corpus in demo]
    assert sum(name.startswith("languages/") for name in names) == 24
    assert sum(name.startswith("code/") for name in names) == 6
    root = demo[0].files[0].parent.parent
    assert (root / "README.md").read_text(encoding="utf-8").count("| `code/") == 6
    assert all(len("".join(read_corpus(corpus))) > 40_000 for corpus in demo)


def test_reading_stops_at_the_bound_and_at_the_end_of_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("four\n" * 100)
    corpus = find_corpora([tmp_path])[0]
    assert "".join(read_corpus(corpus, 23)) == "four\n" * 4


def test_the_hash_follows_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    before = content_hash(find_corpora([tmp_path])[0])
    (tmp_path / "a.txt").write_text("two\n")
    assert content_hash(find_corpora([tmp_path])[0]) != before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "gr\u00fc\u00dfe".encode("latin-1"), r"a\.txt: not UTF-8 \(byte 0xfc\); convert it"),
        ("a.txt.xz", b"no xz", r"a\.txt\.xz: cannot be read"),
        ("a.txt.gz", b"no gz", r"a\.txt\.gz: cannot be read"),
        ("a.jsonl", b'{"body": "x"}\n', r"a\.jsonl: line 1 is no JSON object with `text`"),
        (
            "a.jsonl",
            b'{"text": "x"}\n\n{"text": null}\n',
            r"a\.jsonl: `text` in line 3 is null and no string",
        ),
        ("a.jsonl", b'{"text": ["x"]}\n', r"a\.jsonl: `text` in line 1 is a list and no string"),
        ("a.jsonl", b"[" * 100_000, r"a\.jsonl: line 1 is no JSON object"),
        ("a.parquet", b"PAR1 no more", r"a\.parquet: cannot be read"),
    ],
)
def test_damaged_text_is_refused_by_name(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=message):
        list(read_corpus(find_corpora([tmp_path])[0]))


def test_a_table_without_text_is_refused_by_column_and_row(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": ["x"]}), file)
    with pytest.raises(BadInputError, match=r"has the columns body and no `text`"):
        list(read_corpus(Corpus("a", (file,))))
    pq.write_table(pa.table({"text": ["x", None]}), file)
    with pytest.raises(BadInputError, match=r"`text` in row 2 is null and no string"):
        list(read_corpus(Corpus("a", (file,))))


@settings(max_examples=40)
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1)), st.integers(1, 60)
)
def test_json_lines_and_plain_text_agree_whatever_the_text(texts: list[str], most: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        plain, lines = Path(name) / "a.txt", Path(name) / "a.jsonl"
        plain.write_bytes("".join(f"{text}\n" for text in ["x", *texts]).encode())
        lines.write_bytes("".join(json.dumps({"text": text}) + "\n" for text in ["x", *texts]).encode())
        for bound in (None, most):
            found = ["".join(read_corpus(Corpus("a", (file,)), bound)) for file in (plain, lines)]
            assert found[0] == found[1]
        assert "".join(read_corpus(Corpus("a", (plain,)))).encode() == plain.read_bytes()


def test_missing_empty_and_doubled_categories_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such file or folder"):
        find_corpora([tmp_path / "nowhere"])
    with pytest.raises(BadInputError, match="no text in it"):
        find_corpora([tmp_path])
    (tmp_path / "a.txt").write_text("x\n")
    with pytest.raises(BadInputError, match="'a' is given twice"):
        find_corpora([tmp_path], [("a", tmp_path / "a.txt")])

"""Text by category from files of every form."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path

import pytest

from forensics.errors import BadInputError
from forensics.sources.texts.corpora import content_hash, find_corpora, read_corpus
from tests.extras import need


def text_of(folder: Path) -> dict[str, str]:
    return {corpus.name: "".join(read_corpus(corpus)) for corpus in find_corpora([folder])}


def test_every_form_gives_its_text(tmp_path: Path) -> None:
    zstandard = need("zstandard")
    text = "one\ntwo \u00e9\n"
    (tmp_path / "plain.txt").write_text(text, encoding="utf-8")
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (tmp_path / "gz.txt.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "xz.txt.xz").write_bytes(lzma.compress(text.encode()))
    (tmp_path / "zst.txt.zst").write_bytes(zstandard.compress(text.encode()))
    lines = [json.dumps({"text": line, "id": 1}) for line in ("one", "two \u00e9")]
    (tmp_path / "json.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "notes.md").write_text("not a category", encoding="utf-8")
    found = text_of(tmp_path)
    assert set(found) == {"plain", "bom", "gz", "xz", "zst", "json"}
    assert set(found.values()) == {text}


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
        ("a.jsonl", b'{"body": "x"}\n', r"a\.jsonl: a line that is no JSON object with `text`"),
    ],
)
def test_damaged_text_is_refused_by_name(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInputError, match=message):
        list(read_corpus(find_corpora([tmp_path])[0]))


def test_missing_empty_and_doubled_categories_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such file or folder"):
        find_corpora([tmp_path / "nowhere"])
    with pytest.raises(BadInputError, match="no text in it"):
        find_corpora([tmp_path])
    (tmp_path / "a.txt").write_text("x\n")
    with pytest.raises(BadInputError, match="'a' is given twice"):
        find_corpora([tmp_path], [("a", tmp_path / "a.txt")])

"""What a document is: records, files, passages between blank lines, or blocks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.sources.texts.corpora import Corpus, read_corpus
from forensics.sources.texts.documents import BLOCK, MANY_FILES, Division, division_of, read_documents


def corpus(folder: Path, **texts: str) -> Corpus:
    files = []
    for name, text in texts.items():
        file = folder / name.replace("_", ".")
        file.write_text(text, encoding="utf-8", newline="")
        files.append(file)
    return Corpus("any", tuple(files))


def test_records_are_documents(tmp_path: Path) -> None:
    lines = [json.dumps({"text": text}) for text in ("one\n\nparagraph more", "two")]
    made = corpus(tmp_path, a_jsonl="\n".join(lines), b_jsonl=lines[1])
    assert division_of(made) is Division.RECORDS
    assert list(read_documents(made)) == ["one\n\nparagraph more\n", "two\n", "two\n"]


def test_rows_of_parquet_are_documents(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["one\n\ntwo", "three"]}), tmp_path / "a.parquet")
    assert list(read_documents(Corpus("any", (tmp_path / "a.parquet",)))) == ["one\n\ntwo\n", "three\n"]


def test_many_files_are_documents_and_few_are_collections(tmp_path: Path) -> None:
    texts = {f"f{number}_txt": f"{number}\n\nmore\n" for number in range(MANY_FILES)}
    many = corpus(tmp_path, **texts)
    assert division_of(many) is Division.FILES
    assert list(read_documents(many)) == list(texts.values())
    few = Corpus("any", many.files[:2])
    assert division_of(few) is Division.PASSAGES
    assert list(read_documents(few)) == ["0\n\n", "more\n", "1\n\n", "more\n"]


def test_text_without_blank_lines_is_given_in_blocks(tmp_path: Path) -> None:
    line = "x" * 99 + "\n"
    made = corpus(tmp_path, a_txt=line * 120)
    assert division_of(made) is Division.BLOCKS
    assert [len(block) for block in read_documents(made)] == [BLOCK, BLOCK, 12_000 - 2 * BLOCK]


def test_reading_stops_at_the_bound_at_the_end_of_a_line(tmp_path: Path) -> None:
    made = corpus(tmp_path, a_txt="aa\n\nbb\ncc\n\ndd\n")
    assert list(read_documents(made, 8)) == ["aa\n\n", "bb\n"]
    assert list(read_documents(made, 2)) == ["aa"]


@given(st.text("ab \t\r\n\x0c\u2028", max_size=60), st.one_of(st.none(), st.integers(0, 40)))
def test_the_documents_are_the_text(
    tmp_path_factory: pytest.TempPathFactory, text: str, most: int | None
) -> None:
    made = corpus(tmp_path_factory.mktemp("text"), a_txt=text)
    assert "".join(read_documents(made)) == "".join(read_corpus(made))
    if most is not None:
        assert len("".join(read_documents(made, most)).encode()) <= most

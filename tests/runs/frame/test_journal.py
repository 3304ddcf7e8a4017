"""What an interrupted run kept is found again, whatever happened to the file."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.errors import OutputError
from forensics.runs.frame import journal as module
from forensics.runs.frame.journal import Journal


def write(path, run="this", values=(("a", 1), ("b", [2.5, None]))):
    journal = Journal(path, run)
    for key, value in values:
        journal.keep(key, value)
    journal.close()
    return path


def test_results_come_back_and_the_file_appears_with_the_first(tmp_path):
    file = tmp_path / "run.jsonl"
    Journal(file, "this").close()
    assert not file.exists()
    again = Journal(write(file), "this")
    assert (len(again), again.recall("a"), again.recall("b"), again.recall("c")) == (2, 1, [2.5, None], None)
    assert list(again.kept()) == [1, [2.5, None]]


def test_a_continued_journal_has_the_old_and_the_new(tmp_path):
    file = write(tmp_path / "run.jsonl")
    journal = Journal(file, "this")
    journal.keep("c", 3)
    journal.close()
    assert [json.loads(line).get("key") for line in file.read_text().splitlines()] == [None, "a", "b", "c"]
    journal.remove()
    assert not file.exists()


@pytest.mark.parametrize("change", ["run", "version", "resume"])
def test_what_another_run_or_version_left_is_not_continued(tmp_path, monkeypatch, change):
    file = write(tmp_path / "run.jsonl")
    if change == "version":
        monkeypatch.setattr(module, "__version__", "99.0")
    again = Journal(file, "other" if change == "run" else "this", resume=change != "resume")
    assert len(again) == 0
    again.keep("z", 1)
    again.close()
    assert '"a"' not in file.read_text()


@settings(deadline=None)  # the disk's time is not the test's
@given(cut=st.integers(0, 400), noise=st.binary(max_size=30), place=st.integers(1, 6))
def test_damaged_lines_are_passed_over_and_the_others_kept(tmp_path_factory, cut, noise, place):
    file = write(tmp_path_factory.mktemp("j") / "run.jsonl", values=[(str(i), i) for i in range(6)])
    lines = file.read_bytes().split(b"\n")
    lines[place] = lines[place][: cut % len(lines[place])] + noise.replace(b"\n", b"")
    file.write_bytes(b"\n".join(lines))
    again = Journal(file, "this")
    kept = {i: again.recall(str(i)) for i in range(6)}
    assert all(kept[i] == i for i in range(6) if i != place - 1)
    again.keep("new", 7)
    again.close()
    assert Journal(file, "this").recall("new") == 7


def test_a_disk_that_takes_no_more_is_one_line_that_names_the_journal(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "run.jsonl", "this")
    journal.keep("a", 1)

    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr(journal, "_file", Full())
    with pytest.raises(OutputError, match=r"run\.jsonl: the journal cannot be kept \(No space left"):
        journal.keep("b", 2)
    assert Journal(tmp_path / "run.jsonl", "this").recall("a") == 1


def test_without_a_file_nothing_is_kept():
    journal = Journal(None, "this")
    journal.keep("a", 1)
    journal.remove()
    assert journal.recall("a") is None

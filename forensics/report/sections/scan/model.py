"""What was examined: the model's matrices, the three sizes, and rows with something wrong in them."""

from __future__ import annotations

from forensics.report.blocks import Block, Cell, Code, Facts, Number, Paragraph, Section
from forensics.report.declared import field, table, text, token_table, verdict_columns
from forensics.report.results import Results
from forensics.report.sections.shared.tokenizer import tokenizer_facts, yes_or_no
from forensics.report.wording import full_stop, spaced
from forensics.schema.scan import ScanSummary, SizesSummary

__all__ = ["CAN_WIN", "model", "sizes_differ"]

#: Whether a row past the vocabulary can win -> what that means.
CAN_WIN = {
    True: "A row past the vocabulary could win the argmax: an id without a token can be generated",
    False: "No row past the vocabulary can win the argmax",
    None: "Whether a row past the vocabulary could win the argmax is not known",
}


def model(results: Results[ScanSummary]) -> Section:
    """Return the section on the model and its tokenizer."""
    evidence = results.summary.embedding.tying_evidence
    blocks: list[Block] = [Facts(_facts(results.summary))]
    if evidence:
        blocks.append(Paragraph(full_stop(f"Tied or not, established from the stored data: {evidence}")))
    blocks += _sizes(results.summary.sizes)
    if (wrong := results.known("row_problem")).any():
        caption = "Rows of the matrix that hold NaN or infinities, or nothing but zeros."
        columns = (field("row_problem", text, "problem"), *verdict_columns(results))
        blocks.append(token_table(results, wrong, "row-problems", caption, *columns, order=("token_id",)))
    return Section("model", "Model and tokenizer", tuple(blocks))


def _facts(summary: ScanSummary) -> tuple[tuple[str, Cell], ...]:
    """Return the facts the run has, in reading order."""
    embedding = summary.embedding
    names = (("input embedding", embedding.in_name), ("output embedding", embedding.out_name))
    return (
        ("model", Code(summary.model)),
        ("embedding matrix", f"{' × '.join(f'{side:,}' for side in embedding.shape)} {embedding.dtype}"),
        *((label, Code(name)) for label, name in names if name),
        ("input and output", spaced(embedding.tying)),
        ("bias of the head", yes_or_no(embedding.bias)),
        *tokenizer_facts(summary.tokenizer),
    )


def sizes_differ(sizes: SizesSummary) -> bool:
    """Whether two of the three sizes that are known differ."""
    return len({sizes.config, sizes.matrix, sizes.tokenizer} - {None}) > 1


def _sizes(sizes: SizesSummary) -> list[Block]:
    """Return the three sizes side by side, and what rows past the vocabulary can do."""
    rows = (
        ("vocab_size of the configuration", sizes.config),
        ("rows of the embedding matrix", sizes.matrix),
        ("ids of the tokenizer", sizes.tokenizer),
    )
    columns = (("where it stands", lambda row: row[0]), ("size", lambda row: Number(row[1])))
    blocks: list[Block] = [table("sizes", "Three sizes that should agree.", rows, *columns)]
    past = sizes.past_vocabulary
    if sizes_differ(sizes) and not (past and past.rows):
        blocks.append(Paragraph("The sizes differ.", "warn"))
    if past is None:
        return blocks
    if not past.rows:
        said = past.explanation or "No row lies past the tokenizer's vocabulary."
        return [*blocks, Paragraph(said)]
    sentence = (
        f"{past.rows:,} rows lie past the tokenizer's vocabulary. {full_stop(CAN_WIN[past.can_win_argmax])}"
    )
    because = f" {full_stop(past.explanation)}" if past.explanation else ""
    return [*blocks, Paragraph(sentence + because, "plain" if past.can_win_argmax is False else "warn")]

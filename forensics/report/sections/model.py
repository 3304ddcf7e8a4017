"""What was examined: the model's matrices, the three sizes, and rows with something wrong in them."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.report.blocks import Block, Cell, Code, Facts, Number, Paragraph, Row, Section, Table
from forensics.report.results import Results
from forensics.report.sections.common import full_stop, text, token_table, verdict_columns

__all__ = ["model"]

_WHERE_FROM = {
    "config": "vocab_size of the configuration",
    "matrix": "rows of the embedding matrix",
    "tokenizer": "ids of the tokenizer",
}


def model(results: Results) -> Section:
    """Return the section on the model and its tokenizer."""
    blocks: list[Block] = [Facts(tuple(_facts(results)))]
    evidence = results.get("embedding.tying_evidence")
    if evidence:
        blocks.append(Paragraph(full_stop(f"Tied or not, established from the stored data: {evidence}")))
    if results.get("sizes"):
        blocks += _sizes(results)
    wrong = results.where("row_problem", "nan", "inf", "zero")
    if wrong.any():
        blocks.append(
            token_table(
                results,
                wrong,
                "row-problems",
                "Rows of the matrix that hold NaN or infinities, or nothing but zeros.",
                [("problem", lambda row: text(row.get("row_problem"))), *verdict_columns(results)],
            )
        )
    title = "Tokenizer" if results.get("kind") == "tokens" else "Model and tokenizer"
    return Section("model", title, tuple(blocks))


def _facts(results: Results) -> list[tuple[str, Cell]]:
    """Return the facts the run has, in reading order."""
    facts: list[tuple[str, Cell]] = []
    name = results.get("model")
    if name is not None:
        facts.append(("model", Code(str(name.get("name", name)) if isinstance(name, Mapping) else str(name))))
    embedding = results.get("embedding")
    if isinstance(embedding, Mapping):
        shape = embedding.get("shape")
        if shape:
            facts.append(
                (
                    "embedding matrix",
                    f"{' × '.join(f'{side:,}' for side in shape)} {embedding.get('dtype', '')}",
                )
            )
        for key, label in (("in_name", "input embedding"), ("out_name", "output embedding")):
            if embedding.get(key):
                facts.append((label, Code(str(embedding[key]))))
        tying = embedding.get("tying") or ("tied" if embedding.get("tied") else "untied")
        if tying:
            facts.append(("input and output", str(tying).replace("_", " ")))
        if embedding.get("bias") is not None:
            facts.append(("bias of the head", "yes" if embedding["bias"] else "no"))
    for key, label in (("type", "tokenizer"), ("vocab_size", "tokenizer entries")):
        value = results.get(f"tokenizer.{key}")
        if value is not None:
            facts.append((label, Number(value) if isinstance(value, int) else str(value)))
    for key, label in (("byte_level", "byte level"), ("byte_fallback", "byte fallback")):
        value = results.get(f"tokenizer.{key}")
        if value is not None:
            facts.append((label, "yes" if value else "no"))
    return facts


def _sizes(results: Results) -> list[Block]:
    """Return the three sizes side by side, and what rows past the vocabulary can do."""
    sizes = {key: results.get(f"sizes.{key}") for key in _WHERE_FROM}
    known = {size for size in sizes.values() if size is not None}
    rows = tuple(Row((_WHERE_FROM[key], Number(size))) for key, size in sizes.items())
    blocks: list[Block] = [
        Table("sizes", "Three sizes that should agree.", ("where it stands", "size"), rows, len(rows))
    ]
    past = results.get("sizes.past_vocabulary")
    if len(known) > 1 and not (isinstance(past, Mapping) and past.get("rows")):
        blocks.append(Paragraph("The sizes differ.", "warn"))
    if isinstance(past, Mapping) and past.get("rows"):
        can_win = past.get("can_win_argmax")
        verdicts: dict[bool | None, str] = {
            True: "A row past the vocabulary could win the argmax: an id without a token can be generated",
            False: "No row past the vocabulary can win the argmax",
            None: "Whether a row past the vocabulary could win the argmax is not known",
        }
        explanation = past.get("explanation")
        sentence = f"{past['rows']:,} rows lie past the tokenizer's vocabulary. {verdicts[can_win]}"
        blocks.append(
            Paragraph(
                sentence + (f". {full_stop(explanation)}" if explanation else "."),
                "plain" if can_win is False else "warn",
            )
        )
    elif isinstance(past, Mapping):
        blocks.append(Paragraph(past.get("explanation") or "No row lies past the tokenizer's vocabulary."))
    return blocks

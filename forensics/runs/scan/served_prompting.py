"""A model that is served elsewhere: who is asked, by which interface, and what that one cannot see.

Three interfaces are tried, the one that sees most first: prompts of token ids, prompts of text, conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from forensics.progress import Progress
from forensics.runs.scan.examined import Examined
from forensics.runs.scan.prompting import (
    SHOWN_SLOT,
    Prompting,
    asked_prompting,
    calm_tokens,
    what_to_put,
)
from forensics.schema.scan import ScanOptions
from forensics.schema.words import Interface
from forensics.sources.runtimes.server_connection import Connection, NoUseError
from forensics.undertrained.prompts import leading_special_ids

if TYPE_CHECKING:
    from forensics.sources.runtimes.served_model import ServedModel
    from forensics.sources.runtimes.served_text import ServedText
    from forensics.sources.runtimes.token_texts import TokenTexts

__all__ = ["Served", "served_prompting"]

#: Ids from the beginning of a prompt behind which many tokens are likely; more where text needs them.
_OPEN = 6
_TEXT_ONLY = (
    "What text cannot carry (parts of characters, unreachable and special tokens) was not asked and is "
    "not encodable"
)


@dataclass(frozen=True, eq=False)
class Served:
    """Questions to a server."""

    connection: Connection
    #: How it is asked.
    interface: Interface
    #: Questions allowed; None: as many as it takes.
    most: int | None
    #: Questions that a token costs which nothing shows.
    most_per_token: int
    #: Whether a token costs any: there are such that the interface cannot carry.
    can_ask: Callable[[int], bool]


def served_prompting(
    examined: Examined, options: ScanOptions, url: str, rng: np.random.Generator, progress: Progress
) -> Prompting:
    """Find who serves the model, and by which interface it is best asked.

    :param examined: The sources and what the weights tell.
    :param options: The model's name there, and how much may be asked.
    :param url: The server's address.
    :param rng: Draws the ordinary tokens of the examples.
    :param progress: Where to report.
    :raises BadInputError: If nobody answers there, or none of the interfaces is spoken.
    """
    from forensics.sources.runtimes.served_model import ServedModel

    with progress.stage("ask the server"):
        model = ServedModel(url, name=options.endpoint_model, max_requests=options.max_requests)
        try:
            return _by_ids(examined, options, model, rng)
        except NoUseError as error:
            refused = [f"ids: {error.found}"]
        texts = _texts(examined)
        try:
            return _by_text(examined, options, model, texts, rng)
        except NoUseError as error:
            refused.append(f"text: {error.found}")
        try:
            return _by_chat(examined, options, model, texts, rng)
        except NoUseError as error:
            refused.append(f"chat: {error.found}")
        found = f"can be asked in none of three ways ({'; '.join(each[:120] for each in refused)})"
        raise NoUseError(model.url, found, "name a server of llama.cpp or vLLM")


def _by_ids(
    examined: Examined, options: ScanOptions, model: ServedModel, rng: np.random.Generator
) -> Prompting:
    """Return the prompting of a server that takes token ids.

    :raises NoUseError: If it does not.
    """
    rows = examined.checkpoint.embedding.shape[0]
    put = what_to_put(examined, rows, model.positions, rng)
    calm = examined.ranking()[-2:].tolist()
    model.check(put.prompts[0].fill(calm[0]), calm[-1])
    prompting = asked_prompting(examined, put, model, rows)
    served = Served(
        model.connection, Interface.IDS, options.max_requests, put.most_questions, lambda token: True
    )
    note = f"The model was not run here but asked for behind {model.url}."
    return replace(prompting, served=served, notes=(*prompting.notes, note))


def _by_text(
    examined: Examined,
    options: ScanOptions,
    model: ServedModel,
    texts: TokenTexts,
    rng: np.random.Generator,
) -> Prompting:
    """Return the prompting of a server that takes text and lists the most probable tokens.

    :raises NoUseError: If it does not.
    """
    from forensics.sources.runtimes.served_text import ServedText

    rows = examined.checkpoint.embedding.shape[0]
    put = what_to_put(examined, rows, model.positions, rng, lambda token: _is_word(examined, token))
    asked = ServedText(
        model.connection,
        texts,
        name=model.name,
        positions=model.positions,
        open_prompt=_beginning(put.prompts[0].ids[: put.prompts[0].shared_length], texts),
    )
    prompting = asked_prompting(examined, put, asked, rows, asked.carries)

    def can_ask(token: int) -> bool:
        return any(asked.carries(prompt.fill(token), token) for prompt in put.prompts)

    served = Served(model.connection, Interface.TEXT, options.max_requests, put.most_questions, can_ask)
    note = (
        f"The model was not run here but asked for behind {model.url}, which takes prompts as text. "
        f"{_TEXT_ONLY}; a token was put to those prompts only whose text encodes back to the same ids. Of "
        f"each answer the {asked.count} most probable tokens were told: where the token is none of them, "
        "its probability is known by a bound (≤), which verifies below 0.01 and is inconclusive above; in "
        "ordinary text a bound above 0.01 is left out."
    )
    return replace(prompting, served=served, notes=(*prompting.notes, note, *_otherwise(asked)))


def _beginning(ids: Sequence[int], texts: TokenTexts) -> Sequence[int]:
    """Return the first ids of a prompt, as few as leave open what comes next and can be put as text."""
    ends = range(min(_OPEN, len(ids)), len(ids) + 1)
    return next((ids[:end] for end in ends if texts.text(ids[:end]) is not None), ids)


def _otherwise(asked: ServedText) -> tuple[str, ...]:
    """Return a remark where the server does not count as many tokens in a prompt as there are."""
    if asked.lengths is None or asked.lengths[0] == asked.lengths[1]:
        return ()
    here, there = asked.lengths
    return (
        f"The server counts {there} tokens in a text that is {here} here: it encodes text otherwise, or does "
        "not begin it as the tokenizer's files say.",
    )


def _by_chat(
    examined: Examined,
    options: ScanOptions,
    model: ServedModel,
    texts: TokenTexts,
    rng: np.random.Generator,
) -> Prompting:
    """Return the prompting of a server that can only be talked to.

    :raises NoUseError: If it cannot.
    """
    from forensics.sources.runtimes.served_chat import ServedChat
    from forensics.undertrained.chat_verification import CHAT_EXAMPLES, ChatVerifier, build_wordings

    rows = examined.checkpoint.embedding.shape[0]
    calm = calm_tokens(examined, rng, lambda token: _is_word(examined, token))
    if not calm:
        raise NoUseError(model.url, "can be shown no ordinary token as an example", "scan without the server")
    written = [texts.written(token) or "" for token in calm[: CHAT_EXAMPLES + 1]]
    wordings = build_wordings(written[1:])
    asked = ServedChat(
        model.connection, texts, name=model.name, trial=wordings[0].question(calm[0], written[0])
    )
    interface = Interface.CHAT if asked.gives_probabilities else Interface.SAID

    def can_ask(token: int) -> bool:
        return any(wording.is_carried(asked, token) for wording in wordings)

    return Prompting(
        verifier=ChatVerifier(asked, rows, wordings),
        reader=None,
        probes=(),
        texts={wording.name: wording.shown(SHOWN_SLOT) for wording in wordings},
        start=(),
        rows=rows,
        positions=None,
        sample_size=lambda rest: 0,
        notes=(_chat_note(model.url, interface),),
        served=Served(model.connection, interface, options.max_requests, len(wordings), can_ask),
    )


def _chat_note(url: str, interface: Interface) -> str:
    note = (
        f"The model was not run here but talked to behind {url}, which takes conversations only. "
        f"{_TEXT_ONLY}; the server wraps every question in a chat template that was not seen here. Verified "
        "tokens were not looked at in ordinary text, so none is cleared by it, and there is no emission "
        "maximum."
    )
    if interface is Interface.SAID:
        return (
            f"{note} The server gives no probabilities: a token is rejected where the answer begins with its "
            "text, which the model may have spelled with other tokens. Of a token that it does not say "
            "nothing follows in numbers; it is inconclusive, none can be verified, and nothing can be "
            "estimated for the whole vocabulary. Inconclusive tokens are what to look at."
        )
    return (
        f"{note} Of each answer the most probable tokens behind the opening quotation mark were told: "
        "where the token is none of them, its probability is known by a bound (≤), which verifies below 0.01 "
        "and is inconclusive above. So is a token of which no answer begins with the mark."
    )


def _texts(examined: Examined) -> TokenTexts:
    from forensics.sources.runtimes.token_texts import TokenTexts

    vocabulary = examined.vocabulary
    return TokenTexts(
        examined.source.encoder,
        vocabulary.bytes,
        pieces=vocabulary.pieces,
        start=leading_special_ids(examined.source),
        special=np.flatnonzero(vocabulary.is_special).tolist(),
    )


def _is_word(examined: Examined, token: int) -> bool:
    """Whether a token is of letters alone, so that text keeps it apart from what stands around it."""
    return (examined.vocabulary.text[token] or "").removeprefix(" ").isalpha()

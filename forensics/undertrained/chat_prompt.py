"""The chat form of verification, for models that were tuned to follow instructions.

Such a model may refuse to continue bare text and still repeat a token when it is asked to in a
conversation. The chat form is put last and counts towards `max_prob` like the other prompts, so that a
token which a model does say somewhere is not blamed. The paper (arXiv 2405.05417) prompts without chat
templates; leave this prompt out to stay with it.

The template comes with the model and is not trusted: it is rendered in jinja2's immutable sandbox, without
transformers, and a template that fails leaves the chat form out with the reason.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from forensics.errors import ForensicsError
from forensics.sources.interface import TokenizerSource
from forensics.undertrained.prompts import Prompt, encode_segments, leading_special_ids

__all__ = ["ChatTemplateError", "build_chat_prompt", "render_chat"]

#: Stands in the messages where the token goes; letters only, so that no template escapes or trims it.
_MARK = "TOKENUNDERTEST"
#: One exchange as an example, then the question.
_MESSAGES = (
    {"role": "user", "content": f"Write this once more, exactly as it stands, and nothing else: «{_MARK}»"},
    {"role": "assistant", "content": _MARK},
    {"role": "user", "content": f"Again, exactly as it stands, and nothing else: «{_MARK}»"},
)
#: Templates may print the current date; a fixed one keeps runs comparable.
_DATE = datetime.date(2024, 7, 26)


class ChatTemplateError(ForensicsError):
    """The model's chat template cannot be used for verification."""


def build_chat_prompt(source: TokenizerSource) -> Prompt | None:
    """Return the chat form as a prompt named `chat`, or None where the source has no template.

    :param source: The tokenizer of the model under test; special tokens in the rendered text are encoded as
        such.
    :raises ChatTemplateError: If the template fails or does not show the messages.
    """
    if not source.chat_template:
        return None
    text = render_chat(source, list(_MESSAGES))
    segments = text.split(_MARK)
    if len(segments) != 1 + sum(str(m["content"]).count(_MARK) for m in _MESSAGES):
        raise ChatTemplateError(f"{source.path}: the chat template does not show every message once")
    ids = encode_segments(source, segments)
    start = leading_special_ids(source)
    # Most templates write the BOS themselves; twice would be another prompt than the model knows.
    return Prompt("chat", ids if ids[: len(start)] == start else start + ids)


def render_chat(source: TokenizerSource, messages: list[dict[str, str]]) -> str:
    """Return the conversation as the template writes it, up to where the assistant is to speak.

    :raises ChatTemplateError: If the template is faulty, or rejects the conversation.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    # The environment that templates are written for (trimmed blocks, loop controls, a plain tojson).
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols"],
        autoescape=False,
    )
    environment.filters["tojson"] = _to_json
    environment.globals.update(raise_exception=raise_exception, strftime_now=_DATE.strftime)
    roles = {f"{role}_token": _piece(source, role) for role in ("bos", "eos", "pad", "unk")}
    try:
        template = environment.from_string(source.chat_template or "")
        return template.render(messages=messages, add_generation_prompt=True, **roles)
    # A template is a program of the model's author: it can fail in any way an expression can.
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ChatTemplateError(f"{source.path}: the chat template failed ({reason})") from error


def _piece(source: TokenizerSource, role: str) -> str:
    """Return the piece of a special role, empty where the tokenizer has none."""
    for token_id in source.special_roles.get(role, {}).values():
        if 0 <= token_id < len(source.pieces):
            return source.pieces[token_id] or ""
    return ""


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)

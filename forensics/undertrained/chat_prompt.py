"""The chat form of verification, for models that were tuned to follow instructions.

Such a model may refuse to continue bare text and still repeat a token when it is asked to in a
conversation. The chat form is put last and counts towards `max_prob` like the other prompts, so that a
token which a model does say somewhere is not blamed. The paper (arXiv 2405.05417) prompts without chat
templates; leave this prompt out to stay with it.

The template comes with the model and is not trusted: it is rendered in jinja2's immutable sandbox, without
transformers and within a number of steps, and a template that fails leaves the chat form out with the
reason. Templates that want contents as lists of parts (those of vision-language models) get them so.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
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
#: Lines of Python that a template may run; those of released models need some thousands.
MAX_STEPS = 1_000_000
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
    segments = _segments(source)
    ids = encode_segments(source, segments)
    start = leading_special_ids(source)
    # Most templates write the BOS themselves; twice would be another prompt than the model knows.
    return Prompt("chat", ids if ids[: len(start)] == start else start + ids)


def _segments(source: TokenizerSource) -> list[str]:
    """Return the rendered conversation around the marks, with contents as texts or else as lists of parts.

    :raises ChatTemplateError: If the template fails or does not show the messages in either form.
    """
    in_parts = [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in _MESSAGES]
    failure: ChatTemplateError | None = None
    for messages in (list(_MESSAGES), in_parts):
        try:
            segments = render_chat(source, messages).split(_MARK)
        except ChatTemplateError as error:
            failure = failure or error
            continue
        if len(segments) == 1 + sum(str(m["content"]).count(_MARK) for m in _MESSAGES):
            return segments
    raise failure or ChatTemplateError(f"{source.path}: the chat template does not show every message once")


def render_chat(source: TokenizerSource, messages: Sequence[Mapping[str, object]]) -> str:
    """Return the conversation as the template writes it, up to where the assistant is to speak.

    :param source: The tokenizer with the template.
    :param messages: `role` and `content` of each message.
    :raises ChatTemplateError: If the template is faulty, rejects the conversation, or does not come to an
        end within `MAX_STEPS`.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from forensics.undertrained.template_limits import GenerationTag, limit_operators, limited_steps

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    # The environment that templates are written for (trimmed blocks, loop controls, a plain tojson).
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols", GenerationTag],
        autoescape=False,
    )
    limit_operators(environment)
    environment.filters["tojson"] = _to_json
    environment.globals.update(raise_exception=raise_exception, strftime_now=_DATE.strftime)
    roles = {f"{role}_token": _piece(source, role) for role in ("bos", "eos", "pad", "unk")}
    try:
        template = environment.from_string(source.chat_template or "")
        with limited_steps(MAX_STEPS):
            return template.render(messages=messages, add_generation_prompt=True, **roles)
    # A template is a program of the model's author: it can fail in any way an expression can.
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
            RuntimeError, MemoryError, SyntaxError, AssertionError) as error:  # fmt: skip
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

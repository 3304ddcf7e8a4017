"""The chat form, and templates that are not up to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forensics.undertrained.chat_prompt import ChatTemplateError, build_chat_prompt, render_chat
from forensics.undertrained.prompts import SLOT
from forensics.undertrained.token_evidence import text_of_ids
from forensics.vocabulary.spelling import token_bytes

HELLO = [{"role": "user", "content": "hello"}]


def test_special_tokens_of_the_template_are_encoded_as_such(smollm2_tokenizer):
    prompt = build_chat_prompt(smollm2_tokenizer)
    assert prompt is not None
    assert prompt.name == "chat"
    assert prompt.ids.count(SLOT) == 3
    start, end = (smollm2_tokenizer.encoder.token_to_id(t) for t in ("<|im_start|>", "<|im_end|>"))
    assert prompt.ids[0] == start
    assert (prompt.ids.count(start), prompt.ids.count(end)) == (5, 4)
    token = smollm2_tokenizer.encoder.encode(" magic").ids[0]
    text = text_of_ids(token_bytes(smollm2_tokenizer))(prompt.fill(token))
    assert "<|im_start|>assistant\n magic<|im_end|>\n" in text
    assert text.endswith("<|im_start|>assistant\n")


def test_without_a_template_there_is_no_chat_form(smollm2_tokenizer):
    assert build_chat_prompt(replace(smollm2_tokenizer, chat_template=None)) is None


def test_bos_is_not_written_twice(smollm2_tokenizer):
    body = "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"
    source = replace(smollm2_tokenizer, adds_bos=True)
    bos = next(iter(source.special_roles["bos"].values()))
    for template in (body, "{{ bos_token }}" + body):
        prompt = build_chat_prompt(replace(source, chat_template=template))
        assert prompt is not None
        assert prompt.ids.count(bos) == 1
        assert prompt.ids[0] == bos


def test_templates_find_what_they_are_written_for(smollm2_tokenizer):
    template = (
        "{%- for m in messages %}\n    {%- if loop.index > 1 %}{% break %}{% endif %}\n"
        "{{- m | tojson }} {{ strftime_now('%d %b %Y') }}\n{%- endfor %}"
    )
    text = render_chat(replace(smollm2_tokenizer, chat_template=template), HELLO * 2)
    assert text == '{"role": "user", "content": "hello"} 26 Jul 2024'


@pytest.mark.parametrize(
    "template",
    [
        "{{ messages",
        "{{ raise_exception('no such roles') }}",
        "{{ missing.attribute.of_nothing }}",
        "{{ messages[7]['content'] + 1 }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{% include '/etc/passwd' %}",
        "says nothing of the messages",
        "{% for i in range(999999999) %}x{% endfor %}",
    ],
)
def test_faulty_and_hostile_templates_are_refused(smollm2_tokenizer, template):
    with pytest.raises(ChatTemplateError, match="chat template"):
        build_chat_prompt(replace(smollm2_tokenizer, chat_template=template))


BODY = "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
        "{% endgeneration %}{% else %}{{ m.content }}{% endif %}\n{% endfor %}",
        "{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}\n{% endfor %}",
    ],
    ids=["generation blocks", "contents as lists of parts"],
)
def test_templates_as_they_are_released(smollm2_tokenizer, template):
    prompt = build_chat_prompt(replace(smollm2_tokenizer, chat_template=template))
    assert prompt.ids.count(SLOT) == 3


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
        "{% macro again(n) %}{{ again(n + 1) }}{% endmacro %}{{ again(0) }}",
        "{{ 'a' * 10 ** 9 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ 'a' | center(1000000000) }}",
        "{% set n = namespace(x=2) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
    ],
    ids=["loops", "recursion", "long text", "large number", "wide text", "squares"],
)
def test_templates_that_would_not_end_are_stopped(smollm2_tokenizer, template):
    with pytest.raises(ChatTemplateError):
        build_chat_prompt(replace(smollm2_tokenizer, chat_template=template + BODY))

# ruff: noqa: E501 - templates are long lines
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.auditing.template import audit_template, copies_differ
from forensics.auditing.template_constants import literals
from forensics.auditing.template_parse import TemplateError, parse_template, walk
from forensics.schema.audit_rules import RULES
from forensics.schema.audit_summary import Fate
from forensics.schema.finding import Level
from tests.auditing.templates import CHATML, INNOCENT, PLANTS, SPECIAL


def rules_of(text, special=SPECIAL):
    return {finding.rule for finding in audit_template(text, special).findings}


@pytest.mark.parametrize("name", INNOCENT)
def test_innocent_templates_have_no_finding(name):
    audit = audit_template(INNOCENT[name], SPECIAL)
    assert audit.findings == ()
    assert set(audit.entry.roles.values()) == {Fate.WRITTEN}
    assert audit.entry.reads_generation_prompt
    assert "messages" in audit.entry.variables


@pytest.mark.parametrize(("rule", "plant"), PLANTS)
def test_every_plant_is_found_and_nothing_else(rule, plant):
    audit = audit_template(CHATML + plant, SPECIAL)
    found = {finding.rule: finding for finding in audit.findings}
    accompanied = {"template/content-branch"} if rule.startswith("template/content-branch") else set()
    assert {rule} <= set(found) <= {rule} | accompanied
    assert found[rule].level is RULES[rule].level
    assert all(construct.line == 1 + CHATML.count("\n") for construct in audit.entry.constructs)


@pytest.mark.parametrize(
    "text",
    [
        "{{ '__media__' }} {{ message['__mark__'] }}",
        "{{ 'Family: \U0001f468\u200d\U0001f469' }} نمی\u200cخواهم",
        "See https://example.com/page and https://www.example.org",
        "{{ 'x' if messages[0].content is string else 'y' }}",
        "{% if messages[0]['content'] %}{% endif %}{% if messages[0]['content'] == '' %}{% endif %}",
        "{% if messages[0].content | length > 0 %}{% endif %}",
        "{% if '</think>' in messages[0].content %}a b c d e{% endif %}",
        "{% for p in messages[0].content %}{% if p['type'] == 'text' and 'image' in p %}z{% endif %}{% endfor %}",
        "{% set ns = namespace(found=false) %}{% set ns.found = true %}{{ ns.found }}",
        "========================================================",
        "{% if messages | length > 20 %}many messages are in here{% endif %}",
    ],
)
def test_what_honest_templates_do_is_no_finding(text):
    assert rules_of(CHATML + text) == set()


def test_lost_roles_and_generation_prompt():
    text = (
        "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% elif m.role == 'assistant' %}"
        "{{ m.content }}{% elif m.role == 'system' %}{{ raise_exception('no') }}{% endif %}{% endfor %}"
    )
    audit = audit_template(text, SPECIAL)
    assert audit.entry.roles == {
        "system": Fate.REJECTED,
        "user": Fate.WRITTEN,
        "assistant": Fate.WRITTEN,
        "tool": Fate.DROPPED,
    }
    levels = {(finding.rule, finding.level) for finding in audit.findings}
    assert levels == {
        ("template/role-dropped", Level.WARNING),
        ("template/role-dropped", Level.NOTE),
        ("template/no-generation-prompt", Level.WARNING),
    }


@pytest.mark.parametrize(
    ("text", "fate"),
    [
        ("{% for m in messages %}{{ m['content'] }}{% endfor %}", Fate.WRITTEN),
        ("{% for m in messages if m.role != 'tool' %}{{ m.content }}{% endfor %}", Fate.DROPPED),
        (
            "{% for m in messages %}{% if m.role in ['user', 'tool'] %}{{ m.content }}{% endif %}{% endfor %}",
            Fate.WRITTEN,
        ),
        (
            "{% for m in messages %}{% if not m.role == 'tool' %}{{ m.content }}{% endif %}{% endfor %}",
            Fate.DROPPED,
        ),
        (
            "{% for m in messages %}{% set r = m.role %}{% if 'tool' == r %}{{ m.content }}{% endif %}{% endfor %}",
            Fate.WRITTEN,
        ),
        ("{% for m in messages %}{{ m.content if m.role == 'user' else '' }}{% endfor %}", Fate.DROPPED),
        (
            "{% for m in messages %}{% if m.role == 'user' or m.role == 'tool' %}{{ m.content }}{% endif %}{% endfor %}",
            Fate.WRITTEN,
        ),
        (
            "{% if messages[0].role == 'system' %}{% set s = messages[0].content %}{% endif %}{{ s }}",
            Fate.DROPPED,
        ),
        (
            "{% for m in messages %}{% if m.role == 'tool' %}{% set c = m.content %}{% endif %}{{ c }}{% endfor %}",
            Fate.WRITTEN,
        ),
        (
            "{% macro w(m) %}{{ m.content }}{% endmacro %}{% for m in messages %}{{ w(m) }}{% endfor %}",
            Fate.WRITTEN,
        ),
        (
            "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('x') }}{% endif %}{% endfor %}",
            Fate.REJECTED,
        ),
    ],
)
def test_fate_of_tool_messages(text, fate):
    assert audit_template(text, SPECIAL).entry.roles["tool"] is fate


HOSTILE = {
    "50 MB": "a" * 50_000_000,
    "blocks": "{% if a %}" * 10_000 + "{% endif %}" * 10_000,
    "brackets": "{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}",
    "unary": "{{ " + "not " * 20_000 + "a }}",
    "ternary": "{{ " + "a if b else " * 9_000 + "c }}",
    "filters": "{{ a" + "|f" * 12_000 + " }}",
    "sums": "{{ 'a'" + "+'a'" * 12_000 + " }}",
    "cut short": "{% for m in messages %}{{ m",
    "no Jinja": "{% nonsense %}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_templates_are_one_finding(name):
    started = time.process_time()
    audit = audit_template(HOSTILE[name], SPECIAL)
    assert time.process_time() - started < 20  # inert, whatever the machine
    (finding,) = audit.findings
    assert (finding.rule, finding.level) == ("template/unparsable", Level.ERROR)
    assert audit.entry.error is not None and len(finding.message) < 300


def test_nothing_is_rendered_or_computed():
    # Each of these would take forever, or fail, if anything ran it.
    for text in ("{{ 'x' * 50000000000 }}", "{% for i in range(10 ** 12) %}{% endfor %}", "{{ 1 / 0 }}"):
        assert rules_of(CHATML + text) == set()
    bomb = "{% set a = 'aaaaaaaaaa' %}" + "".join(
        f"{{% set {b} = {a} | replace('a', {a}) %}}" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert max(len(literal.text) for literal in literals(parse_template(bomb))) <= 10_000


def test_error_tells_the_line():
    with pytest.raises(TemplateError) as caught:
        parse_template("one\ntwo\n{% endfor %}")
    assert caught.value.line == 3


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "{% if a %}",
                    "{% else %}",
                    "{% endif %}",
                    "{{ ",
                    " }}",
                    "{% for m in messages %}",
                    "{% endfor %}",
                    "m.content",
                    "'x' ~ ",
                    "|join",
                    "[::-1]",
                    "(",
                    ")",
                    "{%",
                    "%}",
                    "{#",
                    "#}",
                    "__class__",
                    "'",
                ]
            ),
            st.text(max_size=4),
        ),
        max_size=14,
    ).map("".join)
)
def test_any_text_is_read_or_refused(text):
    audit = audit_template(text, SPECIAL)
    assert (audit.entry.error is None) != any(f.rule == "template/unparsable" for f in audit.findings)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text("abc_", max_size=5), min_size=1, max_size=4), st.data())
def test_constants_are_what_jinja_would_write(parts, data):
    # Rendering is fine here: the expressions are ours.
    from jinja2 import Environment

    spelt = [repr(part) for part in parts]
    expression = data.draw(
        st.sampled_from(
            [
                " ~ ".join(spelt),
                " + ".join(spelt),
                f"[{', '.join(spelt)}] | join",
                f"[{', '.join(spelt)}] | join('-')",
                f"({' ~ '.join(spelt)})[::-1]",
                f"({' ~ '.join(spelt)})[1:3]",
                f"{spelt[0]} | reverse",
                f"{spelt[0]} | upper | replace('A', 'xx')",
                f"'%s-%s' % ({spelt[0]}, {spelt[-1]})",
                f"'{{}}{{}}'.format({spelt[0]}, {spelt[-1]})",
            ]
        )
    )
    tree = parse_template("{{ " + expression + " }}")
    assert Environment().from_string("{{ " + expression + " }}").render() in {
        one.text for one in literals(tree)
    }


def test_walk_goes_in_the_order_of_the_text():
    from jinja2 import nodes

    tree = parse_template("a{{ b }}{% if c %}d{% endif %}{{ e }}")
    names = [node.name for node in walk(tree) if isinstance(node, nodes.Name)]
    assert names == ["b", "c", "e"]


def test_copies_of_a_template_that_differ():
    assert copies_differ({"a.json": CHATML, "b.jinja": CHATML + "\n"}) == ()
    (finding,) = copies_differ({"a.json": CHATML, "b.jinja": CHATML + "x", "c.json": CHATML})
    assert (finding.rule, finding.level) == ("template/copies-differ", Level.WARNING)
    assert "a.json, c.json" in finding.message


def test_the_template_of_the_demo_model_against_its_own_tokens():
    from tests.auditing.tokenizers_at_hand import at_hand

    source, _ = at_hand("smollm2")
    special = {token.content for token in source.added_tokens}
    audit = audit_template(source.chat_template, special)
    assert audit.findings == ()
    assert audit.entry.special_tokens == ("<|im_end|>", "<|im_start|>")
    swapped = audit_template(source.chat_template, special - {"<|im_end|>"})
    assert [finding.rule for finding in swapped.findings] == ["template/special-missing"]

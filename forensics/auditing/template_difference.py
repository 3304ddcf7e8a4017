"""Two chat templates side by side: as text, as trees, and by what they do; neither is rendered."""

from __future__ import annotations

from forensics.auditing.template_constants import literals
from forensics.auditing.template_flow import content_tests, variables_read
from forensics.auditing.template_parse import TemplateError, parse_template
from forensics.auditing.template_roles import ROLES, fate_of_role
from forensics.schema.compare import TemplateDifference, TemplateRelation

__all__ = ["compare_templates"]


def compare_templates(a: str, b: str) -> TemplateDifference:
    """Return in what two templates differ.

    :param a: One template.
    :param b: The other.
    """
    if a == b:
        return TemplateDifference(TemplateRelation.IDENTICAL)
    try:
        one, other = parse_template(a), parse_template(b)
    except TemplateError as error:
        return TemplateDifference(TemplateRelation.UNDECIDED, error=f"line {error.line}: {error.found}")
    if one == other:
        return TemplateDifference(TemplateRelation.COSMETIC)
    texts = [list(dict.fromkeys(each.text for each in literals(tree))) for tree in (one, other)]
    names = [variables_read(tree) for tree in (one, other)]
    held = [
        list(dict.fromkeys(text for test in content_tests(tree) for text in test.literals))
        for tree in (one, other)
    ]
    fates = {role: (fate_of_role(one, role), fate_of_role(other, role)) for role in ROLES}
    return TemplateDifference(
        TemplateRelation.DIFFERENT,
        literals_a=tuple(text for text in texts[0] if text not in texts[1]),
        literals_b=tuple(text for text in texts[1] if text not in texts[0]),
        variables_a=tuple(sorted(names[0] - names[1])),
        variables_b=tuple(sorted(names[1] - names[0])),
        content_a=tuple(text for text in held[0] if text not in held[1]),
        content_b=tuple(text for text in held[1] if text not in held[0]),
        roles={role: f"{one} / {other}" for role, (one, other) in fates.items() if one is not other},
    )

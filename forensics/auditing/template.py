"""What a chat template does and hides, from its tree; it is never rendered.

Each rule says something that is true of the text. The rules on content describe: honest templates branch on
`/no_think`, and five of nineteen community templates fire `content-branch` (specification 5.1), so that rule
is a note and never an error. What is not found here is not shown to be harmless.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType, FunctionType, ModuleType
from typing import TYPE_CHECKING

from forensics.auditing.rules import found, listed
from forensics.auditing.template_constants import Literal, constant_text, literals, set_once
from forensics.auditing.template_flow import ContentTest, content_tests, variables_read
from forensics.auditing.template_parse import TemplateError, parse_template, walk
from forensics.auditing.template_roles import ROLES, fate_of_role
from forensics.schema.audit_summary import Construct, Fate, TemplateEntry
from forensics.schema.finding import Finding, Level

if TYPE_CHECKING:
    from jinja2 import nodes

__all__ = ["TemplateAudit", "audit_template", "copies_differ"]

_DUNDER = re.compile(r"__[a-z]+__")
#: Names by which sandboxes of Jinja were left, without underscores around them.
_GADGETS = frozenset(
    {
        *("mro", "func_globals", "func_code", "gi_frame", "gi_code", "cr_frame", "cr_code", "ag_frame"),
        *("ag_code", "f_globals", "f_builtins", "f_locals", "f_back", "tb_frame", "tb_next", "popen"),
        "import_module",
    }
)
#: Templates write `__media__` too; as text only names that Python's objects have are looked for.
_PYTHON_NAMES = frozenset(
    {
        *(name for owner in (object, type, str, FunctionType, ModuleType, FrameType) for name in dir(owner)),
        *("__builtins__", "__import__", "__file__", "__path__", "__main__"),
    }
)
#: Objects of Jinja's that lead to Python's; `namespace()` is called by honest templates, never looked into.
_DOORS = frozenset({"cycler", "lipsum", "joiner", "namespace", "self", "dict", "range", "raise_exception"})
#: `<|im_start|>` and its like, with any character that looks like the bar; and the older spellings.
_BARS = "|\uff5c\u01c0\u2223\u23d0\u2758\u4e28"
_TOKEN_LIKE = re.compile(
    rf"<[{_BARS}][^<>\s{_BARS}]{{1,60}}[{_BARS}]>|</?s>|<(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>"
)
_MARK_UP = re.compile(rf"<[{_BARS}/]?[^<>]{{1,60}}>|\[/?[A-Z_]+\]|<<[^<>]+>>|\{{[^{{}}]*\}}")
_URL = re.compile(r"\b(?:https?|ftp)://([^\s/'\"<>)\]]+)")
_EXAMPLE_HOST = re.compile(
    r"(?:^|\.)(?:example\.(?:com|org|net)|example|localhost|json-schema\.org)(?::\d+)?$"
)
_BLOB = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_DATE = re.compile(r"\b(?:19|20)\d\d[-/]\d\d(?:[-/]\d\d)?\b")
_CLOCKS = frozenset({"strftime_now", "datetime", "now", "utcnow"})
#: Fewest words of constant text that make a sentence.
WORDS_OF_A_SENTENCE = 4


@dataclass(frozen=True, eq=False)
class TemplateAudit:
    """What one template does, and what is wrong with it."""

    entry: TemplateEntry
    findings: tuple[Finding, ...]


def audit_template(
    text: str,
    special_tokens: Collection[str],
    name: str = "default",
    file: str = "chat_template",
    line: int = 1,
) -> TemplateAudit:
    """Return what a template does and what is wrong with it.

    :param text: The template.
    :param special_tokens: The texts of this tokenizer's added and special tokens.
    :param name: Its name, for several in one file.
    :param file: The file that holds it, for the findings' subjects.
    :param line: Where in the file it begins.
    """
    try:
        tree = parse_template(text)
    except TemplateError as error:
        construct = Construct("template/unparsable", error.line, error.found)
        entry = TemplateEntry(name, file, line, len(text), error.found)
        return TemplateAudit(entry, _findings([construct], entry))
    known = frozenset(special_tokens)
    variables = variables_read(tree)
    fates = {role: fate_of_role(tree, role) for role in ROLES}
    every = list(literals(tree))
    checks: tuple[Callable[[], Iterator[Construct]], ...] = (
        lambda: _code_like(tree, every),
        lambda: _invisible(text, every),
        lambda: _missing_tokens(every, known),
        lambda: _generation_prompt(variables),
        lambda: _lost_roles(fates),
        lambda: _clock(tree),
        lambda: _addresses(every),
        lambda: _content(tree, known),
    )
    constructs = tuple(dict.fromkeys(construct for check in checks for construct in check()))
    entry = TemplateEntry(
        name=name,
        file=file,
        line=line,
        characters=len(text),
        roles=fates,
        reads_generation_prompt="add_generation_prompt" in variables,
        variables=tuple(sorted(variables)),
        special_tokens=tuple(sorted(token for token in known if token and token in text)),
        constructs=constructs,
    )
    refused = {role: fate for role, fate in fates.items() if fate is Fate.REJECTED}
    return TemplateAudit(entry, _findings(constructs, entry, frozenset(_lost_roles(refused))))


def copies_differ(texts: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return a finding if the copies of one template differ.

    :param texts: Where each copy stands -> its text.
    """
    distinct: dict[str, list[str]] = {}
    for place, text in texts.items():
        distinct.setdefault(text.strip(), []).append(place)
    if len(distinct) < 2:
        return ()
    groups = "; ".join(f"{', '.join(places)}: {len(text):,} characters" for text, places in distinct.items())
    message = f"{len(distinct)} different chat templates: {groups}"
    return (found("template/copies-differ", "chat template", message, evidence={"count": len(distinct)}),)


def _findings(
    constructs: Sequence[Construct], entry: TemplateEntry, milder: Container[Construct] = ()
) -> tuple[Finding, ...]:
    """Return one finding per rule; what is milder, a role that is rejected openly, is a note."""
    groups: dict[tuple[str, bool], list[Construct]] = {}
    for construct in constructs:
        groups.setdefault((construct.rule, construct in milder), []).append(construct)
    subject = entry.file if entry.name == "default" else f"{entry.file} {entry.name}"
    # Of GGUF the entry's file is the file's name and its key.
    file, _, _ = entry.file.partition(": ")
    found_all = []
    for (rule, is_note), some in groups.items():
        lines, texts = listed((one.line for one in some), 10), listed((one.text for one in some), 10)
        found_all.append(
            found(
                rule,
                f"{subject} (note)" if is_note else subject,
                f"{subject}, line {lines}: {texts}",
                level=Level.NOTE if is_note else None,
                evidence={"count": len(some), "line": some[0].line},
                file=file,
                # Within JSON the template is one string in one line.
                line=some[0].line if file.endswith(".jinja") else entry.line,
            )
        )
    return tuple(found_all)


def _code_like(tree: nodes.Template, every: Sequence[Literal]) -> Iterator[Construct]:
    from jinja2 import nodes

    rule = "template/code-like"
    known = set_once(tree)
    for node in walk(tree):
        if isinstance(node, nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends):
            yield Construct(rule, node.lineno, type(node).__name__.lower())
        elif isinstance(node, nodes.Getattr):
            if _DUNDER.fullmatch(node.attr) or node.attr in _GADGETS:
                yield Construct(rule, node.lineno, f"attribute {node.attr}")
            elif isinstance(node.node, nodes.Name) and node.node.name in _DOORS:
                yield Construct(rule, node.lineno, f"attribute {node.attr} of {node.node.name}")
        elif (
            isinstance(node, nodes.Filter)
            and node.name == "attr"
            and node.args
            and constant_text(node.args[0], known) is None
        ):
            yield Construct(rule, node.lineno, "attr with a name that is computed")
    for literal in every:
        if literal.is_data:
            continue
        if (name := _DUNDER.search(literal.text)) and name.group() in _PYTHON_NAMES:
            yield Construct(rule, literal.line, f"the name {name.group()} as text")
        elif literal.text in _GADGETS:
            yield Construct(rule, literal.line, f"the name {literal.text} as text")


def _invisible(text: str, every: Sequence[Literal]) -> Iterator[Construct]:
    rule = "template/invisible"
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if hidden := _hidden(line):
            yield Construct(rule, number, hidden)
    for literal in every:
        if not literal.is_data and (hidden := _hidden(literal.text)) and literal.text not in text:
            yield Construct(rule, literal.line, f"{hidden}, spelt as an escape")


def _hidden(text: str) -> str:
    """Return the names of characters nobody sees; joiners within emoji and other scripts have a use."""
    names = {}
    for place, character in enumerate(text):
        if character.isascii() or unicodedata.category(character) != "Cf":
            continue
        if character in "\u200c\u200d":
            around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
            if len(around) == 2 and not any(one.isascii() for one in around):
                continue
        names[character] = f"U+{ord(character):04X}"
    return ", ".join(names.values())


def _missing_tokens(every: Sequence[Literal], known: frozenset[str]) -> Iterator[Construct]:
    folded = {_folded(token): token for token in sorted(known)}
    for literal in every:
        for match in _TOKEN_LIKE.finditer(literal.text):
            token = match.group()
            if token in known:
                continue
            twin = folded.get(_folded(token))
            text = repr(token) if twin is None else f"{token!r}, which only looks like {twin!r}"
            yield Construct("template/special-missing", literal.line, text)


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    for bar in _BARS[1:]:
        folded = folded.replace(bar, "|")
    return folded.replace("\u2581", "_")


def _generation_prompt(variables: frozenset[str]) -> Iterator[Construct]:
    if "add_generation_prompt" not in variables:
        yield Construct("template/no-generation-prompt", 1, "add_generation_prompt is never read")


def _lost_roles(fates: Mapping[str, Fate]) -> Iterator[Construct]:
    for role, fate in fates.items():
        if fate is not Fate.WRITTEN:
            how = "refused with an error" if fate is Fate.REJECTED else "no branch writes it"
            yield Construct("template/role-dropped", 1, f"{role}: {how}")


def _clock(tree: nodes.Template) -> Iterator[Construct]:
    from jinja2 import nodes

    rule = "template/clock"
    for node in walk(tree):
        if isinstance(node, nodes.Name) and node.ctx == "load" and node.name in _CLOCKS:
            yield Construct(rule, node.lineno, node.name)
        elif isinstance(node, nodes.If | nodes.CondExpr):
            for part in walk(node.test):
                if isinstance(part, nodes.Const) and isinstance(part.value, str) and _DATE.search(part.value):
                    yield Construct(rule, part.lineno, f"a test on {part.value!r}")


def _addresses(every: Sequence[Literal]) -> Iterator[Construct]:
    for literal in every:
        for match in _URL.finditer(literal.text):
            if not _EXAMPLE_HOST.search(match.group(1)):
                yield Construct("template/url", literal.line, _short(match.group()))
        for match in _BLOB.finditer(literal.text):
            blob = match.group()
            kinds = (str.isdigit, str.isupper, str.islower)
            if all(any(kind(character) for character in blob) for kind in kinds):
                yield Construct("template/encoded-blob", literal.line, _short(blob))


def _content(tree: nodes.Template, known: frozenset[str]) -> Iterator[Construct]:
    for test in content_tests(tree):
        telling = [text for text in test.literals if not _is_token_like(text, known)]
        if not telling and not test.is_length:
            continue
        what = listed((_short(repr(text)) for text in telling), 10) or "the length of the content"
        yield Construct("template/content-branch", test.line, what)
        for sentence in _sentences(test, known):
            yield Construct("template/content-branch-injects", test.line, _short(sentence))


def _is_token_like(text: str, known: frozenset[str]) -> bool:
    bare = text.strip()
    return bare in known or _MARK_UP.fullmatch(bare) is not None


def _sentences(test: ContentTest, known: frozenset[str]) -> Iterator[str]:
    """Yield the constant sentences that the branches write or set, special tokens taken out."""
    from jinja2 import nodes

    # The longest first: one special token may be part of another.
    ordered = sorted(known, key=lambda token: (-len(token), token))
    for branch in test.branches:
        for node in walk(branch):
            if isinstance(node, nodes.TemplateData):
                text = node.data
            elif isinstance(node, nodes.Const) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            for token in ordered:
                text = text.replace(token, " ") if token else text
            text = _MARK_UP.sub(" ", text)
            if sum(any(map(str.isalpha, word)) for word in text.split()) >= WORDS_OF_A_SENTENCE:
                yield " ".join(text.split())


def _short(text: str, most: int = 80) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."

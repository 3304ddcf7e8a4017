"""The rules of `audit`: what each finding means and what to do about it."""

from __future__ import annotations

from forensics.schema.finding import Level, Rule

__all__ = ["RULES"]

_E, _W, _N = Level.ERROR, Level.WARNING, Level.NOTE
_TABLE = (
    Rule("id/duplicate", _E, "One id has two pieces, or one piece two ids.", "Number the entries anew."),
    Rule(
        "id/gap",
        _N,
        "Ids below the largest have no piece.",
        "Nothing, if the rows are known to be unused.",
        ("vocab",),
    ),
    Rule(
        "id/not-honoured",
        _E,
        "The library gives an added token another id than the file declares.",
        "Put the token into the model's vocabulary under its id, or correct the declared id.",
        ("added_tokens",),
    ),
    Rule(
        "piece/same-bytes",
        _W,
        "Several ids stand for the same bytes; only one of them is ever given.",
        "Expect the others to be untrained; drop them in the next vocabulary.",
        ("vocab",),
    ),
    Rule(
        "piece/unreachable",
        _W,
        "No text gives the token, whatever stands before it.",
        "Expect it to be untrained, and keep it out of sampled output.",
        ("vocab",),
    ),
    Rule(
        "merge/repeated",
        _W,
        "The same merge stands twice in the list.",
        "Drop the second; check the conversion that wrote it.",
        ("merges",),
    ),
    Rule(
        "merge/redundant",
        _W,
        "Several merges make the same piece.",
        "Nothing, if the list was rebuilt from scores; else check the conversion that wrote it.",
        ("merges",),
    ),
    Rule(
        "merge/dangling",
        _W,
        "A merge has parts or a result that the vocabulary lacks.",
        "Check that merges and vocabulary come from the same tokenizer.",
        ("merges",),
    ),
    Rule(
        "merge/unformable",
        _W,
        "A merge makes a piece that the normalizer or pre-tokenizer never lets stand.",
        "Check that the pre-tokenizer is the one that the merges were learned with.",
        ("merges",),
    ),
    Rule(
        "merge/token-without-merge",
        _W,
        "No merge makes an ordinary piece.",
        "Nothing, if it was put in by hand; else check that the merge list is complete.",
        ("merges",),
    ),
    Rule(
        "merge/by-hand",
        _N,
        "Merges were put in by hand: ladders of whitespace or numbers, or declared tokens.",
        "Nothing; do not read them as a trace of training text.",
        ("merges",),
    ),
    Rule(
        "added/overrides",
        _W,
        "An added token is cut out of text before the algorithm runs, and ordinary pieces die of it.",
        "Make it special, or leave it to the algorithm.",
        ("added_tokens",),
    ),
    Rule(
        "added/undecodable",
        _W,
        "An added token decodes to another text than its own.",
        "Spell it in the alphabet that the decoder expects, or exempt it from decoding.",
        ("added_tokens",),
    ),
    Rule(
        "roundtrip",
        _W,
        "Text does not come back after encoding and decoding.",
        "Do not use the tokenizer where output must repeat input exactly.",
    ),
    Rule(
        "char/ansi",
        _W,
        "A piece holds an escape character, which begins a terminal's control sequence.",
        "Escape control characters before output reaches a terminal.",
        ("vocab",),
    ),
    Rule(
        "char/control",
        _N,
        "Pieces hold control characters.",
        "Escape them where output is shown.",
        ("vocab",),
    ),
    Rule(
        "char/bidi",
        _N,
        "Pieces hold bidirectional controls.",
        "Escape them where output is shown.",
        ("vocab",),
    ),
    Rule(
        "char/invisible",
        _N,
        "Pieces hold characters nobody sees.",
        "Escape them where output is shown.",
        ("vocab",),
    ),
    Rule(
        "char/private-use",
        _N,
        "Pieces hold private-use characters.",
        "Nothing; no two fonts agree on them.",
        ("vocab",),
    ),
    Rule(
        "char/unassigned", _N, "Pieces hold characters that Unicode has not assigned.", "Nothing.", ("vocab",)
    ),
    Rule(
        "char/mixed-scripts",
        _N,
        "Pieces mix Latin letters with Cyrillic or Greek ones.",
        "Nothing, if they are units or formulas; else compare them with what they look like.",
        ("vocab",),
    ),
    Rule(
        "special/role-disagrees",
        _E,
        "The files name different tokens for one role.",
        "Make them agree: whoever reads another file ends or pads text differently.",
        ("{subject}_token", "{subject}_token_id"),
    ),
    Rule(
        "special/split",
        _E,
        "A declared special token's text is not one id.",
        "Declare it among the added tokens, or build prompts from ids.",
    ),
    Rule(
        "special/from-text",
        _N,
        "Text written by a user gives control tokens.",
        "Encode users' text with split_special_tokens (Hugging Face) or parse_special=false (llama.cpp).",
        ("added_tokens",),
    ),
    Rule(
        "special/strips-neighbours",
        _N,
        "A special token takes the spaces beside it away.",
        "Nothing, if texts need not come back exactly.",
        ("added_tokens",),
    ),
    Rule(
        "template/code-like",
        _E,
        "The template reaches for Python's internals or for other templates.",
        "Do not render it; take the template from the model's original release.",
    ),
    Rule(
        "template/invisible",
        _E,
        "The template holds characters nobody sees.",
        "Remove them, and ask where they came from.",
    ),
    Rule("template/unparsable", _E, "The template does not parse.", "Correct it; nobody can render it."),
    Rule(
        "template/special-missing",
        _W,
        "The template writes what looks like a special token and is none of this tokenizer.",
        "Take template and tokenizer from the same release.",
    ),
    Rule(
        "template/no-generation-prompt",
        _W,
        "The template never reads add_generation_prompt.",
        "Append the assistant's opening yourself, or correct the template.",
    ),
    Rule(
        "template/role-dropped",
        _W,
        "Messages of a role vanish from the prompt.",
        "Do not send messages of that role, or correct the template.",
    ),
    Rule("template/clock", _N, "The prompt depends on the date.", "Fix the date where runs must repeat."),
    Rule(
        "template/url", _W, "The template holds an address.", "Remove it, unless the model was trained on it."
    ),
    Rule(
        "template/encoded-blob",
        _W,
        "The template holds what looks like encoded data.",
        "Decode it before you use the template.",
    ),
    Rule(
        "template/content-branch",
        _N,
        "What a message says decides what else the prompt holds.",
        "Read the branch; switches such as /no_think are of this kind.",
    ),
    Rule(
        "template/content-branch-injects",
        _W,
        "What a message says decides whether a sentence of the template enters the prompt.",
        "Read the branch; poisoned templates are of this kind (arXiv 2602.04653).",
    ),
    Rule(
        "template/copies-differ",
        _W,
        "The files hold different chat templates.",
        "Keep one: engines differ in which file they read.",
        ("chat_template",),
    ),
)

#: Id -> rule.
RULES = {rule.id: rule for rule in _TABLE}

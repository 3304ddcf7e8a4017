"""Ban lists as the programs that run models read them.

| format | where it goes |
|---|---|
| `logit-bias` | `logit_bias` of a request to OpenAI's interface or vLLM; -100 is the least there is |
| `llama.cpp` | arguments of `llama-cli` and `llama-server`: `ID-inf` is read as id, sign and infinity |
| `llama.cpp-server` | `logit_bias` of a request to `llama-server`; false is minus infinity |
| `vllm-allowed` | `allowed_token_ids` of vLLM: all ids that are not banned |
| `transformers` | `suppress_tokens` in `generation_config.json`, exact for any id |
| `transformers-bad-words` | `bad_words_ids` there; a list that must not be empty |
| `text-generation-webui` | its field `custom_token_bans` |
| `sillytavern` | its file of logit biases; that ids in brackets are understood everywhere is not verified |
| `ids`, `txt` | one id a line, alone or with the escaped piece |

Not offered: vLLM's `bad_words`, which takes text and encodes it again, so that it cannot name partial or
unreachable tokens. A bias of -100 is no prohibition: where everything else is less likely still, the token
comes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["FORMATS", "LOGIT_BIAS_ENTRIES", "BanList"]

#: Entries of `logit_bias` above which a service may refuse a request (300 is reported for OpenAI's).
LOGIT_BIAS_ENTRIES = 300
_LEAST_BIAS = -100


@dataclass(frozen=True)
class BanList:
    """Tokens to ban, and what some formats want besides."""

    #: Ids, ascending.
    ids: tuple[int, ...]
    #: Ids that the tokenizer knows: 0 to this, exclusive.
    vocabulary_size: int
    #: Id -> the entry as stored.
    pieces: Mapping[int, str]

    def text(self, format: str) -> str:
        """Return the list in one of `FORMATS`, with a line end."""
        return FORMATS[format](self) + "\n"


def _logit_bias(bans: BanList) -> str:
    return json.dumps({str(i): _LEAST_BIAS for i in bans.ids})


def _arguments(bans: BanList) -> str:
    return " ".join(f"--logit-bias {i}-inf" for i in bans.ids)


def _server(bans: BanList) -> str:
    return json.dumps({"logit_bias": [[i, False] for i in bans.ids]})


def _allowed(bans: BanList) -> str:
    banned = set(bans.ids)
    return json.dumps({"allowed_token_ids": [i for i in range(bans.vocabulary_size) if i not in banned]})


def _suppress(bans: BanList) -> str:
    return json.dumps({"suppress_tokens": list(bans.ids)})


def _bad_words(bans: BanList) -> str:
    return json.dumps({"bad_words_ids": [[i] for i in bans.ids]})


def _comma(bans: BanList) -> str:
    return ",".join(map(str, bans.ids))


def _sillytavern(bans: BanList) -> str:
    return json.dumps([{"id": f"ban-{i}", "text": f"[{i}]", "value": _LEAST_BIAS} for i in bans.ids])


def _lines(bans: BanList) -> str:
    return "\n".join(map(str, bans.ids))


def _lines_with_pieces(bans: BanList) -> str:
    entries: Sequence[str] = [f"{i}\t{json.dumps(bans.pieces.get(i, ''))}" for i in bans.ids]
    return "\n".join(entries)


#: Name -> how the list is written.
FORMATS: Mapping[str, Callable[[BanList], str]] = {
    "logit-bias": _logit_bias,
    "llama.cpp": _arguments,
    "llama.cpp-server": _server,
    "vllm-allowed": _allowed,
    "transformers": _suppress,
    "transformers-bad-words": _bad_words,
    "text-generation-webui": _comma,
    "sillytavern": _sillytavern,
    "ids": _lines,
    "txt": _lines_with_pieces,
}

"""One prompt going through a model for many tokens at once, with as little arithmetic as possible.

The shared prefix of a prompt is computed once and its keys and values repeated over the batch; a run can
stop in the middle, drop the rows that need no more, and go on with the others on the same cache. No row
is padded, because the token under test is one id and so all rows have the same length.
"""

from __future__ import annotations

import copy
import inspect
from typing import Any

from forensics.undertrained.prompts import SLOT, Prompt

__all__ = ["PromptRun", "PromptRunner"]

#: Largest difference of a log-probability that reusing a prefix may make. Rounding makes 1e-5 in float32
#: and up to 0.1 in bfloat16; a cache that is repeated wrongly makes whole units.
REUSE_TOLERANCE = 0.25


class PromptRunner:
    """Starts runs on one model and keeps the keys and values of the prompts' shared prefixes."""

    def __init__(self, model: Any, prompt: Prompt) -> None:
        """Look at what the model offers.

        :param model: A causal language model with transformers' forward interface, in evaluation mode.
        :param prompt: A short prompt, on which the reuse of keys and values is tried out.
        """
        self._model = model
        self._prefixes: dict[Prompt, Any] = {}
        accepts_limit = "logits_to_keep" in inspect.signature(model.forward).parameters
        # Asks for the logits of the last position only, where the model knows how.
        self._last_only = {"logits_to_keep": 1} if accepts_limit else {}
        #: Whether shared prefixes are reused. Caches of recurrent and hybrid models cannot all be
        #: repeated over a batch; rather than keep a list of them, it is tried once.
        self.reuses_prefix = self._reuse_agrees(prompt)

    def start(self, prompt: Prompt, tokens: Any, *, reuse: bool = True) -> PromptRun:
        """Begin a run of `prompt` for `tokens`, an int64 tensor (rows,) on the model's device.

        :param reuse: False computes the prompt from its beginning even where prefixes are reused.
        """
        return PromptRun(self, prompt, tokens, reuse and self.reuses_prefix)

    def forward(self, ids: Any, cache: Any, use_cache: bool) -> tuple[Any, Any]:
        """Return the last position's logits, (rows, V) float32, and the grown cache (or None)."""
        past = {} if cache is None else {"past_key_values": cache}
        answer = self._model(input_ids=ids, use_cache=use_cache, **past, **self._last_only)
        return answer.logits[:, -1].float(), answer.past_key_values if use_cache else None

    def prefix(self, prompt: Prompt, rows: int) -> Any:
        """Return the keys and values of the prompt's shared ids, repeated for `rows` rows."""
        import torch

        if prompt not in self._prefixes:
            ids = torch.tensor([prompt.ids[: prompt.shared_length]], device=self._model.device)
            self._prefixes[prompt] = self.forward(ids, None, use_cache=True)[1]
        # A forward pass grows the cache it is given, so the original is never handed out.
        cache = copy.deepcopy(self._prefixes[prompt])
        cache.batch_repeat_interleave(rows)
        return cache

    def _reuse_agrees(self, prompt: Prompt) -> bool:
        """Return whether a run on a repeated prefix gives the numbers of a run without one."""
        import torch

        words = sorted({token_id for token_id in prompt.ids if token_id != SLOT})
        with torch.inference_mode():
            tokens = torch.tensor([words[0], words[-1]], device=self._model.device)
            try:
                reused = PromptRun(self, prompt, tokens, reuse=True)
                reused.read_to(prompt.slots[-1] + 1)
                reused.keep(tokens == words[-1])
                reused.read_to(len(prompt.ids))
                reused.say()
            # What a cache raises that has no such method, or cannot do it, is not agreed on among models.
            except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError):
                return False
            whole = PromptRun(self, prompt, tokens[1:], reuse=False)
            whole.read_to(len(prompt.ids))
            whole.say()
            differences = [
                a.log() - b.log() for a, b in zip(reused.probabilities[-2:], whole.probabilities, strict=True)
            ]
            return bool((torch.stack(differences).abs() < REUSE_TOLERANCE).all())


class PromptRun:
    """One prompt on its way for several tokens; call inside `torch.inference_mode()`."""

    def __init__(self, runner: PromptRunner, prompt: Prompt, tokens: Any, reuse: bool) -> None:
        """Fill the prompt for every token and take over the shared prefix.

        :param runner: Who runs the forward passes.
        :param prompt: The prompt.
        :param tokens: The tokens under test, int64 (rows,).
        :param reuse: Keep keys and values between the calls; otherwise every call begins anew.
        """
        import torch

        template = torch.tensor(prompt.ids, device=tokens.device)
        #: The tokens still in the run, (rows,).
        self.tokens = tokens
        #: Probability of its token for every row, one tensor (rows,) per stop or generated token.
        self.probabilities: list[Any] = []
        #: What the model would say there, one tensor (rows,) each.
        self.said: list[Any] = []
        self._runner = runner
        self._ids = torch.where(template == SLOT, tokens[:, None], template)  # (rows, length)
        self._reuse = reuse
        self._read = prompt.shared_length if reuse else 0
        self._cache = runner.prefix(prompt, len(tokens)) if reuse else None

    def read_to(self, stop: int) -> Any:
        """Read on up to position `stop` of the prompt and note the probabilities of what follows.

        :return: The logits of what follows, (rows, V) float32.
        """
        logits, self._cache = self._runner.forward(self._ids[:, self._read : stop], self._cache, self._reuse)
        if self._reuse:
            self._read = stop
        of_token = logits.gather(1, self.tokens[:, None])[:, 0]
        self.probabilities.append((of_token - logits.logsumexp(-1)).exp())
        self.said.append(logits.argmax(-1))
        return logits

    def say(self) -> None:
        """Append what the model would say, read it, and note the probabilities of the next."""
        import torch

        self._ids = torch.cat([self._ids, self.said[-1][:, None]], dim=1)
        self.read_to(self._ids.shape[1])

    def keep(self, rows: Any) -> None:
        """Go on with the rows where the boolean tensor `rows` is true; forget the others."""
        if bool(rows.all()):
            return
        self.tokens, self._ids = self.tokens[rows], self._ids[rows]
        self.probabilities = [p[rows] for p in self.probabilities]
        self.said = [s[rows] for s in self.said]
        if self._cache is not None and len(self.tokens):
            self._cache.batch_select_indices(rows.nonzero()[:, 0])

"""One short prompt for many tokens in one forward pass: a shared prefix, then a few positions per token.

The tokens of a pass stand one after another in a single row. A mask lets each position see the prefix and
its own token's positions, and position ids number every token's positions as if nothing else followed the
prefix. So 128 tokens cost 128 times two positions and no copy of the prefix's keys and values; only the
hidden state behind each token goes through the head. Packed and single log-probabilities of SmolLM2-135M
differ by 2e-5 at most; the tests hold them together to 1e-3 on small models of every common kind.

Not every model honours such a mask: recurrent models have no attention to mask, ALiBi takes positions from
elsewhere, some kernels take no mask of four dimensions. Rather than keep a list, each prompt is tried once,
packed against one row per token; where they disagree the batched run of `prompt_run` takes over.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.sources.interface import NextTokens
from forensics.undertrained.prompt_run import PromptRunner
from forensics.undertrained.prompts import SLOT, Prompt

__all__ = ["PackedProbe"]

#: New positions in one packed pass, and most tokens in it. More were not faster on one thread of a CPU.
CPU_POSITIONS, CPU_TOKENS = 384, 128
DEVICE_POSITIONS, DEVICE_TOKENS = 4096, 1024
#: Rows of one batch where packing does not work: each holds a copy of the prefix's keys and values.
FALLBACK_ROWS = 32
#: Largest difference of a log-probability, packed against one row per token, in float32 and in half
#: precision. Rounding makes 1e-4 and 0.1; a mask that is not honoured makes whole units.
TOLERANCE, HALF_TOLERANCE = 0.005, 0.25
#: What is raised by a model, or a cache, that has no such method or cannot do it.
_REFUSALS = (
    *(AssertionError, AttributeError, IndexError, KeyError),
    *(NotImplementedError, RuntimeError, TypeError, ValueError),
)
#: Tokens of the trial: enough that one of them has neighbours on both sides.
_TRIED = 5


class PackedProbe:
    """Reads one prompt for many tokens at once.

    >>> PackedProbe(model, probe, runner).read([1021, 49151]).log_p   # doctest: +SKIP
    array([-0.1, -11.3], dtype=float32)
    """

    def __init__(self, model: Any, prompt: Prompt, runner: PromptRunner) -> None:
        """Find out how the model can be asked.

        :param model: A causal language model with transformers' forward interface, in evaluation mode.
        :param prompt: The probe: what stands before its first slot is shared, the rest is the pattern.
        :param runner: The same model's runner, for whatever cannot be packed.
        """
        self.prompt = prompt
        self._model = model
        self._runner = runner
        self._keeps_rows = "logits_to_keep" in inspect.signature(model.forward).parameters
        self._cache: Any = None
        self._masks: dict[int, Any] = {}
        self._windows = _Windows()
        #: Whether the model honours the packed mask for this prompt.
        self.is_packed = self._try_packing()

    def read(self, tokens: Sequence[int]) -> NextTokens:
        """Return what the probe shows of `tokens`.

        The last digits depend on the company, as every matrix product's do on its shape; whoever needs
        equal digits passes equal lists.
        """
        import torch

        parts = []
        with torch.inference_mode():
            for batch in self._batches(tokens):
                ids = torch.tensor(batch, device=self._model.device)
                logits = self._packed(ids) if self.is_packed else self._batched(ids)
                parts.append(_reading(logits, ids))
        return NextTokens(
            np.concatenate([np.empty(0, np.float32), *(p.log_p for p in parts)]),
            np.concatenate([np.empty(0, np.int64), *(p.said for p in parts)]),
        )

    def _batches(self, tokens: Sequence[int]) -> Iterator[list[int]]:
        on_cpu = self._model.device.type == "cpu"
        positions, most = (CPU_POSITIONS, CPU_TOKENS) if on_cpu else (DEVICE_POSITIONS, DEVICE_TOKENS)
        size = max(1, min(most, positions // self._width)) if self.is_packed else FALLBACK_ROWS
        for start in range(0, len(tokens), size):
            yield [int(t) for t in tokens[start : start + size]]

    @property
    def _width(self) -> int:
        return len(self.prompt.ids) - self.prompt.shared_length

    def _packed(self, ids: Any) -> Any:
        """Return the logits behind every token's pattern, (n, V), from one pass over one row."""
        import torch

        prefix, k, n = self.prompt.shared_length, self._width, len(ids)
        pattern = torch.tensor(self.prompt.ids[prefix:], device=ids.device)
        rows = torch.where(pattern == SLOT, ids[:, None], pattern)  # (n, k)
        positions = prefix + torch.arange(k, device=ids.device).repeat(n)
        last = torch.arange(1, n + 1, device=ids.device) * k - 1
        cache = self._prefix()
        try:
            answer = self._model(
                input_ids=rows.reshape(1, -1),
                attention_mask=self._mask(n),
                position_ids=positions[None],
                past_key_values=cache,
                use_cache=True,
                **({"logits_to_keep": last} if self._keeps_rows else {}),
            )
        finally:
            # Negative: how many to drop. A positive number was the length to keep in transformers 4 and
            # is refused in 5.
            if (grown := cache.get_seq_length() - prefix) > 0:
                cache.crop(-grown)
        logits = answer.logits[0]
        return (logits if self._keeps_rows else logits[last]).float()

    def _batched(self, ids: Any) -> Any:
        """Return the same logits from one row per token."""
        return self._runner.start(self.prompt, ids).read_to(len(self.prompt.ids))

    def _prefix(self) -> Any:
        """Return the cache that holds the prefix; every pass grows it and cuts it back."""
        import torch
        from transformers import DynamicCache

        if self._cache is None:
            # Without a configuration no layer forgets what slid out of its window; the mask sees to that.
            cache = DynamicCache()
            ids = torch.tensor([self.prompt.ids[: self.prompt.shared_length]], device=self._model.device)
            keep = {"logits_to_keep": 1} if self._keeps_rows else {}
            self._model(input_ids=ids, past_key_values=cache, use_cache=True, **keep)
            self._cache = cache
        return self._cache

    def _mask(self, n: int) -> Any:
        """Return the additive mask of `n` tokens, or one per kind of layer where kinds differ."""
        if n not in self._masks:
            if len(self._masks) > 4:  # batches are full but for the last of a list
                self._masks.clear()
            self._masks[n] = self._windows.masks(self.prompt.shared_length, self._width, n, self._model)
        return self._masks[n]

    def _try_packing(self) -> bool:
        """Return whether a packed pass gives the numbers of a row per token, and with which masks."""
        import torch

        words = sorted({t for t in self.prompt.ids if t != SLOT})
        tried = (words * _TRIED)[:_TRIED]
        ids = torch.tensor(tried, device=self._model.device)
        half = getattr(self._model, "dtype", torch.float32) != torch.float32
        with torch.inference_mode():
            expected = _reading(self._batched(ids), ids).log_p
            for windows in _window_choices(self._model):
                self._windows = windows
                self._masks.clear()
                try:
                    found = _reading(self._packed(ids), ids).log_p
                # A model that cannot take such a mask or cache says so in one of these ways.
                except _REFUSALS:
                    self._cache = None
                    continue
                if np.abs(found - expected).max() < (HALF_TOLERANCE if half else TOLERANCE):
                    return True
        self._cache = None
        return False


@dataclass(frozen=True)
class _Windows:
    """How far back the layers of a model look: one number for all of them, or one per kind of layer."""

    #: Positions seen, the own one included; None: all of them.
    every: int | None = None
    #: Kind of layer, as transformers names it, -> positions seen; empty where `every` holds for all.
    by_kind: tuple[tuple[str, int | None], ...] = ()

    def masks(self, prefix: int, k: int, n: int, model: Any) -> Any:
        if self.by_kind:
            return {kind: _packed_mask(prefix, k, n, window, model) for kind, window in self.by_kind}
        return _packed_mask(prefix, k, n, self.every, model)


def _window_choices(model: Any) -> Iterator[_Windows]:
    """Yield what the model's configuration says of windows, the likeliest first."""
    config = getattr(model, "config", None)
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or ())
    if window and len(kinds) > 1:
        yield _Windows(by_kind=tuple((kind, window if "sliding" in kind else None) for kind in sorted(kinds)))
    if window and kinds != {"full_attention"}:
        yield _Windows(every=int(window))
    yield _Windows()


def _packed_mask(prefix: int, k: int, n: int, window: int | None, model: Any) -> Any:
    """Return 0 where a position may look and the dtype's minimum elsewhere, (1, 1, n k, prefix + n k)."""
    import torch

    device = model.device
    token = torch.arange(n * k, device=device) // k  # (n k,)
    place = prefix + torch.arange(n * k, device=device) % k
    own = (token[:, None] == token) & (place[:, None] >= place)
    seen = torch.cat([torch.ones(n * k, prefix, dtype=torch.bool, device=device), own], dim=1)
    if window is not None:
        keys = torch.cat([torch.arange(prefix, device=device), place])
        seen &= place[:, None] - keys < window
    mask = torch.full(seen.shape, torch.finfo(model.dtype).min, dtype=model.dtype, device=device)
    return mask.masked_fill(seen, 0.0)[None, None]


def _reading(logits: Any, ids: Any) -> NextTokens:
    of_token = logits.gather(1, ids[:, None])[:, 0]
    log_p = (of_token - logits.logsumexp(-1)).cpu().numpy()
    return NextTokens(np.asarray(log_p, np.float32), np.asarray(logits.argmax(-1).cpu().numpy(), np.int64))

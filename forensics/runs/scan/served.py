"""What has to be said and tried before a served model is asked thousands of questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.errors import BadInputError, OptionError
from forensics.runs.scan.prompting import Prompting
from forensics.runs.scan.served_prompting import Served
from forensics.undertrained.probed_sample import Probing
from forensics.undertrained.search_plan import CONTROLS_BOUND, SearchPlan
from forensics.undertrained.token_evidence import TokenEvidence

__all__ = ["check_controls", "question_cost"]

#: Well-trained tokens that are asked for before anything else.
_FIRST_CONTROLS = 24


def question_cost(
    served: Served, plan: SearchPlan, probing: Probing | None, known: Mapping[int, TokenEvidence]
) -> str:
    """Return what the run will ask of the server, in a sentence.

    :param served: The server and what it may be asked.
    :param plan: What is verified.
    :param probing: What is probed besides.
    :param known: What an interrupted run had verified.
    :raises OptionError: If not even the least of it is allowed.
    """
    rest = len(plan.ranking) - plan.least
    # What the interface cannot carry costs nothing; the groups outside the ranking are full of it.
    extra = sum(min(sum(map(served.can_ask, tokens)), plan.most_per_extra) for tokens in plan.extra.values())
    verified = max(0, len(plan.controls) + plan.least + plan.audit_sample + extra - len(known))
    probed = 0 if probing is None else rest if probing.sample is None else probing.sample
    least = verified + probed
    # Hardly a token of the sample needs more than the first probe.
    most = verified * served.most_per_token + probed
    if served.most is not None and served.most < least and not known:
        found = f"{served.most:,} requests, where at least {least:,} are needed"
        raise OptionError(
            "max_requests", found, "allow more, or ask for less with --candidates or --estimate-tokens"
        )
    each = "a short answer each" if served.interface.is_conversation else "one token each"
    return f"Asking {served.connection.url} between {least:,} and some {most:,} questions, {each}."


def check_controls(prompting: Prompting, controls: Sequence[int], known: Mapping[int, TokenEvidence]) -> None:
    """Make sure that the server repeats well-trained tokens before anything else is asked.

    :param prompting: The served model.
    :param controls: Well-trained tokens.
    :param known: What an interrupted run had verified; controls among it are not asked for again.
    :raises BadInputError: If it repeats too few of them.
    """
    first = [t for t in controls if t not in known][:_FIRST_CONTROLS]
    if not first or prompting.served is None:
        return
    evidence = prompting.verifier.verify(first)
    passed = sum(e.is_shown for e in evidence)
    if passed < CONTROLS_BOUND * len(first):
        found = f"repeats {passed} of {len(first)} well-trained tokens"
        raise BadInputError(
            prompting.served.connection.url, found, "check that it serves this model, with this tokenizer"
        )

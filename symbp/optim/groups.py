"""Groups of parameters: a learning rate or a weight decay of their own, or frozen.

Enters: what users write. Leaves: `symbp.ir.training.Group`; `symbp.language.parts` finds whom they mean.
Must not know: which optimizers exist, networks, targets.

`groups={"offset": {"weight_decay": 0}, "encoder*": {"lr": 1e-4}, "embedding": "frozen"}` is keyed by names of
parameters, patterns as of a shell (`*.W`), several of them with commas between, or what parameters are by
their equations: `offset` (added only), `scale` (an elementwise factor), `weight` (anything else), `table`
(rows are looked up in it). In place of settings, `"sparse"` changes only those rows of a table that have a
gradient, and their moments; `"entries"` has an optimizer of matrices treat a matrix as any other parameter.
Where several say something about a parameter, the last one counts. Numbers are absolute; what the update
reads is their share of the optimizer's own, so that a schedule, or another learning rate, changes all in
proportion.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from symbp.errors import UsageError
from symbp.ir.training import Group

FROZEN = "frozen"
TREATED = {FROZEN: "frozen", "sparse": "sparse", "entries": "as_entries"}
SHARES = {"lr": "lr_share", "weight_decay": "decay_share"}


def read_groups(given: Mapping[str, Any], hyper: Mapping[str, float]) -> tuple[Group, ...]:
    """The groups that a user wrote, for an optimizer with these hyperparameters.

    Raises UsageError: neither `frozen` nor settings, an unknown setting, a negative one, a weight decay where
    the optimizer has none.
    """
    return tuple(_group(key, settings, hyper) for key, settings in given.items())


def _group(key: str, settings: Any, hyper: Mapping[str, float]) -> Group:
    patterns = tuple(part.strip() for part in str(key).split(",") if part.strip())
    if isinstance(settings, str) and settings in TREATED:
        return replace(Group(patterns), **{TREATED[settings]: True})  # type: ignore[arg-type]
    if not isinstance(settings, Mapping) or not settings:
        raise UsageError(
            f'the group {key!r} must be "{FROZEN}" or settings, not {settings!r}',
            help='as in groups={"offset": {"weight_decay": 0}}; "sparse" and "entries" are words, too',
        )
    values = {}
    for name, value in settings.items():
        if name not in SHARES:
            raise UsageError(
                f"the group {key!r} cannot set {name!r}", help=f"a group sets one of: {', '.join(SHARES)}"
            )
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value < 0:
            raise UsageError(f"{name} of the group {key!r} must not be negative, not {value!r}")
        if name == "lr" and value == 0:
            raise UsageError(f"lr of the group {key!r} must be positive", help=f'freeze it: "{FROZEN}"')
        if name in hyper:
            values[SHARES[name]] = float(Fraction(str(value)) / Fraction(str(hyper[name])))
        elif value:
            raise UsageError(
                f"the group {key!r} sets {name}, which the optimizer hasn't",
                help=f"give the optimizer {name}, and 0 to the groups that are to have none",
            )
    return Group(patterns, values)


__all__ = ["FROZEN", "read_groups"]

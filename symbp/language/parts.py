"""Which parameters of a network the groups of an update mean.

Enters: an update rule, a system. Leaves: the rule with a part for each parameter that it changes.
Must not know: which optimizers exist, targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from symbp.errors import UsageError, meant
from symbp.ir.system import System
from symbp.ir.training import Part, UpdateRule
from symbp.language.starts import kind

KINDS = ("offset", "scale", "weight")


def with_parts(rule: UpdateRule, system: System) -> UpdateRule:
    """The rule as it updates the parameters of this system, of which groups may be named or meant by what
    they are. Raises UsageError: a pattern that no parameter matches, nothing left to train."""
    if not rule.groups:
        return rule
    names = [p.name for p in system.parameters]
    for group in rule.groups:
        for pattern in group.patterns:
            _refuse_unmatched(pattern, names)
    parts = []
    for parameter in system.parameters:
        called = (parameter.name, kind(system, parameter))
        groups = [g for g in rule.groups if any(_means(p, *called) for p in g.patterns)]
        values = {leaf: value for group in groups for leaf, value in group.values.items()}
        if not any(group.frozen for group in groups):
            parts.append(Part(parameter.name, tuple(float(values.get(leaf, 1)) for leaf in rule.own)))
    if not parts:
        raise UsageError("all parameters are frozen", help="leave at least one to be trained")
    return replace(rule, parts=tuple(parts))


def _means(pattern: str, name: str, what: str) -> bool:
    return fnmatchcase(name, pattern) or pattern == what


def _refuse_unmatched(pattern: str, names: Sequence[str]) -> None:
    if pattern in KINDS or any(fnmatchcase(name, pattern) for name in names):
        return
    hint = meant(pattern, [*names, *KINDS])
    raise UsageError(
        f"no parameter is named {pattern!r}" + (f": {hint}" if hint else ""),
        help=f"the parameters: {', '.join(names)}; kinds of them: {', '.join(KINDS)}",
    )

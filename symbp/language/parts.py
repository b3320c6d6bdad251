"""Which parameters of a network the groups of an update mean.

Enters: an update rule, a system. Leaves: the rule with a part for each parameter that it changes.
Must not know: which optimizers exist, targets.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from symbp.errors import UsageError, meant
from symbp.ir.system import System, Tensor
from symbp.ir.training import Group, Part, UpdateRule
from symbp.language.start.by_equations import kind
from symbp.language.start.uses import axes_of_rows, is_stacked, is_table, units_are_rows

KINDS = ("offset", "scale", "weight", "table")


def with_parts(rule: UpdateRule, system: System) -> UpdateRule:
    """The rule as it updates the parameters of this system, of which groups may be named or meant by what
    they are, each in its form. Raises UsageError: a pattern that no parameter matches, nothing left to train,
    sparse steps of what has no rows."""
    if not rule.groups and not rule.forms:
        return rule
    names = [p.name for p in system.parameters]
    for group in rule.groups:
        for pattern in group.patterns:
            _refuse_unmatched(pattern, names)
    parts = []
    for parameter in system.parameters:
        kinds = _kinds(system, parameter)
        groups = [g for g in rule.groups if any(_means(p, parameter.name, kinds) for p in g.patterns)]
        values = {leaf: value for group in groups for leaf, value in group.values.items()}
        if not any(group.frozen for group in groups):
            own = tuple(float(values.get(leaf, 1)) for leaf in rule.own)
            parts.append(_formed(Part(parameter.name, own), rule, system, groups, kinds))
    if not parts:
        raise UsageError("all parameters are frozen", help="leave at least one to be trained")
    return replace(rule, parts=tuple(parts))


def matching(system: System, key: str) -> list[str]:
    """The parameters that the patterns of a key mean, with commas between them. Raises UsageError: none."""
    names, found = [p.name for p in system.parameters], dict[str, None]()
    for pattern in filter(None, map(str.strip, key.split(","))):
        _refuse_unmatched(pattern, names)
        found |= {p.name: None for p in system.parameters if _means(pattern, p.name, _kinds(system, p))}
    return list(found)


def _kinds(system: System, parameter: Tensor) -> set[str]:
    """What a parameter is."""
    return {kind(system, parameter), *(["table"] if is_table(system, parameter.name) else [])}


def _formed(
    part: Part, rule: UpdateRule, system: System, groups: Sequence[Group], kinds: Collection[str]
) -> Part:
    """The part in the form that its parameter has: a matrix is a weight, and has two axes or more, apart from
    one along which layers are stacked."""
    if not rule.forms:
        return part
    part = replace(part, stacked=is_stacked(system, part.parameter))
    matrix = len(system.tensor(part.parameter).shape) - part.stacked > 1
    if any(group.sparse for group in groups):
        if not matrix:
            raise UsageError(
                f"{part.parameter} has no rows of which a sparse step could leave some",
                help='sparse steps are for tables: groups={"table": "sparse"}',
            )
        return replace(part, form="rows", sparse=True)
    if not matrix or {"offset", "scale"}.intersection(kinds) or any(group.as_entries for group in groups):
        return part
    part = replace(part, axes_of_rows=axes_of_rows(system, part.parameter, part.stacked))
    if "matrix" not in rule.forms:  # rows are for sparse steps alone
        return part
    by_rows = "rows" in rule.forms and units_are_rows(system, part.parameter, part.stacked)
    return replace(part, form="rows" if by_rows else "matrix")


def _means(pattern: str, name: str, kinds: Collection[str]) -> bool:
    return fnmatchcase(name, pattern) or pattern in kinds


def _refuse_unmatched(pattern: str, names: Sequence[str]) -> None:
    if pattern in KINDS or any(fnmatchcase(name, pattern) for name in names):
        return
    hint = meant(pattern, [*names, *KINDS])
    raise UsageError(
        f"no parameter is named {pattern!r}" + (f": {hint}" if hint else ""),
        help=f"the parameters: {', '.join(names)}; kinds of them: {', '.join(KINDS)}",
    )

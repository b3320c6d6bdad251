"""Equal definitions are computed once: forward equations that differ only in the names of their indices.

Enters: a system. Leaves: the system without the duplicates, and what became of each.
Must not know: values (that is `derive.proof.values`); here equality is of form.
"""

from __future__ import annotations

from symbp.derive.rules.rule import Change
from symbp.ir.expr import Index, rename
from symbp.ir.groups import groups
from symbp.ir.system import Equation, System


def merge_duplicates(system: System) -> tuple[System, list[Change]]:
    """Hidden tensors with the same definition become one; a tensor that a user asked for keeps its name."""
    changes: list[Change] = []
    names: dict[str, str] = {}
    first: dict[object, str] = {}
    asked = set(system.asked)
    kept: dict[str, Equation] = {}
    cyclic = {e.target for group in groups(system) if group.loop for e in group.equations}
    for equation in system.equations:
        equation = equation.with_(
            body=rename(equation.body, names), where=tuple(rename(g, names) for g in equation.where)
        )
        key = canonical(equation)
        twin = first.get(key)
        if twin is None or equation.target in cyclic or (equation.target in asked and twin in asked):
            first.setdefault(key, equation.target)
            kept[equation.target] = equation
            continue
        spare, chosen = (equation.target, twin) if equation.target not in asked else (twin, equation.target)
        names[spare] = chosen
        if spare == twin:  # the name asked for takes the place of the earlier, hidden one
            kept = {chosen if n == spare else n: _renamed(e, spare, chosen) for n, e in kept.items()}
            first = {k: chosen if n == spare else n for k, n in first.items()}
        read = system.at(chosen, *equation.indices)
        changes.append(
            Change(
                chosen,
                (equation.with_(target=spare),),
                (equation.with_(target=spare, body=read, reduction=None, where=(), ranges=equation.shape),),
                (chosen,),
                (f"{{{spare}}}", f"{{{chosen}}}"),
            )
        )
    tensors = tuple(t for t in system.tensors if t.name in kept or t.name not in system.defining)
    return system.with_(tensors=tensors, equations=tuple(kept.values())), changes


def _renamed(equation: Equation, old: str, new: str) -> Equation:
    target = new if equation.target == old else equation.target
    names = {old: new}
    where = tuple(rename(g, names) for g in equation.where)
    return equation.with_(target=target, body=rename(equation.body, names), where=where)


def canonical(equation: Equation) -> object:
    """The definition up to the names of its indices."""
    short = {index: Index(f"_{k}") for k, index in enumerate(equation.all_indices)}
    op = None if equation.reduction is None else (equation.reduction.op, equation.reduction.component)
    where = tuple(guard.xreplace(short) for guard in equation.where)
    return equation.body.xreplace(short), op, len(equation.indices), where, equation.ranges, equation.constant

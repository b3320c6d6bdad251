"""A system as a JavaScript function: every tensor in the order of evaluation, recurrences as loops.

Enters: a system. Leaves: text. Must not know: how an expression is spelled, or who calls the function.

`equations(v, size, put, all)` reads the leaves in `v`, flat arrays in row-major order by name, and puts every
tensor beside them; without `all` only what the loss needs. Each element passes through `put(name, place,
value)`, so that one can be nudged and whatever reads it follows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from symbp.errors import GenerationError
from symbp.explain.script.expressions import ADDED, Expressions, identifier, index_name
from symbp.ir.expr import Expr, Index
from symbp.ir.groups import Group, groups
from symbp.ir.system import Equation, System

WORDS = """
arguments await break case catch class const continue debugger default delete do else enum eval export extends
false finally for function if implements import in instanceof interface let new null package private protected
public return static super switch this throw true try typeof var void while with yield
undefined NaN Infinity Math v size put all array inside modulo roundedToEven argmax
"""
RESERVED = frozenset(WORDS.split()) | frozenset(ADDED)


@dataclass(frozen=True)
class Script:
    """The text of the function, and the tensors that it defines in their order."""

    text: str
    targets: tuple[str, ...]


def script(system: System) -> Script:
    """The function that computes a system. Raises GenerationError: a system that JavaScript can't compute."""
    return _Program(system).script()


class _Program:
    def __init__(self, system: System) -> None:
        self.system = system
        self.names: dict[str, str] = {}
        taken = set(RESERVED)
        for name in (*system.sizes, *(t.name for t in system.tensors)):
            own = identifier(name)
            while own in taken:
                own += "_"
            taken.add(own)
            self.names[name] = own
        self.taken = taken

    def script(self) -> Script:
        """Sizes, leaves, room for what is computed, then the groups."""
        system, ordered = self.system, groups(self.system)
        leaves = [t.name for t in system.leaves]
        targets = [e.target for group in ordered for e in group.equations]
        lines = [f"const {self.names[n]} = size[{json.dumps(n)}];" for n in system.sizes]
        lines += [f"const {self.names[n]} = v[{json.dumps(n)}];" for n in leaves]
        for name in targets:
            extents = ", ".join(self.plain.value(e) for e in system.tensor(name).shape)
            lines.append(f"const {self.names[name]} = v[{json.dumps(name)}] = array([{extents}]);")
        needed = set(system.resting([system.loss]) if system.loss else targets)
        for is_needed, run in groupby(ordered, lambda g: not needed.isdisjoint(g.targets)):
            written = [line for group in run for line in self.group(group, {})]
            lines += written if is_needed else ["if (all) {", *_indented(written), "}"]
        whole = ["function equations(v, size, put, all) {", *_indented(lines), "}"]
        return Script("\n".join(whole) + "\n", tuple(targets))

    @property
    def plain(self) -> Expressions:
        return Expressions(self.system.by_name, self.names, {}, {})

    def group(self, group: Group, fixed: Mapping[str, Mapping[int, str]]) -> Iterator[str]:
        """A group at the given positions of the loops around it (`fixed[target][axis]`)."""
        if group.loop is None:
            yield from self.equation(group.equations[0], fixed.get(group.equations[0].target, {}))
            return
        axis = group.loop.axis
        lengths = {e.target: self.plain.value(e.ranges[axis[e.target]]) for e in group.equations}
        different = list(dict.fromkeys(lengths.values()))
        around = {name for places in fixed.values() for name in places.values()}
        step = index_name(group.loop_index(group.equations[0]), self.taken | around)
        longest = different[0] if len(different) == 1 else f"Math.max({', '.join(different)})"
        yield (
            f"for (let {step} = 0; {step} < {longest}; {step}++) {{"
            if group.loop.step > 0
            else f"for (let {step} = {longest} - 1; {step} >= 0; {step}--) {{"
        )
        inside = {n: {**fixed.get(n, {}), axis[n]: step} for n in group.targets}
        for inner in group.inner:
            written = list(self.group(inner, inside))
            shorter = dict.fromkeys(lengths[n] for n in inner.targets if lengths[n] != longest)
            if shorter:
                holds = " && ".join(f"{step} < {length}" for length in shorter)
                written = [f"if ({holds}) {{", *_indented(written), "}"]
            yield from _indented(written)
        yield "}"

    def equation(self, equation: Equation, fixed: Mapping[int, str]) -> Iterator[str]:
        """Loops over the target's axes around the assignment of an element."""
        if equation.leaf is not None or equation.op == "argsort":
            raise GenerationError(f"the page's script can't compute {equation.op}", details=(str(equation),))
        indices: dict[Index, str] = {}
        heads = []
        for at, index in enumerate(equation.indices):
            if at in fixed:
                indices[index] = fixed[at]
                continue
            name = index_name(index, self.taken | set(fixed.values()) | set(indices.values()))
            indices[index] = name
            heads.append(f"for (let {name} = 0; {name} < {self.plain.value(equation.ranges[at])}; {name}++)")
        spelled = Expressions(self.system.by_name, self.names, indices, self._extents(equation, indices))
        target = equation.target
        place = spelled.place(self.system.tensor(target).shape, [indices[i] for i in equation.indices])
        value = self.value(equation, spelled)
        assigned = f"{self.names[target]}[{place}] = put({json.dumps(target)}, {place}, {value});"
        yield " ".join([*heads, assigned])

    def value(self, equation: Equation, spelled: Expressions) -> str:
        """The right-hand side."""
        if equation.reduction is None:
            return spelled.value(equation.body)
        op = equation.reduction.op
        component = equation.reduction.component if op == "argmax" else None
        return spelled.reduction(
            op, equation.reduced, equation.extents, equation.where, equation.body, component
        )

    def _extents(self, equation: Equation, indices: Mapping[Index, str]) -> dict[Index, Expr]:
        return {index: extent for index, extent in equation.extents.items() if index in indices}


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]

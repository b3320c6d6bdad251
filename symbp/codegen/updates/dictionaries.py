"""An optimizer's update as statements on dictionaries of arrays.

Enters: the equations of a rule over one generic parameter. Leaves: statements for each step, and for each
parameter. Must not know: networks, targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symbp.codegen import infer
from symbp.codegen.arrays import Frame, Variable, right_hand_side
from symbp.codegen.names import Names
from symbp.codegen.printer import text
from symbp.codegen.tree import Assign, Expression, Statement, Subscript
from symbp.errors import GenerationError
from symbp.ir.system import Role
from symbp.ir.training import GRADIENT, STEP, THETA, UpdateRule


@dataclass(frozen=True)
class Update:
    """What an update of the parameters consists of: its `settings` with their values, its `moments`, what is
    computed once for each step (`flat` where that reads all gradients together), and for each parameter;
    `own` are dictionaries of numbers, one for each parameter, and `trained` names the parameters that it
    changes, where some are frozen."""

    name: str
    settings: tuple[tuple[str, float], ...]
    moments: tuple[str, ...]
    once: tuple[Statement, ...]
    each: tuple[Statement, ...]
    flat: bool
    own: tuple[tuple[str, Mapping[str, float]], ...] = ()
    trained: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[Statement, ...]:
        return self.once + self.each


def update(rule: UpdateRule, taken: Iterable[str], parameters: Sequence[str] = ()) -> Update:
    """The update rule's equations on dictionaries of arrays, where `name` is the key of a parameter.

    Raises GenerationError: a rule that reads norms of parameters, or keeps what would be dropped.
    """
    parts = rule.parts_of(parameters)
    _refuse_unwritable(rule)
    own, system, names = rule.own, rule.of_one().system, Names(taken)
    key = infer.name("name", (), "object")
    variables: dict[str, Variable] = {}
    tables = {THETA: "params", **{m: names.give(m) for m in (*rule.moments, *own)}}
    for tensor in system.tensors:
        if tensor.name in tables:
            table = infer.name(tables[tensor.name], (), "object")
            node: Expression = Subscript(tensor.shape, "real", table, (key,))
        elif tensor.name in (GRADIENT, STEP):
            node = infer.name(tensor.name, tensor.shape, "integer" if tensor.integer else "real")
        else:
            node = infer.name(names.give(tensor.name), tensor.shape)
        variables[tensor.name] = Variable(node)
    for old, new in system.updates.items():
        later = [e for e in system.equations if e.target != new][_position(system.equations, new) :]
        if not any(old in e.read_names for e in later):
            variables[new] = variables[old]
    frame = Frame(variables, {})
    summed = [e for e in system.equations if e.reduction is not None]
    whole = Frame({**variables, GRADIENT: Variable(infer.name("flat", variables[GRADIENT].shape))}, {})
    once: list[Statement] = []
    each: list[Statement] = []
    for e in system.equations:
        value = right_hand_side(e, whole if e in summed else frame, False)
        (each if e.indices or e.target in rule.own_numbers else once).append(
            Assign(variables[e.target].node, value.node, "")
        )
    for old, new in system.updates.items():
        if variables[old] is not variables[new]:
            each.append(Assign(variables[old].node, variables[new].node))
    settings = tuple((text(variables[h.name].node), rule.hyper[h.name]) for h in system.with_role(Role.HYPER))
    return Update(
        rule.name,
        settings,
        tuple(tables[m] for m in rule.moments),
        tuple(once),
        tuple(each),
        bool(summed),
        tuple((tables[leaf], {p.parameter: p.values[k] for p in parts}) for k, leaf in enumerate(own)),
        tuple(p.parameter for p in parts) if len(parts) < len(parameters) else (),
    )


def _refuse_unwritable(rule: UpdateRule) -> None:
    """Refuses a rule of whose equations some have no statements here."""
    compiled = "choose the target numpy or numba"
    if rule.shaped:
        why = (
            "equations of their own for matrices or rows" if rule.forms else "moments of shapes of their own"
        )
        raise GenerationError(
            f"a plain module updates all parameters alike, and {rule.name} here has {why}",
            help=f"{compiled}, or an optimizer of entries without max_norm and sparse groups",
        )
    if rule.follow:
        raise GenerationError(
            "a plain module has a rate by the step alone, not one that follows the loss of epochs",
            help=f"{compiled}, or another schedule",
        )
    if rule.own_sums:
        raise GenerationError(
            f"a plain module has no {rule.name}, which reads the norm of each parameter",
            help="choose the target numpy or numba, or an optimizer that treats all entries alike",
        )
    dropped = _only_kept(rule)
    if dropped:
        raise GenerationError(
            f"a plain module returns parameters, and would drop {dropped[0]}, which {rule.name} keeps beside",
            help="choose the target numpy or numba: their state has it among the moments",
        )
    if any(set(rule.moments) & set(e.read_names) for e in rule.system.equations if e.reduction):
        raise GenerationError(
            f"a plain module has no sum over the entries of what {rule.name} keeps from step to step",
            help="choose the target numpy or numba, or leave clip_norm or accumulate out",
        )


def _only_kept(rule: UpdateRule) -> list[str]:
    """The moments on which no parameter rests: they are kept for whoever looks at them."""
    system = rule.system
    source = system.updates
    needed, stack = set[str](), [source[THETA]]
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            stack += [*system.defining[name].read_names] if name in system.defining else []
            stack += [source[name]] if name in source else []
    return [moment for moment in rule.moments if moment not in needed]


def _position(equations: Sequence[object], name: str) -> int:
    return next(k for k, e in enumerate(equations) if e.target == name)  # type: ignore[attr-defined]

"""The functions of a plain module as trees: the loss and its gradients, outputs, starting values, the update.

Enters: a sheet. Leaves: definitions and statements. Must not know: layout, files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from symbp.codegen import infer
from symbp.codegen.arrays import Frame, Variable, right_hand_side
from symbp.codegen.arrays.bodies import length, real
from symbp.codegen.printer import INDENT, WIDTH
from symbp.codegen.tree import Assign, Attribute, Define, Expression, Name, Return, Statement, Subscript
from symbp.errors import GenerationError
from symbp.ir.expr import Expr, Size, free_sizes
from symbp.ir.system import Role, Tensor
from symbp.ir.training import GRADIENT, STEP, THETA, Initial, UpdateRule
from symbp.targets.plain.lines import Sheet, statements
from symbp.targets.plain.names import Names

DATA = (Role.INPUT, Role.TARGET)
KEPT: Mapping[Role, str] = {Role.PARAMETER: "params", Role.BUFFER: "buffers"}
RISKY = frozenset(("/", "**")), frozenset(("np.exp", "np.log", "np.sqrt"))


def used_names(body: Iterable[Statement]) -> set[str]:
    """The identifiers that statements mention."""
    return {node.id for statement in body for node in statement.walk() if isinstance(node, Name)}


def function(
    sheet: Sheet, name: str, wanted: Sequence[str], result: Expression, doc: Sequence[str]
) -> Define:
    """A function of parameters and data that computes what is wanted and gives the result."""
    body = statements(sheet, list(dict.fromkeys(wanted)))
    leaves = [t for t in sheet.system.leaves if t.role is not Role.HYPER]
    used = used_names([*body, Return(result)])
    read = [t for t in leaves if sheet.tensors[t.name] in used]
    head = [*_unpacked(sheet, read), *sizes_of(sheet, used, read)]
    kept = [
        infer.name(word, (), "object") for role, word in KEPT.items() if any(t.role is role for t in read)
    ]
    data = [variable(sheet, t) for t in read if t.role not in KEPT]
    return Define(name, (*kept, *data), tuple(doc), (*head, *body, Return(result)))


def variable(sheet: Sheet, tensor: Tensor) -> Name:
    """The variable of a tensor."""
    node = sheet.frame.variables[tensor.name].node
    assert isinstance(node, Name)
    return node


def _unpacked(sheet: Sheet, read: Sequence[Tensor]) -> list[Statement]:
    """Parameters and buffers out of their dictionaries, a few in each line."""
    found: list[Statement] = []
    for role, word in KEPT.items():
        table = infer.name(word, (), "object")
        left = [t for t in read if t.role is role]
        while left:
            count = len(left)
            while count > 1 and _width(sheet, left[:count], word) > WIDTH - len(INDENT):
                count -= 1
            few, left = left[:count], left[count:]
            targets = [variable(sheet, t) for t in few]
            values = [
                Subscript(v.shape, v.dtype, table, (infer.quoted(t.name),))
                for v, t in zip(targets, few, strict=True)
            ]
            if count == 1:
                found.append(Assign(targets[0], values[0]))
            else:
                found.append(Assign(infer.tuple_of(*targets), infer.tuple_of(*values)))
    return found


def _width(sheet: Sheet, few: Sequence[Tensor], word: str) -> int:
    """The columns that a line takes which unpacks some parameters."""
    return sum(len(sheet.tensors[t.name]) + len(t.name) + len(word) + 8 for t in few) - 1


def sizes_of(sheet: Sheet, used: Iterable[str], read: Sequence[Tensor]) -> list[Statement]:
    """Lines that read open sizes off the shapes of arrays, then those of lengths that are formulas."""
    names = {identifier: name for name, identifier in sheet.sizes.items()}
    needed = {names[word] for word in used if word in names}
    formulas = {size.name: formula for size, formula in sheet.frame.formulas.items() if size.name in needed}
    for formula in formulas.values():
        needed |= {size.name for size in free_sizes(formula)}
    opened = [n for n in sheet.system.sizes if n in needed and n not in sheet.system.bound]
    found: list[Statement] = []
    while opened:
        tensor = max(read, key=lambda t: _gives(t, opened), default=None)
        if tensor is None or not _gives(tensor, opened):
            raise GenerationError(
                f"the size {opened[0]} is the length of no axis of a parameter or an input",
                help=f"give it a value: sizes={{{opened[0]!r}: …}}",
            )
        found.append(_opened(sheet, tensor, opened))
        opened = [n for n in opened if Size(n) not in tensor.shape]
    for name, formula in formulas.items():
        found.append(Assign(sheet.frame.size(Size(name)), length(formula, sheet.frame)))
    return found


def _gives(tensor: Tensor, opened: Sequence[str]) -> int:
    return sum(Size(name) in tensor.shape for name in opened)


def _opened(sheet: Sheet, tensor: Tensor, opened: Sequence[str]) -> Statement:
    """`N, T = x.shape`, or `N = x.shape[0]`."""
    array = variable(sheet, tensor)
    shape = Attribute((), "object", array, "shape")
    places = {n: tensor.shape.index(Size(n)) for n in opened if Size(n) in tensor.shape}
    ordered = sorted(places, key=places.__getitem__)
    targets = [sheet.frame.size(Size(n)) for n in ordered]
    values = [Subscript((), "integer", shape, (infer.number(places[n]),)) for n in ordered]
    if len(places) == len(tensor.shape) > 1:
        return Assign(infer.tuple_of(*targets), shape)
    if len(targets) == 1:
        return Assign(targets[0], values[0])
    return Assign(infer.tuple_of(*targets), infer.tuple_of(*values))


def loss_and_gradients(sheet: Sheet) -> Define:
    """The loss, its derivative by each parameter, and the next values of buffers where there are some."""
    derivation, system = sheet.reading.derivation, sheet.system
    assert system.loss is not None
    variables = {t.name: variable(sheet, t) for t in system.tensors}
    results: list[Expression] = [variables[system.loss]]
    results.append(infer.table((key, variables[name]) for key, name in derivation.gradients.items()))
    words = "The loss, and its derivative by each parameter."
    if system.updates:
        results.append(infer.table((key, variables[name]) for key, name in system.updates.items()))
        words = "The loss, its derivative by each parameter, and the next values of buffers."
    wanted = [system.loss, *derivation.gradients.values(), *system.updates.values()]
    return function(sheet, "loss_and_gradients", wanted, infer.tuple_of(*results), [words])


# --- starting values
def initial_parameters(sheet: Sheet, initial: Mapping[str, Initial]) -> Define:
    """Every parameter's starting value."""
    entries = [
        (t.name, _start(sheet, t, initial.get(t.name, Initial("constant")))) for t in sheet.system.parameters
    ]
    result = infer.table(entries)
    used = used_names([Return(result)])
    open_ = [n for n in sheet.system.sizes if sheet.sizes[n] in used and n not in sheet.system.bound]
    arguments = (infer.name("rng", (), "object"), *(_size(sheet, n) for n in open_))
    doc = ("The parameters' starting values.",)
    return Define("initial_parameters", arguments, doc, (Return(result),))


def _size(sheet: Sheet, name: str) -> Name:
    return infer.name(sheet.sizes[name], (), "integer")


def _start(sheet: Sheet, parameter: Tensor, start: Initial) -> Expression:
    frame = sheet.frame
    renamed = {Size(old): Size(new) for old, new in sheet.reading.sizes.items()}
    start = replace(start, scale=start.scale.xreplace(renamed), shift=start.shift.xreplace(renamed))
    sizes = infer.sizes_of(length(e, frame) for e in parameter.shape)
    shape = parameter.shape
    if start.distribution in ("mean", "deviation"):
        raise GenerationError(
            f"{parameter.name} starts at a {start.distribution} of the data, which plain code doesn't measure",
            help="leave out --standardise, or choose another target",
        )
    if start.distribution == "constant" or start.scale == 0:
        value = start.shift + (start.scale if start.distribution == "constant" else 0)
        if value == 0:
            return infer.call("np.zeros", sizes, shape=shape)
        return infer.call("np.full", sizes, real(value, frame).node, shape=shape)
    if start.distribution == "normal":
        node: Expression = infer.call("rng.standard_normal", sizes, shape=shape)
    else:
        node = infer.call("rng.uniform", infer.number(-1), infer.number(1), sizes, shape=shape)
    if start.scale != 1:
        node = infer.binary("*", _scale(start.scale, frame), node)
    if start.shift != 0:
        node = infer.binary("+", node, real(start.shift, frame).node)
    for fact, made in (
        ("symmetric", "symmetric"),
        ("lower triangular", "np.tril"),
        ("upper triangular", "np.triu"),
    ):
        node = infer.call(made, node, shape=shape) if parameter.fact(fact) else node
    return node


def _scale(scale: Expr, frame: Frame) -> Expression:
    """`np.sqrt(6 / (D + H))`, where SymPy holds √6/√(D + H)."""
    square = sympy.expand(scale**2)
    roots = any(p.exp.is_Rational and not p.exp.is_integer for p in scale.atoms(sympy.Pow))
    if roots and scale.is_positive and not any(not p.exp.is_integer for p in square.atoms(sympy.Pow)):
        return infer.elementwise("np.sqrt", real(sympy.factor_terms(square), frame).node)
    return real(scale, frame).node


# --- the update
@dataclass(frozen=True)
class Update:
    """What an update of the parameters consists of: its `settings` with their values, its `moments`, what is
    computed once for each step (`flat` where that reads all gradients together), and for each parameter."""

    name: str
    settings: tuple[tuple[str, float], ...]
    moments: tuple[str, ...]
    once: tuple[Statement, ...]
    each: tuple[Statement, ...]
    flat: bool

    @property
    def statements(self) -> tuple[Statement, ...]:
        return self.once + self.each


def update(rule: UpdateRule, taken: Iterable[str]) -> Update:
    """The update rule's equations on dictionaries of arrays, where `name` is the key of a parameter."""
    system, names = rule.system, Names(taken)
    key = infer.name("name", (), "object")
    variables: dict[str, Variable] = {}
    tables = {THETA: "params", **{m: names.give(m) for m in rule.moments}}
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
    for k, e in enumerate(system.equations, 1):
        value = right_hand_side(e, whole if e in summed else frame, False)
        (each if e.indices else once).append(Assign(variables[e.target].node, value.node, ""))
    for old, new in system.updates.items():
        if variables[old] is not variables[new]:
            each.append(Assign(variables[old].node, variables[new].node))
    settings = tuple((variables[h.name].node.id, rule.hyper[h.name]) for h in system.with_role(Role.HYPER))
    return Update(
        rule.name, settings, tuple(tables[m] for m in rule.moments), tuple(once), tuple(each), bool(summed)
    )


def _position(equations: Sequence[object], name: str) -> int:
    return next(k for k, e in enumerate(equations) if e.target == name)  # type: ignore[attr-defined]

"""The functions of a plain module as trees: the loss and its gradients, outputs, starting values, the update.

Enters: a sheet. Leaves: definitions and statements. Must not know: layout, files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.codegen import infer
from symbp.codegen.arrays import Frame, Variable, right_hand_side
from symbp.codegen.arrays.bodies import length, real
from symbp.codegen.printer import INDENT, WIDTH, text
from symbp.codegen.tree import (
    Assign,
    Attribute,
    Binary,
    Call,
    Constant,
    Define,
    Expression,
    Name,
    Node,
    Return,
    Statement,
    Subscript,
)
from symbp.errors import GenerationError
from symbp.ir.expr import Expr, Size, free_sizes
from symbp.ir.system import Role, Tensor
from symbp.ir.training import GRADIENT, STEP, THETA, Initial, UpdateRule
from symbp.targets.plain.lines import Sheet, statements
from symbp.targets.plain.names import Names

DATA = (Role.INPUT, Role.TARGET)
KEPT: Mapping[Role, str] = {Role.PARAMETER: "params", Role.BUFFER: "buffers"}
RISKY = frozenset(
    ("/", "**", "np.exp", "np.log", "np.sqrt", "np.arcsin", "np.arccos", "np.arctanh", "np.tan")
)
SAFE = frozenset(("softmax", "np.logaddexp.reduce", ".max"))
"""Functions of what may be -inf, by design."""
MADE = {"symmetric": "symmetric", "lower triangular": "np.tril", "upper triangular": "np.triu"}
"""How what was drawn gets a fact."""


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
    quiet = infer.call("np.errstate", shape=(), dtype="object", more={"all": infer.quoted("ignore")})
    above = quiet if any(warns(statement) for statement in body) else None
    return Define(name, (*kept, *data), tuple(doc), (*head, *body, Return(result)), above)


def warns(node: Node, untaken: bool = False) -> bool:
    """Whether NumPy may warn of what is computed and not taken, or of an infinity that is meant."""
    word = node.name if isinstance(node, Call) else node.op if isinstance(node, Binary) else ""
    if isinstance(node, Binary) and (
        not node.right.shape or (node.op == "**" and isinstance(node.right, Constant))
    ):
        word = ""
    if untaken and word in RISKY:
        return True
    if isinstance(node, Constant):
        return "np.inf" in node.text
    if isinstance(node, Call) and word in SAFE and isinstance(node.arguments[0], Call):
        masked = node.arguments[0]
        if masked.name == "np.where":
            return any(warns(n, True) for n in masked.arguments[:2])
    inside = untaken or word in ("np.where", "taken")
    return any(warns(child, inside) for child in node.children)


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
    pairs = [(sheet.frame.size(Size(n)), length(formula, sheet.frame)) for n, formula in formulas.items()]
    for k in range(0, len(pairs), 3):
        targets, values = zip(*pairs[k : k + 3], strict=True)
        one = len(targets) == 1
        found.append(
            Assign(
                targets[0] if one else infer.tuple_of(*targets), values[0] if one else infer.tuple_of(*values)
            )
        )
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
    frame, shape = sheet.frame, parameter.shape
    renamed = {Size(old): Size(new) for old, new in sheet.reading.sizes.items()}
    scale, shift = start.scale.xreplace(renamed), start.shift.xreplace(renamed)
    sizes = infer.sizes_of(length(e, frame) for e in shape)
    if start.distribution in ("mean", "deviation"):
        raise GenerationError(
            f"{parameter.name} starts at the {start.distribution} of data, which plain code doesn't measure",
            help="leave out --standardise, or choose another target",
        )
    if start.distribution == "constant" or scale == 0:
        value = shift + (scale if start.distribution == "constant" else 0)
        if value in (0, 1):
            return infer.call("np.ones" if value == 1 else "np.zeros", sizes, shape=shape)
        full = infer.number(float(value)) if value.is_Integer else real(value, frame).node
        return infer.call("np.full", sizes, full, shape=shape)
    if start.distribution == "normal":
        node: Expression = infer.call("rng.standard_normal", sizes, shape=shape)
    else:
        node = infer.call("rng.uniform", infer.number(-1), infer.number(1), sizes, shape=shape)
    node = node if scale == 1 else infer.binary("*", _scale(scale, frame), node)
    node = node if shift == 0 else infer.binary("+", node, real(shift, frame).node)
    for fact, made in MADE.items():
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
    for e in system.equations:
        value = right_hand_side(e, whole if e in summed else frame, False)
        (each if e.indices else once).append(Assign(variables[e.target].node, value.node, ""))
    for old, new in system.updates.items():
        if variables[old] is not variables[new]:
            each.append(Assign(variables[old].node, variables[new].node))
    settings = tuple((text(variables[h.name].node), rule.hyper[h.name]) for h in system.with_role(Role.HYPER))
    return Update(
        rule.name, settings, tuple(tables[m] for m in rule.moments), tuple(once), tuple(each), bool(summed)
    )


def _position(equations: Sequence[object], name: str) -> int:
    return next(k for k, e in enumerate(equations) if e.target == name)  # type: ignore[attr-defined]

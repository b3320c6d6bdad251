"""The functions of a plain module as trees: the loss and its gradients, outputs, starting values, the update.

Enters: a sheet. Leaves: definitions and statements. Must not know: layout, files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symbp.codegen import infer
from symbp.codegen.arrays.bodies import length
from symbp.codegen.printer import INDENT, WIDTH, text
from symbp.codegen.starts import starting_value
from symbp.codegen.statements import Sheet, statements
from symbp.codegen.tree import (
    Assign,
    Attribute,
    Define,
    Expression,
    Name,
    Return,
    Statement,
    Subscript,
)
from symbp.codegen.warnings import warns
from symbp.errors import GenerationError
from symbp.ir.expr import Size, free_sizes
from symbp.ir.system import Role, Tensor
from symbp.ir.training import Initial

DATA = (Role.INPUT, Role.TARGET)
KEPT: Mapping[Role, str] = {Role.PARAMETER: "params", Role.BUFFER: "buffers"}


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
    given = [t for t in read if t.role not in KEPT]
    data = [variable(sheet, t) for t in sorted(given, key=lambda t: t.role is Role.RANDOM)]
    quiet = infer.call("np.errstate", shape=(), dtype="object", more={"all": infer.quoted("ignore")})
    above = quiet if any(warns(statement) for statement in body) else None
    return Define(name, (*kept, *data), tuple(doc), (*head, *body, Return(result)), above)


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


def evaluate(sheet: Sheet) -> Define:
    """The loss and the metrics at inference."""
    system = sheet.system
    wanted = {**({"loss": system.inference.get(system.loss, system.loss)} if system.loss else {})}
    wanted |= {name: name for name in system.metrics if name not in wanted.values()}
    return _results(sheet, "evaluate", wanted, "The loss and the metrics, as at inference.")


def predict(sheet: Sheet) -> Define:
    """The outputs at inference."""
    system = sheet.system
    wanted = {name: system.inference.get(name, name) for name in system.outputs}
    return _results(sheet, "predict", wanted, "The outputs, as at inference.")


def _results(sheet: Sheet, name: str, wanted: Mapping[str, str], words: str) -> Define:
    result = infer.table((key, variable(sheet, sheet.system.tensor(t))) for key, t in wanted.items())
    return function(sheet, name, list(wanted.values()), result, [words])


# --- starting values, random tensors
DRAWS = {"normal": "rng.standard_normal", "uniform": "rng.random", "bernoulli": "rng.random"}


def draw(sheet: Sheet) -> Define:
    """All random tensors of a step, in the order in which the loss takes them."""
    tensors = sheet.system.random
    results: list[Expression] = []
    for tensor in tensors:
        assert tensor.draw is not None
        shape = variable(sheet, tensor).shape
        sizes = infer.sizes_of(length(e, sheet.frame) for e in shape)
        node: Expression = infer.call(DRAWS[tensor.draw.kind], sizes, shape=shape)
        if tensor.draw.kind == "bernoulli":
            node = infer.binary("*", infer.number(1.0), infer.binary("<", node, infer.number(tensor.draw.p)))
        results.append(node)
    result = Return(infer.list_of(*results))
    leaves = [t for t in sheet.system.leaves if t.role in (Role.PARAMETER, *DATA)]
    head = sizes_of(sheet, used_names([result]), leaves)
    used = used_names([*head, result])
    read = [t for t in leaves if sheet.tensors[t.name] in used]
    kept = [infer.name("params", (), "object")] if any(t.role is Role.PARAMETER for t in read) else []
    data = [variable(sheet, t) for t in read if t.role in DATA]
    arguments = (infer.name("rng", (), "object"), *kept, *data)
    return Define(
        "draw", arguments, ("What is random in one step.",), (*_unpacked(sheet, read), *head, result)
    )


def starting_values(
    sheet: Sheet, name: str, tensors: Sequence[Tensor], initial: Mapping[str, Initial], words: str
) -> Define:
    """What tensors that are kept start as."""
    starts = [(t.name, initial.get(t.name, Initial("constant"))) for t in tensors]
    known = {t.name: t for t in tensors}
    entries = [
        (key, starting_value(known[key], start, sheet.frame, sheet.reading.sizes)) for key, start in starts
    ]  # fmt: skip
    result = Return(infer.table(entries))
    used = used_names([result])
    open_ = [n for n in sheet.system.sizes if sheet.sizes[n] in used and n not in sheet.system.bound]
    arguments = [infer.name("rng", (), "object")] if "rng" in text(result) else []
    arguments += [infer.name(sheet.sizes[n], (), "integer") for n in open_]
    return Define(name, tuple(arguments), (words,), (result,))

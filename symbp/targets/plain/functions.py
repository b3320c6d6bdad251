"""The functions of a plain module as trees: the loss and its gradients, outputs, starting values, the update.

Enters: a sheet. Leaves: definitions and statements. Must not know: layout, files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbp.codegen import infer
from symbp.codegen.arguments import DATA, KEPT, showing, sizes_of, unpacked, used_names, variable
from symbp.codegen.arrays.bodies import length
from symbp.codegen.printer import text
from symbp.codegen.starts import starting_value
from symbp.codegen.statements import Sheet, statements
from symbp.codegen.tree import Define, Effect, Expression, Return, Statement
from symbp.codegen.warnings import warns
from symbp.ir.axes.lengths import lengths_of_reads
from symbp.ir.expr import Size, free_sizes
from symbp.ir.system import Role, Tensor
from symbp.ir.training import Initial


def function(
    sheet: Sheet,
    name: str,
    wanted: Sequence[str],
    result: Expression,
    doc: Sequence[str],
    *,
    every: bool = False,
) -> Define:
    """A function of parameters and data that computes what is wanted and gives the result; of `every` one
    that is declared, or of those that it reads."""
    body = statements(sheet, list(dict.fromkeys(wanted)))
    leaves = [t for t in sheet.system.leaves if t.role is not Role.HYPER]
    used = used_names([*body, Return(result)])
    read = [t for t in leaves if sheet.tensors[t.name] in used]
    read = showing(sheet, used, read, leaves)
    checks = _checks(sheet, read)
    head = [*unpacked(sheet, read), *sizes_of(sheet, used | used_names(checks), read), *checks]
    taken = [t.role for t in (leaves if every else read)]
    kept = [infer.word(word) for role, word in KEPT.items() if role in taken]
    given = [t for t in leaves if (every and t.role in DATA) or (t in read and t.role not in KEPT)]
    data = [variable(sheet, t) for t in sorted(given, key=lambda t: t.role is Role.RANDOM)]
    quiet = infer.call("np.errstate", shape=(), dtype="object", more={"all": infer.quoted("ignore")})
    above = quiet if any(warns(statement) for statement in body) else None
    return Define(name, (*kept, *data), tuple(doc), (*head, *body, Return(result)), above)


def _checks(sheet: Sheet, read: Sequence[Tensor]) -> list[Statement]:
    """A line that refuses data of which a slice would be shorter than it was declared, where there may be
    some; of sizes that what is read shows."""
    named = {Size(name): Size(other) for name, other in sheet.reading.sizes.items()}
    shown = {*(e for t in read for e in t.shape), *map(Size, sheet.system.bound)}
    lengths = [e.xreplace(named) for e in lengths_of_reads(sheet.reading.derivation.declared)]
    rooms = [length(e, sheet.frame) for e in lengths if free_sizes(e) <= shown]
    return [Effect(infer.called("long_enough", *rooms))] if rooms else []


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
    result = infer.tuple_of(*results)
    return function(sheet, "loss_and_gradients", wanted, result, [words], every=True)


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
    kept = [infer.word("params")] if any(t.role is Role.PARAMETER for t in read) else []
    data = [variable(sheet, t) for t in read if t.role in DATA]
    arguments = (infer.word("rng"), *kept, *data)
    return Define(
        "draw", arguments, ("What is random in one step.",), (*unpacked(sheet, read), *head, result)
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
    arguments = [infer.word("rng")] if "rng" in text(result) else []
    arguments += [infer.integer(sheet.sizes[n]) for n in open_]
    return Define(name, tuple(arguments), (words,), (result,))

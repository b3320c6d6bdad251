"""The tables at the head of a generated module: sizes, shapes, what is known of the data, equation numbers.

Enters: the stages of a network. Leaves: lines of constants. Must not know: targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from math import isinf

from symbp.codegen.function import wrapped
from symbp.codegen.spelling.elements import ElementSpelling
from symbp.codegen.updates.layout import layout
from symbp.ir.expr import Expr, Size
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.sizes.formula import formulas
from symbp.ir.sizes.obeying import obeying
from symbp.ir.system import Tensor
from symbp.ir.training import UpdateRule
from symbp.targets.compiled.names import key_of
from symbp.targets.compiled.segments import STANDALONE, LoweredNetwork
from symbp.targets.compiled.update import hyperparameters, numbered_updates

CHECKED = (
    "binary",
    "positive",
    "nonnegative",
    "sums to one",
    "one hot",
    "symmetric",
    "lower triangular",
    "upper triangular",
    "mask",
)


def tables(net: LoweredNetwork, rule: UpdateRule, *, staged: bool) -> list[str]:
    """The constants of a module, in the order in which they are read; `staged` where stages are told
    which arrays they are given."""
    gradients = net.derivation.gradients
    batch = None if net.examples is None else key_of(net.examples)
    return [
        *shape_tables(net),
        *_given_tables(net),
        *(stage_tables(net) if staged else []),
        names_table("OUTPUTS", net.system.outputs),
        f'LOSS = "{net.system.loss}"',
        names_table("METRICS", net.metrics),
        f"BATCH{': str | None' if batch is None else ''} = {_quoted(batch)}",
        *([f"CHUNKED = {_quoted(key_of(net.batch))}"] if net.split is not None and net.batch else []),
        *dictionary("GRADIENTS", [f'"{p.name}": "{gradients[p.name]}"' for p in net.parameters]),
        *dictionary("EQUATIONS", [f'{k + 1}: "{e.target}"' for k, e in enumerate(net.system.equations)]),
        names_table("STOPPED", net.stopped),
        *_moments(net, rule),
        *dictionary("HYPER", [f'"{h}": {float(rule.hyper[h])!r}' for h in hyperparameters(rule.system)]),
        *_followed(rule),
        *([f'SEARCHED = "{rule.searched}"'] if rule.searched else []),
        "Array = np.ndarray[Any, Any]",
    ]


def _followed(rule: UpdateRule) -> list[str]:
    """What follows the loss of epochs, as it starts."""
    if rule.follow is None:
        return []
    start = {name: "math.inf" if isinf(value) else repr(value) for name, value in rule.follow.start.items()}
    return dictionary("FOLLOWED", [f'"{name}": {value}' for name, value in start.items()])


def _moments(net: LoweredNetwork, rule: UpdateRule) -> list[str]:
    """The names of moments; with their shapes, where these aren't the parameters'."""
    if not rule.shaped:
        return [names_table("MOMENTS", rule.moments)]
    shapes = layout(rule, net.parameters, net.sizes).moments
    return dictionary(
        "SHAPED_MOMENTS", [f'"{moment}": {own!r}'.replace("'", '"') for moment, own in shapes.items()]
    )


def fingerprint(net: LoweredNetwork, rule: UpdateRule) -> list[str]:
    """By what a checkpoint knows the network that it is of: its declared equations, constants and random
    tensors, and the equations of the update."""
    constants = [f"{name} = {value!r}" for name, value in net.constants.items()]
    declared = [
        *map(equation_text, net.derivation.declared.equations),
        *(f"{t.name}: {t.shape} {t.draw}" for t in net.derivation.declared.tensors),
    ]
    update = [equation_text(equation) for _, equation in numbered_updates(rule)]
    update += map(equation_text, rule.follow.system.equations if rule.follow else ())
    marks = {"equations": [*constants, *declared], "update": update}
    digests = {name: sha256("\n".join(texts).encode()).hexdigest()[:16] for name, texts in marks.items()}
    return dictionary("FINGERPRINT", [f'"{name}": "{digest}"' for name, digest in digests.items()])


def derivative_tables(net: LoweredNetwork, needed: tuple[str, ...]) -> list[str]:
    """The constants of a module that computes derivatives and doesn't train; `needed` are the inputs that
    they read."""
    results = [f'"{key}": "{tensor}"' for key, tensor in net.derivation.gradients.items()]
    return [
        *shape_tables(net),
        names_table("OUTPUTS", net.system.outputs),
        names_table("DERIVATIVE_INPUTS", needed),
        *dictionary("DERIVATIVES", results),
        "Array = np.ndarray[Any, Any]",
    ]


def shape_tables(net: LoweredNetwork) -> list[str]:
    """Sizes, constants, shapes, and what is known of parameters and data."""
    known = (*net.parameters, *dict.fromkeys((*net.data, *net.given)))
    rows = [
        f"{', '.join(net.sizes)} = {', '.join(str(v) for v in net.sizes.values())}" if net.sizes else "",
        f'NAME = "{net.derivation.name}"',
        *dictionary("SIZES", [f'"{key_of(name)}": {name}' for name in net.sizes]),
        *(line for lines in constant_tables(net.constants).values() for line in lines),
        *dictionary("PARAMETERS", [f'"{t.name}": {_shape(t)}' for t in net.parameters]),
        *dictionary("INPUTS: dict[str, tuple[Any, ...]]", [f'"{t.name}": {_shape(t)}' for t in net.data]),
        *dictionary("INTEGERS", [f'"{t.name}": {_bound(t)}' for t in net.data if t.integer]),
        *dictionary("FACTS", [f'"{t.name}": {_facts(t)}' for t in known if _facts(t) != "()"]),
        names_table("FORWARD_INPUTS", net.forward_data),
        *_formula_tables(net),
    ]
    return [row for row in rows if row]


def _formula_tables(net: LoweredNetwork) -> list[str]:
    """How the sizes are found that stand in formulas only, what sizes must obey, and sizes that do; only
    where there are such."""
    if not net.solving:
        return []
    solved = [
        f'"{key_of(n)}": ("{t.name}", {axis}, '
        f"lambda n, s: (n - ({sizes_text(rest)})) // ({sizes_text(times)}))"
        for n, (t, axis, times, rest) in net.solved_sizes.items()
    ]
    conditions = [
        f'"{with_keys(one)} = {with_keys(other)}": lambda s: {sizes_text(one)} == {sizes_text(other)}'
        for one, other in net.conditions
    ]
    start = {name: net.sizes.get(name, 5) for name in net.system.sizes}
    good = obeying(start, formulas(net.conditions), net.sizes)
    return [
        *dictionary("SOLVED", solved),
        *dictionary("CONDITIONS", conditions),
        *dictionary("SAMPLE", [f'"{key_of(name)}": {good[name]}' for name in net.open_sizes]),
    ]


def with_keys(extent: Expr) -> str:
    """A formula of sizes as the user of the module calls them."""
    return expression_text(extent.xreplace({size: Size(key_of(size.name)) for size in extent.atoms(Size)}))


def constant_tables(constants: Mapping[str, float]) -> dict[str, list[str]]:
    """The network's own constants: a global each, which stages read under the constant's own name; the lines
    by the name that they give."""
    found = {global_name(name): [f"{global_name(name)} = {value!r}"] for name, value in constants.items()}
    entries = [f'"{name}": {global_name(name)}' for name in constants]
    return {**found, "CONSTANTS": dictionary("CONSTANTS", entries)} if constants else {}


def global_name(constant: str) -> str:
    """What a constant of the network is called among the functions of the module."""
    return f"constant_{constant}"


def globals_of(constants: Iterable[str]) -> frozenset[str]:
    """The globals that hold the constants: no tensor may be called so."""
    return frozenset(map(global_name, constants))


def _given_tables(net: LoweredNetwork) -> list[str]:
    """Buffers and how they start, random tensors and how they are drawn, and what differs at inference; only
    what the network has."""
    rows: list[str] = []
    if net.buffers:
        rows += dictionary("BUFFERS", [f'"{t.name}": {_shape(t)}' for t in net.buffers])
        rows += dictionary("STARTS", [f'"{t.name}": {net.starts[t.name]!r}' for t in net.buffers])
    if net.fitted:
        measures = {"mean": "mean", "deviation": "std"}
        entries = [
            f'"{n}": ("{measures[s.distribution]}", "{s.of}", {s.axis})' for n, s in net.fitted.items()
        ]
        rows += dictionary("FITTED", entries)
    if net.system.random:
        drawn = [(t, t.draw) for t in net.system.random if t.draw is not None]
        entries = [f'"{t.name}": ({_shape(t)}, "{draw.kind}", {draw.p!r})' for t, draw in drawn]
        rows += dictionary("RANDOM", entries)
        rows.append(names_table("RANDOM_AT_INFERENCE", tuple(t.name for t in net.random_at_inference)))
    if net.system.inference:
        inference = [f'"{name}": "{other}"' for name, other in net.system.inference.items()]
        rows += dictionary("INFERENCE", inference)
    return rows


def stage_tables(net: LoweredNetwork) -> list[str]:
    """The arrays that the stages for outputs are given, in the order of their arguments."""
    alone = [s for s in net.segments if s.name in STANDALONE]
    given = {s.name: (*(t.name for t in net.given_to(s)), *net.rows_of(s)) for s in alone}
    return [names_table(f"{name.upper()}_GIVEN", names) for name, names in given.items()]


def dictionary(name: str, entries: list[str]) -> list[str]:
    """A dictionary of a module, of entries as text."""
    if not entries:
        return [f"{name.partition(':')[0]}: dict[str, Any] = {{}}"]
    return wrapped(f"{name} = {{", entries, "}", 0)


def names_table(name: str, names: tuple[str, ...]) -> str:
    """A tuple of strings under a name; of one without elements its type isn't seen."""
    return f"{name}{'' if names else ': tuple[str, ...]'} = {quoted(names)}"


def quoted(names: tuple[str, ...]) -> str:
    """A tuple of strings."""
    return "(" + ", ".join(f'"{name}"' for name in names) + ("," if len(names) == 1 else "") + ")"


def _quoted(name: str | None) -> str:
    return "None" if name is None else f'"{name}"'


def _shape(tensor: Tensor) -> str:
    """A shape as a tuple of size names, numbers, and functions of the sizes."""
    parts = [_extent(extent) for extent in tensor.shape]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _extent(extent: Expr) -> str:
    if isinstance(extent, Size):
        return f'"{key_of(extent.name)}"'
    if extent.is_Integer:
        return str(extent)
    return f"lambda s: {sizes_text(extent)}"


def sizes_text(extent: Expr) -> str:
    """A formula of sizes that are the entries of a dictionary `s`."""
    names = {size: Size(f's["{key_of(size.name)}"]') for size in extent.atoms(Size)}
    return str(ElementSpelling({}, {}, {}).integer(extent.xreplace(names)).text)


def _bound(tensor: Tensor) -> str:
    """The bound of an integer tensor, and the value beside those below it; None where nothing is stated."""
    bound, ignored = bound_of(tensor)
    return f"({None if bound is None else _extent(bound)}, {ignored})"


def bound_of(tensor: Tensor) -> tuple[Expr | None, int | None]:
    """What the integers of a tensor are below, and the one value beside."""
    fact = tensor.fact("below") or tensor.fact("below or ignored")
    return (None, None) if fact is None else (fact.bound, fact.ignored)


def _facts(tensor: Tensor) -> str:
    found = sorted((f.kind, f.axis if f.axis is not None else -1) for f in tensor.facts if f.kind in CHECKED)
    rows = [f'("{kind}", {axis})' for kind, axis in found]
    return f"({', '.join(rows)}{',' if len(rows) == 1 else ''})"

"""The head of a generated module: what it is, its equations, sizes, work and memory.

Enters: the stages of a network, its footprint. Leaves: values for the template. Must not know: targets' code.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby

from symbp.codegen import infer
from symbp.codegen.roll_layers import layers_in
from symbp.codegen.tree import Effect, Statement
from symbp.derive.derivation import Derivation
from symbp.ir.printer import equation_text
from symbp.ir.training import UpdateRule
from symbp.targets.compiled.footprint import Footprint, formula_text
from symbp.targets.compiled.names import key_of
from symbp.targets.compiled.sections.entries import LEAST
from symbp.targets.compiled.segments import LoweredNetwork
from symbp.targets.compiled.update import numbered_updates
from symbp.targets.pieces import short


def header(
    net: LoweredNetwork, engine: str, dtype: str, rule: UpdateRule, found: Footprint, pieces: Collection[str]
) -> dict[str, object]:
    """What the head of a training module says, for its template."""
    derivation = net.derivation
    description = [
        f"Derived from the network {derivation.name}; {dtype}. It reads {reads_text(net)}.",
        *_kept_text(net),
        f"The comment (k) behind a line names the equation that the line computes{_more(rule)}.",
        *_command_text(pieces),
    ]
    return {
        "title": f"{derivation.name}: a network that trains in {engine}.",
        "description": description,
        "equations": _computed(net, equation_lines(derivation), pieces),
        "update_name": f"{rule.name}, {rule.source}" if rule.source else rule.name,
        "update_of": f"each entry i of {'each parameter k' if rule.by_parameter else 'the parameters'}",
        "updates": _update_lines(rule),
        "sizes": sizes_text(net),
        "one_run": "One training step",
        "costs": cost_lines(found) if "costs" in pieces else [],
    }


FORMS = {
    "entries": "Of any other parameter:",
    "matrix": "Of a matrix:",
    "tall": "Of a matrix with more rows than columns:",
    "rows": "Of a matrix by its rows:",
}


def _update_lines(rule: UpdateRule) -> list[str]:
    """The equations of the update, those of each form of a parameter under a title of their own, and of what
    follows the loss of epochs."""
    follow = rule.follow.system.equations if rule.follow else ()
    own = [(f"(U{k})", equation_text(e)) for k, e in numbered_updates(rule)]
    late = [(f"(U{k})", equation_text(e)) for k, e in enumerate(follow, len(own) + 1)]
    rows = _aligned([*own, *late])
    found, before = list[str](), ""
    for row, (_, form, _) in zip(rows, rule.numbered, strict=False):
        found += [FORMS[form]] if rule.forms and form != before else []
        found.append(row)
        before = form
    return [*found, *(["After each epoch:"] if late else []), *rows[len(own) :]]


def _command_text(pieces: Collection[str]) -> list[str]:
    if "command" in pieces:
        return ["Train, evaluate, predict or check it: python THIS_FILE --help"]
    return ["Train it: python THIS_FILE train --help"] if "train" in pieces else []


def _computed(net: LoweredNetwork, lines: list[str], pieces: Collection[str]) -> list[str]:
    """The equations that a module of these pieces computes: without `evaluate` none of metrics alone."""
    if "evaluate" in pieces or not short(pieces):
        return lines
    numbers = {n for s in net.segments if s.name != "metrics" for n in s.program.numbers}
    metrics = {n for s in net.segments if s.name == "metrics" for n in s.program.numbers} - numbers
    return [line for line in lines if not line.startswith(tuple(f"({n}) " for n in metrics))]


def _more(rule: UpdateRule) -> str:
    return ", (Uk) an equation of the update" if rule.system.equations else ""


def reads_text(net: LoweredNetwork) -> str:
    """The data that a module reads, with their shapes."""
    return ", ".join(f"{t.name}{_shape(t.shape)}" for t in net.data)


def _kept_text(net: LoweredNetwork) -> list[str]:
    """What the module keeps and draws beside parameters."""
    kept = ", ".join(f"{t.name}{_shape(t.shape)}" for t in net.buffers)
    drawn = ", ".join(f"{t.name}{_shape(t.shape)}: {t.draw}" for t in net.system.random)
    lines = [f"Buffers, changed by each training step: {kept}."] if kept else []
    return [*lines, *([f"Random tensors, drawn in each step: {drawn}."] if drawn else [])]


def sizes_text(net: LoweredNetwork) -> str:
    """Which sizes have a value, and which are read off the arrays."""
    bound = ", ".join(f"{key_of(name)} = {value}" for name, value in net.sizes.items())
    open_ = ", ".join(map(key_of, net.open_sizes))
    return "; ".join(filter(None, [bound, f"{open_} read off the arrays" if open_ else ""])) + "."


def _shape(shape: Sequence[object]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(number) for number, _ in rows), default=0)
    return [f"{number:<{width}}  {text}" for number, text in rows]


def equation_lines(derivation: Derivation) -> list[str]:
    """The derivation's equations with their numbers; of equal layers those of the first one, where the others
    differ in the numbers of their tensors only, by the same steps."""
    system = derivation.system
    texts = [equation_text(e) for e in system.equations]
    rows = _aligned([(f"({k})", text) for k, text in enumerate(texts, 1)])
    found: list[str] = []
    done = 0
    shapes = {tensor.name: tensor.shape for tensor in system.tensors}
    for layers in layers_in([(_said(text),) for text in texts], shapes, lambda name: name):
        more = layers.count - 1
        steps = {step for family in layers.arrays for step in family.steps}
        if len(steps) == 1 and more * layers.period >= LEAST:
            second = layers.first + layers.period
            (step,) = steps
            found += rows[done:second]
            of_layers = f"for {more} more layer{'s' if more > 1 else ''}"
            by = f"{'higher' if step > 0 else 'lower'} by {abs(step)}"
            each = " from layer to layer" if more > 1 else ""
            found.append(
                f"({second + 1}) to ({layers.stop}): ({layers.first + 1}) to ({second}) {of_layers}, "
                f"the numbers in names {by}{each}"
            )
            done = layers.stop
    return found + rows[done:]


def _said(equation: str) -> Statement:
    """The words of an equation, as names among which those of tensors are."""
    words = ("".join(word) for _, word in groupby(equation, lambda c: c.isalnum() or c == "_"))
    return Effect(infer.call("equation", *map(infer.name, words), shape=()))


def cost_lines(found: Footprint) -> list[str]:
    """Operations, bytes moved and the workspace: as formulas in all sizes, and with those that are known."""
    lines = []
    moved = found.cost.bytes(found.itemsize)
    for label, formula in (("flops", found.cost.flops), ("bytes", moved), ("workspace", found.peak)):
        text = [f"{label:<11}{formula_text(formula)}"]
        if found.bound(formula) != formula:
            text.append(f"{'=':>10} {formula_text(found.bound(formula))}")
        lines += [piece for line in text for piece in _filled(line)]
    if found.blocks:
        return [*lines[:-1], f"{lines[-1]} bytes", f"          {found.of_what}"]
    return [*lines[:-1], f"{lines[-1]} bytes{found.of_what}"]


def _filled(line: str) -> list[str]:
    """A long sum over several lines."""
    terms = line.split(" + ")
    lines = [terms[0]]
    for term in terms[1:]:
        if len(lines[-1]) + len(term) > 96:
            lines.append("           + " + term)
        else:
            lines[-1] += " + " + term
    return lines

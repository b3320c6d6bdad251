"""Steps as a page shows them: what became what, in the page's symbols, and why.

Enters: a derivation, the symbols of its page. Leaves: symbols for what is gone in the end, too; each step's
sentences, spelled by a notation. Must not know: any format's layout.

A tensor that is gone was an adjoint, mostly: it is written as the derivative that it was, unless something on
the page looks the same; then, and else, it keeps the name that it had.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from symbp.derive.derivation import Derivation, Step
from symbp.ir.printer import Notation
from symbp.ir.system import Equation, System, Tensor
from symbp.read.spelling import (
    Quotient,
    Symbol,
    bare,
    derivative_symbols,
    latex_symbol,
    text_symbol,
)
from symbp.read.symbols import Symbols


def with_gone(symbols: Symbols, derivation: Derivation) -> Symbols:
    """The symbols with one for each tensor that only the grounds of steps have."""
    tensors: dict[str, Tensor] = {}
    for ground in derivation.grounds:
        tensors = {**tensors, **ground.before.by_name, **ground.after.by_name}
    found = replace(
        symbols, symbols=dict(symbols.symbols), text=dict(symbols.text), latex=dict(symbols.latex)
    )
    seen = [{bare(written) for written in spelling.values()} for spelling in (symbols.text, symbols.latex)]
    for name in _mentioned(derivation.steps):
        if name in found.symbols:
            continue
        for symbol in _candidates(name, tensors, found, derivation.system):
            text, latex = text_symbol(symbol), latex_symbol(symbol, found.latex)
            if symbol.base == name or not (bare(text) in seen[0] or bare(latex) in seen[1]):
                break
        for spelling, written in ((found.symbols, symbol), (found.text, text), (found.latex, latex)):
            spelling[name] = written  # type: ignore[index]
        seen[0].add(bare(text))
        seen[1].add(bare(latex))
    return found


def _mentioned(steps: Collection[Step]) -> dict[str, None]:
    """The tensors that steps read or define, in order."""
    found: dict[str, None] = {}
    for step in steps:
        found[step.target] = None
        rests = [rest for rest in step.rests_on if isinstance(rest, Equation)]
        for equation in (*step.before, *step.after, *rests):
            found |= dict.fromkeys(name for name in (equation.target, *equation.read_names) if name)
        if step.differential is not None:
            found |= dict.fromkeys((step.differential.of, step.differential.by))
    return found


def _candidates(name: str, tensors: dict[str, Tensor], symbols: Symbols, system: System) -> list[Symbol]:
    """As the derivative that it was, or by its name."""
    plain = replace(Symbol(name), upright="_" in name)
    what = tensors[name].differential if name in tensors else None
    known = symbols.symbols
    if what is None or what.part or what.along is not None:
        return [plain]
    if any(n not in known or known[n].quotient for n in (what.of, what.by)):
        return [plain]
    rank = len(tensors[what.of].shape) if what.whole else 0
    quotient = Quotient((what.of, rank), ((what.by, len(tensors[what.by].shape)),))
    computed = what.by in system.defining
    found = derivative_symbols(quotient, symbols.text, system.loss, symbols.notation, computed=computed)
    return [found[0], plain]


def rests(step: Step, notation: Notation) -> list[str]:
    """What a step rests on, each definition and fact as a text."""
    found = []
    for rest in step.rests_on:
        if isinstance(rest, Equation):
            found.append(" = ".join(notation.equation(rest)))
        else:
            found.append(notation.access(rest, [], None) if rest.isidentifier() else rest)
    return found

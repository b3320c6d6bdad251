"""What stands in the boxes of a picture and at its edges.

Enters: a graph, the reading that it comes from. Leaves: runs of text and sentences. Must not know: places.

A factor is written without the subscripts that say nothing: those that each of its tensors has at all of its
places, and that stand nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbp.explain.drawing.graph import Adjoint, Flow, Node, lettered
from symbp.explain.drawing.text import Run, Runs, plain, runs, width, words
from symbp.explain.mathml import MathML, over
from symbp.explain.text import PageText
from symbp.ir.expr import Access, Expr, Index
from symbp.read.display import Along, Reduced
from symbp.read.reading import Reading
from symbp.read.symbols import Symbols

WIDEST = 190.0  # of a factor on one line, in pixels
FACTOR = 13.0  # its letters
LINES = 2


class Bare(MathML):
    """Index notation without subscripts."""

    def access(self, name: str, subscripts: Sequence[str], outside: str | None) -> str:  # noqa: ARG002
        return super().access(name, [], None)


@dataclass(frozen=True)
class Labels:
    """Spells a page's graph; `symbols` has those of derivatives that only lessons have, too."""

    reading: Reading
    symbols: Symbols

    @property
    def loss(self) -> str:
        return self.reading.derivation.system.loss or ""

    def node(self, node: Node) -> Runs:
        """The symbol of a tensor."""
        return runs(MathML(self.symbols).tensor(node.tensor))

    def shape(self, node: Node) -> Runs:
        """`N × D`; of a scalar nothing."""
        notation = MathML(self.symbols)
        spelled = [runs(notation.show(e.xreplace(dict(self.reading.lengths)))) for e in node.shape]
        found: list[Run] = []
        for one in spelled:
            found += [*([Run(" × ")] if found else []), *one]
        return tuple(found)

    def adjoint(self, adjoint: Adjoint, tensor: str) -> Runs:
        """∂loss/∂ the tensor, or what the page calls it."""
        notation = MathML(self.symbols)
        if adjoint.tensor is not None:
            return runs(notation.tensor(adjoint.tensor))
        sign = "<mi>∂</mi>"
        return runs(over(sign + notation.tensor(self.loss), sign + notation.tensor(tensor)))

    def factor(self, flow: Flow) -> tuple[Runs, ...]:
        """The factor in at most two lines; where it is longer, or no formula, ∂ reader / ∂ read."""
        if flow.jacobian is None:
            return (words("1 at the maximum"),) if flow.saved else (self._quotient(flow),)
        slope = lettered(self.reading, flow.jacobian).slope
        notation = Bare(self.symbols) if _says_nothing(slope) else MathML(self.symbols)
        lines = broken(runs(notation.show(slope)), WIDEST)
        fits = len(lines) <= LINES and all(width(line, FACTOR) <= WIDEST for line in lines)
        return lines if fits else (self._quotient(flow),)

    def _quotient(self, flow: Flow) -> Runs:
        notation, sign = MathML(self.symbols), "<mi>∂</mi>"
        of, by = self._tensor(flow.reader), self._tensor(flow.read)
        return runs(over(sign + notation.tensor(of), sign + notation.tensor(by)))

    def _tensor(self, node: str) -> str:
        return node.partition("@")[0]

    def delay(self, delay: Expr | None) -> Runs:
        """The step that a read goes to: `t − 1`."""
        return () if delay is None else runs(MathML(self.symbols).show(delay))

    # --- sentences
    def told(self, name: str) -> str:
        """A tensor's symbol as text."""
        return self.symbols.text.get(name, name)

    def told_adjoint(self, adjoint: Adjoint, tensor: str) -> str:
        return plain(self.adjoint(adjoint, tensor))

    def told_short(self, flow: Flow) -> str:
        """The factor as text, with all subscripts, where it is a formula."""
        if flow.jacobian is None:
            return "".join(map(plain, self.factor(flow)))
        return PageText(self.symbols).show(lettered(self.reading, flow.jacobian).slope)

    def told_factor(self, flow: Flow) -> str:
        """`∂a2[n,k]/∂h[n,j] = W2[j,k], summed over k`."""
        if flow.jacobian is None:
            return f"∂{self.told(self._tensor(flow.reader))}/∂{self.told(self._tensor(flow.read))}"
        local, notation = lettered(self.reading, flow.jacobian), PageText(self.symbols)
        left = notation.slope(notation.show(local.of), notation.show(local.by))
        summed = f", summed over {', '.join(i.name for i in local.left)}" if local.left else ""
        return f"{left} = {notation.show(local.slope)}{summed}"


def _says_nothing(slope: Expr) -> bool:
    """Whether a factor can be read without subscripts: plain ones, the same wherever a tensor stands, and
    none of their indices anywhere else."""
    if slope.atoms(Reduced, Along):
        return False
    found: dict[str, set[tuple[Expr, ...]]] = {}
    for access in slope.atoms(Access):
        found.setdefault(access.name, set()).add(access.subscripts)
    subscripts = {s for places in found.values() for place in places for s in place}
    apart = slope.xreplace({access: Access("_") for access in slope.atoms(Access)})
    plain_ones = all(isinstance(s, Index) for s in subscripts)
    return plain_ones and not subscripts & apart.free_symbols and all(len(p) == 1 for p in found.values())


def broken(spelled: Runs, widest: float) -> tuple[Runs, ...]:
    """Runs in lines, broken before signs between terms or factors where they are too wide."""
    if width(spelled, FACTOR) <= widest:
        return (spelled,)
    lines: list[list[Run]] = [[]]
    for group in _groups(spelled):
        if lines[-1] and width([*lines[-1], *group], FACTOR) > widest:
            lines.append([])
        lines[-1] += group
    return tuple(tuple(line) for line in lines)


def _groups(spelled: Runs) -> list[list[Run]]:
    """What stays on one line: up to the next sign between terms or factors that is in no parenthesis."""
    found: list[list[Run]] = [[]]
    depth = 0
    for run in spelled:
        text = ""
        for place, sign in enumerate(run.text):
            depth += (sign in "([") - (sign in ")]")
            term = sign == " " and run.text[place + 1 : place + 2] in ("+", "−")
            if not run.level and not depth and (term or sign == "·") and (text or found[-1]):
                found[-1] += [Run(text, run.level, run.italic)] if text else []
                found.append([])
                text = ""
            text += sign
        found[-1] += [Run(text, run.level, run.italic)] if text else []
    return found

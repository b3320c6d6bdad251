"""Arrays that statements need in between, and constants such as positions: named, and counted by their use.

Enters: shapes and kinds. Leaves: names, with the moments at which each is in use.
Must not know: statements, where memory lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symbp.codegen.tree import Call, alike
from symbp.ir.expr import Size
from symbp.ir.printer import expression_text
from symbp.targets.compiled.form import Form, Kind, Shape, same

Moment = tuple[str, int]  # a stage, and which of its moments
PREFIXES: Mapping[Kind, str] = {"real": "t", "integer": "at", "bool": "is"}


@dataclass
class Scratch:
    """Arrays for what statements need in between, by shape and kind; each with the moments of its use."""

    taken: frozenset[str]
    shapes: dict[str, tuple[Shape, Kind]] = field(default_factory=dict)
    uses: dict[str, dict[Moment, None]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    locals: set[str] = field(default_factory=set)
    reserved: set[str] = field(default_factory=set)  # local names of a statement that lie under others
    constants: dict[str, tuple[Shape, Kind, Call]] = field(default_factory=dict)  # with what makes them

    def acquire(self, shape: Shape, kind: Kind, moment: Moment, name: str = "") -> str:
        """A free array of this shape, called as asked if that is possible."""
        kind = "real" if kind == "number" else kind
        if (
            name
            and name not in self.busy | self.locals
            and self.shapes.get(name, (shape, kind)) == (shape, kind)
        ):
            self.shapes[name] = (shape, kind)
            self.busy.add(name)
            self.used(name, moment)
            return name
        count = 1
        while True:
            name = self.called(shape, PREFIXES[kind], count)
            known = self.shapes.get(name)
            fits = known is None or (known[1] == kind and same(known[0], shape))
            elsewhere = self.busy | self.taken | self.locals | self.reserved | self.constants.keys()
            if fits and name not in elsewhere:
                self.shapes[name] = (shape, kind)
                self.busy.add(name)
                self.used(name, moment)
                return name
            count += 1

    def plain(self, name: str) -> str:
        """A name for a local variable of the functions, which none of these arrays has."""
        while name in self.shapes:
            name += "_"
        self.locals.add(name)
        return name

    def used(self, name: str, moment: Moment) -> None:
        """Notes that an array holds something at a moment."""
        self.uses.setdefault(name, {})[moment] = None

    def form(self, name: str) -> Form:
        """The form of one of these arrays."""
        shape, kind = self.shapes[name] if name in self.shapes else self.constants[name][:2]
        return Form(shape, kind, view=True, whole=True)

    def release(self, names: Sequence[str]) -> None:
        self.busy -= set(names)

    def constant(self, shape: Shape, kind: Kind, made: Call, stem: str) -> str:
        """The name of an array that never changes."""
        for name, known in self.constants.items():
            if alike(known[2], made):
                return name
        name = stem
        while name in self.taken or name in self.shapes or name in self.constants:
            name += "_"
        self.constants[name] = (shape, kind, made)
        return name

    @staticmethod
    def called(shape: Shape, stem: str, count: int = 1) -> str:
        """`t_NH`, `t_NH2`: named after the shape, where sizes have names; with an underscore in any case, as
        no local name of a statement."""
        plain = [expression_text(e) for e in shape if isinstance(e, Size) or e.is_Integer]
        if len(plain) == len(shape):
            short = all(len(text) == 1 for text in plain)
            stem = "_".join([stem, *(["".join(plain)] if short else plain)])
            return stem if count == 1 else f"{stem}{'' if stem[-1].isalpha() else '_'}{count}"
        return f"{stem}_{count}"

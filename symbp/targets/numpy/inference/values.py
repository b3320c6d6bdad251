"""Values of NumPy expressions: as they stand where they are views or numbers, else in scratch.

Enters: expressions, what is known of the names in them. Leaves: what stands for them, and the statements that
compute what that reads. Must not know: statements, where memory lies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from symbp.codegen import infer, tree
from symbp.codegen.printer import text
from symbp.targets.compiled.form import Form, Kind, Unknown
from symbp.targets.compiled.scratch import Moment, Scratch
from symbp.targets.numpy.inference.shape_inference import VIEWS, Forms
from symbp.targets.numpy.inference.trees import filled_with, replaced

DTYPES: dict[Kind, tree.DType] = {"real": "real", "integer": "integer", "bool": "boolean", "number": "number"}
VIEWING = ("np.broadcast_to", "_windows", *(f".{name}" for name in VIEWS))


@dataclass(frozen=True)
class Target:
    """Where a value goes: its code, form, and the names that share its memory."""

    node: tree.Expression
    form: Form
    aliases: frozenset[str]


class Values:
    """The values in the lines of one stage; how one is computed into a target is for those who know more."""

    def __init__(self, forms: Forms, scratch: Scratch, stage: str) -> None:
        self.forms, self.scratch = forms, scratch
        self.moment: Moment = (stage, 0)
        self.shared: dict[str, str] = {}  # what takes another's place, and whose
        self.apart: list[str] = []  # what could not
        self.allocating: list[str] = []  # lines that make arrays
        self.renamed: dict[str, str] = {}  # local names of what is in scratch
        self.local: list[str] = []  # scratch held under local names
        self.lines: list[tree.Statement] = []

    def into(self, node: tree.Expression, out: Target) -> None:
        """The lines that compute a value into a target. Raises Unknown."""
        raise NotImplementedError

    def place(self, name: str) -> Target:
        """Scratch as a target."""
        return Target(self.array(name), self.scratch.form(name), frozenset({name}))

    def array(self, name: str) -> tree.Name:
        """An array of the scratch."""
        form = self.scratch.form(name)
        return infer.name(name, form.shape, DTYPES[form.kind])

    def value(self, node: tree.Expression, held: list[str]) -> tree.Expression:
        """What stands for a value: a view or a number as it stands, else scratch that is `held`."""
        form = self.forms.of(node)
        if form.view:
            return self.named(node)
        if not form.shape:
            return self.named(self.computed(node, held))
        inner = self.viewed(node)
        of = self.forms.of(node if inner is None else inner)
        name = self.scratch.acquire(of.shape, of.kind, self.moment)
        held.append(name)
        self.into(node if inner is None else inner, self.place(name))
        if inner is None:
            return self.array(name)
        self.forms.known[name] = self.scratch.form(name)
        return self.named(replaced(node, inner, self.array(name)))

    def viewed(self, node: tree.Expression) -> tree.Expression | None:
        """What an expression is a view of, if it is one but for what needs computing."""
        if isinstance(node, tree.Attribute):
            return node.value
        if isinstance(node, tree.Subscript):
            parts = self.forms.parts(node, self.forms.of(node.value))
            return None if self.forms.gathers(parts) else node.value
        if isinstance(node, tree.Call) and node.name in VIEWING:
            return node.arguments[0]
        return None

    def constant(self, form: Form, made: tree.Call, stem: str) -> tree.Name:
        """The name of an array that never changes."""
        name = self.scratch.constant(form.shape, form.kind, made, stem)
        self.forms.known[name] = self.scratch.form(name)
        return self.array(name)

    def stays_in(self, node: tree.Expression, out: Target) -> bool:
        """Whether a value is read where the target will be written."""
        return self.forms.of(node).view and bool(self.forms.reads(node) & out.aliases)

    # --- names for what is there
    def named(self, node: tree.Expression) -> tree.Expression:
        """The code of an expression; positions by the name of their array, zeros as a view of a number,
        scratch by its name."""
        found: tree.Expression = self.renaming(node)
        return found

    def renaming(self, node: Any) -> Any:
        """The same of any code."""
        if isinstance(node, tree.Name):
            return replace(node, id=self.renamed.get(node.id, node.id))
        if not isinstance(node, tree.Call):
            return node.rebuilt(self.renaming)
        if node.name == "np.arange":
            return self._positions(node)
        filled = filled_with(node)
        if node.name == "np.zeros":
            form = self.forms.of(node)
            return self.constant(form, node, self.scratch.called(form.shape, "zeros"))
        if filled is not None:
            kind = text(node.arguments[-1]) if len(node.arguments) > 1 else "DTYPE"
            single = infer.call(kind, filled, shape=())
            return infer.call("np.broadcast_to", single, node.arguments[0], shape=node.shape)
        return node.rebuilt(self.renaming)

    def _positions(self, node: tree.Call) -> tree.Expression:
        try:
            form = self.forms.of(node)
        except Unknown:
            return node
        stem = "range" if form.kind == "integer" else "reals"
        name = f"{stem}_{text(node.arguments[0])}"
        return self.constant(form, node, name if name.isidentifier() else stem)

    def computed(self, node: Any, held: list[str]) -> Any:
        """An expression of numbers with names for the arrays in it, which are computed before."""

        def inside(child: Any) -> Any:
            return self.computed(child, held)

        if not isinstance(node, tree.Expression):
            return node.rebuilt(inside)
        if isinstance(node, (tree.Name, tree.Constant)):
            return node
        if isinstance(node, tree.Attribute) and node.name != "T":
            return node
        form = self.forms.of(node)
        if form.view:
            return node
        return self.value(node, held) if form.shape else node.rebuilt(inside)

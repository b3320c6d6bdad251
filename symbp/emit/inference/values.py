"""Values of NumPy expressions: as they stand where they are views or numbers, else in scratch.

Enters: syntax trees of expressions, what is known of the names in them. Leaves: their text, and the lines
that compute what it reads. Must not know: statements, where memory lies.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass

from symbp.emit.inference.form import Form, Unknown
from symbp.emit.inference.shape_inference import VIEWS, Forms
from symbp.emit.inference.trees import Replaced, filled_with, normal
from symbp.emit.numpy.scratch import Moment, Scratch


@dataclass(frozen=True)
class Target:
    """Where a value goes: text, form, and the names that share its memory."""

    text: str
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
        self.lines: list[str] = []
        self.source = ""

    def into(self, node: ast.expr, out: Target) -> None:
        """The lines that compute a value into a target. Raises Unknown."""
        raise NotImplementedError

    def place(self, name: str) -> Target:
        """Scratch as a target."""
        return Target(name, self.scratch.form(name), frozenset({name}))

    def value(self, node: ast.expr, held: list[str]) -> str:
        """The text of a value: a view or a number as it stands, else scratch that is `held`."""
        form = self.forms.of(node)
        if form.view:
            return self.text(node)
        if not form.shape:
            return self.text(_Computed(self, held).visit(copy.deepcopy(node)))
        inner = self.viewed(node)
        of = self.forms.of(node if inner is None else inner)
        name = self.scratch.acquire(of.shape, of.kind, self.moment)
        held.append(name)
        self.into(node if inner is None else inner, self.place(name))
        if inner is None:
            return name
        self.forms.known[name] = self.scratch.form(name)
        return self.text(Replaced(inner, name).visit(copy.deepcopy(node)))

    def viewed(self, node: ast.expr) -> ast.expr | None:
        """What an expression is a view of, if it is one but for what needs computing."""
        if isinstance(node, ast.Attribute):
            return node.value
        if isinstance(node, ast.Subscript):
            parts = self.forms.parts(node, self.forms.of(node.value))
            return None if self.forms.gathers(parts) else node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in VIEWS:
                return node.func.value
            return node.args[0] if node.func.attr == "broadcast_to" else None
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_windows":
            return node.args[0]
        return None

    def constant(self, form: Form, text: str, stem: str) -> str:
        """The name of an array that never changes."""
        name = self.scratch.constant(form.shape, form.kind, text, stem)
        self.forms.known[name] = self.scratch.form(name)
        return name

    def text(self, node: ast.AST) -> str:
        """The source of an expression; what never changes, and what is in scratch, by its name."""
        text = ast.unparse(_Named(self).visit(copy.deepcopy(node)))
        segment = ast.get_source_segment(self.source, node) if text == ast.unparse(node) else None
        if segment and isinstance(node, ast.expr) and normal(segment) == text:
            return segment
        return text.replace("'", '"')

    def stays_in(self, node: ast.expr, out: Target) -> bool:
        """Whether a value is read where the target will be written."""
        return self.forms.of(node).view and bool(self.forms.reads(node) & out.aliases)


class _Named(ast.NodeTransformer):
    """Positions by the name of their array, zeros as a view of a number, scratch by its name."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.values.renamed.get(node.id, node.id))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = ast.unparse(node.func)
        if function == "np.arange":
            try:
                form = self.values.forms.of(node)
            except Unknown:
                return node
            stem = ("range" if form.kind == "integer" else "reals") + f"_{ast.unparse(node.args[0])}"
            stem = stem if stem.isidentifier() else stem.split("_")[0]
            return ast.Name(self.values.constant(form, ast.unparse(node), stem))
        filled = filled_with(node)
        if function == "np.zeros":
            form = self.values.forms.of(node)
            return ast.Name(
                self.values.constant(form, ast.unparse(node), self.values.scratch.called(form.shape, "zeros"))
            )
        if filled is not None:
            kind = node.args[-1] if len(node.args) > 1 else ast.Name("DTYPE")
            single = ast.Call(kind, [filled], [])
            return ast.Call(ast.parse("np.broadcast_to", mode="eval").body, [single, node.args[0]], [])
        return self.generic_visit(node)


class _Computed(ast.NodeTransformer):
    """The arrays in an expression of numbers, computed before it."""

    def __init__(self, values: Values, held: list[str]) -> None:
        self.values, self.held = values, held

    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, ast.expr) or isinstance(node, (ast.Name, ast.Constant)):
            return node if isinstance(node, ast.expr) else self.generic_visit(node)
        if isinstance(node, ast.Attribute) and node.attr != "T":
            return node if ast.unparse(node.value) == "np" else self.generic_visit(node)
        form = self.values.forms.of(node)
        if form.view:
            return node
        if not form.shape:
            return self.generic_visit(node)
        return ast.parse(self.values.value(node, self.held), mode="eval").body

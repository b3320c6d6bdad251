"""Operators that write where the result belongs: `np.add(z1, b1, out=h)` for `h = z1 + b1`.

Enters: an expression and a target. Leaves: the lines that compute it there, one operand in the target itself
where nothing that is still to be read shares its memory. Must not know: statements, equations.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence

from symbp.emit.inference.form import Form, Unknown, same
from symbp.emit.inference.shape_inference import OPERATORS
from symbp.emit.inference.trees import Taken, bits, filled_with, without_which_zeros
from symbp.emit.inference.values import Target, Values


class Operators(Values):
    """Computes an expression into a target, operator by operator."""

    def subscripted(self, node: ast.Subscript, form: Form, out: Target) -> None:
        """The lines of a subscript."""
        raise NotImplementedError

    def call(self, node: ast.Call, form: Form, out: Target) -> None:
        """The lines of a call."""
        raise NotImplementedError

    def into(self, node: ast.expr, out: Target) -> None:
        form = self.forms.of(node)
        if form.view:
            self.copied(node, form, out)
        elif not form.shape:
            held: list[str] = []
            self.lines.append(f"np.copyto({out.text}, {self.value(node, held)})")
            self.scratch.release(held)
        elif form.kind not in (out.form.kind, "number"):
            self.through(node, form, out)
        elif isinstance(node, ast.IfExp):
            self.either(node, out)
        elif isinstance(node, ast.Compare):
            self.compared(node, out)
        elif isinstance(node, ast.UnaryOp):
            self.applied(OPERATORS[type(node.op)], [node.operand], out)
        elif isinstance(node, ast.BinOp):
            self.operated(node, form, out)
        elif isinstance(node, ast.Subscript):
            self.subscripted(node, form, out)
        elif isinstance(node, ast.Call):
            self.call(node, form, out)
        else:
            raise Unknown(ast.unparse(node))

    def copied(self, node: ast.expr, form: Form, out: Target) -> None:
        """A view or a number, as it stands."""
        filled = filled_with(node)
        if filled is not None and out.form.whole:
            self.lines.append(f"{out.text}.fill({self.text(filled)})")
        elif form.kind == "number" and not form.shape and out.form.whole:
            self.lines.append(f"{out.text}.fill({self.text(node)})")
        elif "[" in out.text and self.forms.reads(node) & out.aliases:
            # From one part of an array to another: NumPy would not see that they don't overlap.
            name = self.scratch.acquire(form.shape, form.kind, self.moment)
            self.lines += [f"np.copyto({name}, {self.text(node)})", f"np.copyto({out.text}, {name})"]
            self.scratch.release([name])
        else:
            self.lines.append(f"np.copyto({out.text}, {self.text(node)})")

    def either(self, node: ast.IfExp, out: Target) -> None:
        """A choice that Python makes: one branch is computed."""
        self.lines.append(f"if {self.text(node.test)}:")
        self.nested(node.body, out)
        self.lines.append("else:")
        self.nested(node.orelse, out)

    def nested(self, node: ast.expr, out: Target) -> None:
        before = len(self.lines)
        self.into(node, out)
        self.lines[before:] = [f"    {line}" for line in self.lines[before:]]

    def compared(self, node: ast.Compare, out: Target) -> None:
        if len(node.ops) > 1:
            raise Unknown(ast.unparse(node))
        self.applied(OPERATORS[type(node.ops[0])], [node.left, node.comparators[0]], out)

    def operated(self, node: ast.BinOp, form: Form, out: Target) -> None:
        if isinstance(node.op, ast.MatMult) and not (out.form.whole and same(form.shape, out.form.shape)):
            self.through(node, form, out)
        elif form.kind == "integer" and (shift := bits(node)) is not None:
            self.applied(shift[0], [node.left, ast.Constant(shift[1])], out)
        elif self.cubed(node, out):
            base = Target(out.text, out.form, out.aliases)
            self.raised(node.left, base)
        else:
            self.applied(OPERATORS[type(node.op)], [node.left, node.right], out)

    def cubed(self, node: ast.BinOp, out: Target) -> bool:
        """Whether this is the third power of an array: `np.power` takes logarithms of it."""
        exponent = (
            isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant) and node.right.value == 3
        )
        form = self.forms.of(node.left)
        return bool(exponent and form.kind == "real" and same(form.shape, out.form.shape))

    def raised(self, node: ast.expr, out: Target) -> None:
        """The cube of an array, as two products."""
        held: list[str] = []
        base = self.value(node, held)
        if self.stays_in(node, out):
            raise Unknown("the target is read twice")
        self.lines.append(f"np.multiply({base}, {base}, out={out.text})")
        self.lines.append(f"np.multiply({out.text}, {base}, out={out.text})")
        self.scratch.release(held)

    def through(self, node: ast.expr, form: Form, out: Target) -> None:
        """Computed into scratch, then copied: the target has another form."""
        name = self.scratch.acquire(form.shape, form.kind, self.moment)
        self.into(node, self.place(name))
        self.lines.append(f"np.copyto({out.text}, {name})")
        self.scratch.release([name])

    def applied(self, function: str, operands: Sequence[ast.expr], out: Target) -> None:
        """`np.function(operands, out=target)`, one operand computed in the target where that is safe."""
        whole = function in ("matmul", "_symmetric_product")  # not element by element
        if function == "matmul" and self.without_zeros(
            operands, out.text, lambda taken: self.applied(function, taken, out)
        ):
            return
        texts, held = self.operands(operands, out, apart=whole)
        function = self.product_of(operands, out.form) if function == "matmul" else function
        name = function if function.startswith("_") else f"np.{function}"
        self.lines.append(f"{name}({', '.join(texts)}, out={out.text})")
        self.scratch.release(held)

    def product_of(self, operands: Sequence[ast.expr], out: Form) -> str:
        """What multiplies arrays: matrices and vectors that lie in one piece `dot`, which begins in half the
        time that `matmul` takes, but copies or refuses others."""
        forms = [out, *(self.forms.of(_untransposed(operand)) for operand in operands)]
        plain = all(form.whole and len(form.shape) <= 2 and form.kind == "real" for form in forms)
        return "dot" if plain else "matmul"

    def operands(
        self, operands: Sequence[ast.expr], out: Target, *, apart: bool = False
    ) -> tuple[list[str], list[str]]:
        """The texts of operands, and the scratch that they hold."""
        held: list[str] = []
        texts: dict[int, str] = {}
        chosen = None if apart else self.in_target(operands, out)
        others = [k for k in range(len(operands)) if k != chosen]
        late = chosen is not None and any(self.forms.reads(operands[k]) & out.aliases for k in others)
        if chosen is not None and not late:
            self.into(operands[chosen], out)
        for k in others:
            texts[k] = self.value(operands[k], held)
        if chosen is not None:
            if late:
                self.into(operands[chosen], out)
            texts[chosen] = out.text
        return [texts[k] for k in range(len(operands))], held

    def in_target(self, operands: Sequence[ast.expr], out: Target) -> int | None:
        """The operand that may be computed in the target: its form fits, and no other one that stands as it
        is reads what shares the target's memory."""
        fitting = []
        for k, operand in enumerate(operands):
            form = self.forms.of(operand)
            others = [o for j, o in enumerate(operands) if j != k]
            read_late = any(self.stays_in(o, out) for o in others)
            fits = not form.view and same(form.shape, out.form.shape)
            fits = fits and form.kind in (out.form.kind, "number")
            if fits and not read_late and self.viewed(operand) is None:
                fitting.append(k)
        preferred = [k for k in fitting if self.forms.reads(operands[k]) & out.aliases]
        chosen = preferred or fitting
        return chosen[0] if chosen else None

    def without_zeros(
        self, operands: Sequence[ast.expr], place: str, product: Callable[[Sequence[ast.expr]], None]
    ) -> bool:
        """The lines of a product whose operands are zeros unless a test holds: it isn't worth its time."""
        test = without_which_zeros(operands)
        if test is None:
            return False
        self.lines.append(f"if {self.text(test)}:")
        before = len(self.lines)
        product([Taken(test).visit(copy.deepcopy(o)) for o in operands])
        self.lines[before:] = [f"    {line}" for line in self.lines[before:]]
        self.lines += ["else:", f"    {place}.fill(0)"]
        return True


def _untransposed(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else node

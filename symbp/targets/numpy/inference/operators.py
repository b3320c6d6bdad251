"""Operators that write where the result belongs: `np.add(z1, b1, out=h)` for `h = z1 + b1`.

Enters: an expression and a target. Leaves: the lines that compute it there, one operand in the target itself
where nothing that is still to be read shares its memory. Must not know: statements, equations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symbp.codegen import infer, tree
from symbp.codegen.infer import COMPARISONS
from symbp.codegen.printer import text
from symbp.targets.compiled.form import Form, Unknown, same
from symbp.targets.numpy.inference.shape_inference import OPERATORS, SIGNS
from symbp.targets.numpy.inference.trees import bits, filled_with, taken, without_which_zeros
from symbp.targets.numpy.inference.values import Target, Values


class Operators(Values):
    """Computes an expression into a target, operator by operator."""

    def subscripted(self, node: tree.Subscript, form: Form, out: Target) -> None:
        """The lines of a subscript."""
        raise NotImplementedError

    def call(self, node: tree.Call, form: Form, out: Target) -> None:
        """The lines of a call."""
        raise NotImplementedError

    def into(self, node: tree.Expression, out: Target) -> None:
        form = self.forms.of(node)
        if form.view:
            self.copied(node, form, out)
        elif not form.shape:
            held: list[str] = []
            self.copy(out.node, self.value(node, held))
            self.scratch.release(held)
        elif form.kind not in (out.form.kind, "number"):
            self.through(node, form, out)
        elif isinstance(node, tree.Choice):
            test = self.named(node.condition)  # one that Python makes: one branch is computed
            self.lines.append(tree.If(test, self.nested(node.then, out), self.nested(node.otherwise, out)))
        elif isinstance(node, tree.Unary):
            self.applied(SIGNS[node.op], [node.operand], out)
        elif isinstance(node, tree.Binary) and node.op in OPERATORS:
            self.operated(node, form, out)
        elif isinstance(node, tree.Subscript):
            self.subscripted(node, form, out)
        elif isinstance(node, tree.Call):
            self.call(node, form, out)
        else:
            raise Unknown(text(node))

    def copy(self, into: tree.Expression, value: tree.Expression) -> None:
        """`np.copyto(into, value)`."""
        self.effect("np.copyto", into, value)

    def effect(self, function: str, *arguments: tree.Expression, **more: tree.Expression) -> None:
        """A call for what it does."""
        self.lines.append(tree.Effect(infer.call(function, *arguments, shape=(), dtype="object", more=more)))

    def copied(self, node: tree.Expression, form: Form, out: Target) -> None:
        """A view or a number, as it stands."""
        filled = filled_with(node)
        if filled is not None and out.form.whole:
            self.effect(".fill", out.node, self.named(filled))
        elif form.kind == "number" and not form.shape and out.form.whole:
            self.effect(".fill", out.node, self.named(node))
        elif _is_part(out.node) and self.forms.reads(node) & out.aliases:
            # From one part of an array to another: NumPy would not see that they don't overlap.
            name = self.scratch.acquire(form.shape, form.kind, self.moment)
            self.copy(self.array(name), self.named(node))
            self.copy(out.node, self.array(name))
            self.scratch.release([name])
        else:
            self.copy(out.node, self.named(node))

    def nested(self, node: tree.Expression, out: Target) -> tuple[tree.Statement, ...]:
        """The statements that compute a value, apart from the others."""
        around, self.lines = self.lines, []
        self.into(node, out)
        found, self.lines = tuple(self.lines), around
        return found

    def operated(self, node: tree.Binary, form: Form, out: Target) -> None:
        if node.op == "@" and not (out.form.whole and same(form.shape, out.form.shape)):
            self.through(node, form, out)
        elif form.kind == "integer" and (shift := bits(node)) is not None:
            self.applied(shift[0], [node.left, infer.number(shift[1])], out)
        elif node.op not in COMPARISONS and self.cubed(node, out):
            self.raised(node.left, out)
        else:
            self.applied(OPERATORS[node.op], [node.left, node.right], out)

    def cubed(self, node: tree.Binary, out: Target) -> bool:
        """Whether this is the third power of an array: `np.power` takes logarithms of it."""
        exponent = node.op == "**" and text(node.right) == "3"
        form = self.forms.of(node.left)
        return bool(exponent and form.kind == "real" and same(form.shape, out.form.shape))

    def raised(self, node: tree.Expression, out: Target) -> None:
        """The cube of an array, as two products."""
        held: list[str] = []
        base = self.value(node, held)
        if self.stays_in(node, out):
            raise Unknown("the target is read twice")
        self.effect("np.multiply", base, base, out=out.node)
        self.effect("np.multiply", out.node, base, out=out.node)
        self.scratch.release(held)

    def through(self, node: tree.Expression, form: Form, out: Target) -> None:
        """Computed into scratch, then copied: the target has another form."""
        name = self.scratch.acquire(form.shape, form.kind, self.moment)
        self.into(node, self.place(name))
        self.copy(out.node, self.array(name))
        self.scratch.release([name])

    def applied(self, function: str, operands: Sequence[tree.Expression], out: Target) -> None:
        """`np.function(operands, out=target)`, one operand computed in the target where that is safe."""
        whole = function in ("matmul", "_symmetric_product")  # not element by element
        if function == "matmul" and self.without_zeros(
            operands, out.node, lambda others: self.applied(function, others, out)
        ):
            return
        given, held = self.operands(operands, out, apart=whole)
        function = self.product_of(operands, out.form) if function == "matmul" else function
        name = function if function.startswith("_") else f"np.{function}"
        self.effect(name, *given, out=out.node)
        self.scratch.release(held)

    def product_of(self, operands: Sequence[tree.Expression], out: Form) -> str:
        """What multiplies arrays: matrices and vectors that lie in one piece `dot`, which begins in half the
        time that `matmul` takes, but copies or refuses others."""
        forms = [out, *(self.forms.of(_untransposed(operand)) for operand in operands)]
        plain = all(form.whole and len(form.shape) <= 2 and form.kind == "real" for form in forms)
        return "dot" if plain else "matmul"

    def operands(
        self, operands: Sequence[tree.Expression], out: Target, *, apart: bool = False
    ) -> tuple[list[tree.Expression], list[str]]:
        """What stands for operands, and the scratch that they hold."""
        held: list[str] = []
        found: dict[int, tree.Expression] = {}
        chosen = None if apart else self.in_target(operands, out)
        others = [k for k in range(len(operands)) if k != chosen]
        late = chosen is not None and any(self.forms.reads(operands[k]) & out.aliases for k in others)
        if chosen is not None and not late:
            self.into(operands[chosen], out)
        for k in others:
            found[k] = self.value(operands[k], held)
        if chosen is not None:
            if late:
                self.into(operands[chosen], out)
            found[chosen] = out.node
        return [found[k] for k in range(len(operands))], held

    def in_target(self, operands: Sequence[tree.Expression], out: Target) -> int | None:
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
        self,
        operands: Sequence[tree.Expression],
        place: tree.Expression,
        product: Callable[[Sequence[tree.Expression]], None],
    ) -> bool:
        """The lines of a product whose operands are zeros unless a test holds: it isn't worth its time."""
        test = without_which_zeros(operands)
        if test is None:
            return False
        condition = self.named(test)
        around, self.lines = self.lines, []
        product([taken(o, test) for o in operands])
        found, self.lines = tuple(self.lines), []
        self.effect(".fill", place, infer.number(0))
        self.lines = [*around, tree.If(condition, found, tuple(self.lines))]
        return True


def _untransposed(node: tree.Expression) -> tree.Expression:
    return node.value if isinstance(node, tree.Attribute) and node.name == "T" else node


def _is_part(node: tree.Expression) -> bool:
    return any(isinstance(n, tree.Subscript) for n in node.walk())

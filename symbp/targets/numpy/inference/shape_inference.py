"""What a NumPy expression gives: shape, kind of number, and whether it computes at all.

Enters: an expression over names of known form. Leaves: a `Form`, or `Unknown` for what isn't foreseen.
Must not know: tensors, equations, where a value is stored.

A view (a slice, a transpose, a reshape of contiguous memory) computes nothing; neither does a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import sympy

from symbp.codegen import tree
from symbp.codegen.infer import COMPARISONS
from symbp.codegen.lengths import length
from symbp.codegen.printer import text
from symbp.codegen.tree import DType
from symbp.ir.affine import settled
from symbp.ir.expr import Expr, FloorDiv, Size
from symbp.targets.compiled.form import NUMBER, Form, Kind, Shape, Unknown, broadcast, same, widest
from symbp.targets.numpy.inference.trees import axes_of, makes_reals
from symbp.targets.numpy.kernels.arrays import FUNCTIONS, OF_SIZES

UFUNCS = frozenset(
    {
        "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "log1p", "expm1", "square", "abs",
        "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "maximum", "minimum", "negative",
        "logaddexp", "reciprocal", "sign", "floor", "rint", "floor_divide", "arctan2", "copysign", "power",
        "isfinite",
    }
)  # fmt: skip
OPERATORS = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power",
    "//": "floor_divide", "%": "remainder", "@": "matmul", "&": "logical_and", "|": "logical_or",
    "==": "equal", "!=": "not_equal", "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal",
}  # fmt: skip
SIGNS = {"-": "negative", "~": "logical_not"}
ELEMENTWISE = frozenset(name for name in FUNCTIONS.values() if name.startswith("_"))
REDUCTIONS = frozenset({"sum", "prod", "max", "min", "argmax", "all", "any"})
KINDS: dict[DType, Kind] = {
    "real": "real", "integer": "integer", "boolean": "bool", "number": "number", "object": "real",
}  # fmt: skip
VIEWS = frozenset({"reshape", "transpose", "swapaxes"})


class Forms:
    """Infers forms. `known` grows with the names that statements bring."""

    def __init__(
        self, known: Mapping[str, Form], sizes: frozenset[str], helpers: Callable[[str], bool]
    ) -> None:
        self.known, self.sizes, self.fills = dict(known), sizes, helpers
        self.met: dict[int, tuple[tree.Expression, Form]] = {}  # the nodes of one line, with their forms

    def of(self, node: tree.Expression) -> Form:
        """The form of an expression. Raises Unknown."""
        if id(node) not in self.met:
            self.met[id(node)] = node, self._of(node)
        return self.met[id(node)][1]

    def _of(self, node: tree.Expression) -> Form:
        if isinstance(node, tree.Constant):
            return NUMBER
        if isinstance(node, tree.Name):
            return self._name(node.id)
        if isinstance(node, tree.Attribute):
            return self._attribute(node)
        if isinstance(node, tree.Unary):
            return self._together([node.operand], "bool" if node.op in ("~", "not ") else None)
        if isinstance(node, tree.Binary):
            return self._operation(node)
        if isinstance(node, tree.Between):
            return self._together([node.low, node.value, node.high], "bool")
        if isinstance(node, tree.Choice):
            return self._branches(node)
        if isinstance(node, tree.Subscript):
            return self._subscript(node)
        if isinstance(node, tree.Call):
            return self._call(node)
        raise Unknown(type(node).__name__)

    def extent(self, node: tree.Node) -> Expr:
        """A size as an expression. Raises Unknown."""
        try:
            return length(node, self._integer)
        except LookupError as e:
            raise Unknown(str(e)) from None

    def _integer(self, name: str) -> Expr | None:
        if name in self.sizes:
            return Size(name)
        # A number that is no size is the step of a loop around.
        return sympy.Symbol(name, integer=True) if self.known.get(name) == NUMBER else None

    def reads(self, node: tree.Node) -> frozenset[str]:
        """The names in an expression."""
        return frozenset(n.id for n in node.walk() if isinstance(n, tree.Name))

    # --- names and operations
    def _name(self, name: str) -> Form:
        if name in self.known:
            return self.known[name]
        if name in self.sizes:
            return NUMBER
        raise Unknown(name)

    def _attribute(self, node: tree.Attribute) -> Form:
        if isinstance(node.value, tree.Name) and node.value.id == "np":
            if node.name in ("inf", "pi", "e", "nan"):
                return NUMBER
            raise Unknown(node.name)
        if node.name == "T":
            inner = self.of(node.value)
            return replace(inner, shape=inner.shape[::-1], whole=inner.whole and len(inner.shape) < 2)
        raise Unknown(node.name)

    def _together(self, nodes: Sequence[tree.Expression], kind: Kind | None = None) -> Form:
        """Operands broadcast against each other."""
        forms = [self.of(node) for node in nodes]
        shape = broadcast([form.shape for form in forms])
        found = widest(forms)
        if found in ("integer", "bool") and any(map(makes_reals, nodes)):
            found = "real"
        return Form(shape, kind or found, view=not shape and all(f.view for f in forms), whole=True)

    def _operation(self, node: tree.Binary) -> Form:
        if node.op == "@":
            return self._product(self.of(node.left), self.of(node.right))
        if node.op in COMPARISONS or node.op in ("and", "or"):
            return self._together([node.left, node.right], "bool")
        kind: Kind | None = "bool" if node.op in "&|" else None
        found = self._together([node.left, node.right], kind)
        if found.shape and found.kind != "real" and node.op in ("/", "**"):
            raise Unknown("a quotient of integers")
        if found.kind == "bool" and kind is None:
            return replace(found, kind="integer")
        return found

    def _product(self, a: Form, b: Form) -> Form:
        if not a.shape or not b.shape or widest([a, b]) != "real":
            raise Unknown("a product without axes")
        if len(a.shape) == 1 or len(b.shape) == 1:
            if len(a.shape) > 2 or len(b.shape) > 2:
                raise Unknown("a batch of products with a vector")
            return Form((*a.shape[:-1], *b.shape[1:]), whole=True)
        batch = broadcast([a.shape[:-2], b.shape[:-2]])
        return Form((*batch, a.shape[-2], b.shape[-1]), whole=True)

    def _branches(self, node: tree.Choice) -> Form:
        yes, no = self.of(node.then), self.of(node.otherwise)
        if self.of(node.condition).shape or not same(yes.shape, no.shape):
            raise Unknown("branches of different shapes")
        free = yes.view and no.view
        return Form(yes.shape, widest([yes, no]), view=free, whole=yes.whole and no.whole)

    # --- subscripts
    def _subscript(self, node: tree.Subscript) -> Form:
        inner = self.of(node.value)
        parts = self.parts(node, inner)
        if self.gathers(parts):
            return replace(self._gathered(inner, parts), view=False, whole=True)
        shape: list[Expr] = []
        axis, whole, moved = 0, inner.whole, False
        for part in parts:
            if isinstance(part, tree.NewAxis):
                shape.append(sympy.Integer(1))
                continue
            extent = inner.shape[axis]
            axis += 1
            if isinstance(part, tree.Slice):
                plain = part == tree.Slice()
                shape.append(extent if plain else self._span(part, extent))
                whole = whole and (plain or not moved)
                whole = whole and part.step is None
                moved = True
            else:
                whole = whole and not moved  # an element of a leading axis
        return replace(inner, shape=tuple(shape), whole=whole and self._leading(parts))

    def _leading(self, parts: Sequence[tree.Node]) -> bool:
        """Whether at most the first axis that isn't an element is cut short."""
        cut = [p.start is not None or p.stop is not None for p in parts if isinstance(p, tree.Slice)]
        return not any(cut[1:])

    def parts(self, node: tree.Subscript, inner: Form) -> list[tree.Node]:
        """The subscripts, one for each axis (and each new axis)."""
        given = node.items
        used = sum(1 for p in given if not isinstance(p, (tree.NewAxis, tree.Rest)))
        missing: list[tree.Node] = [tree.Slice() for _ in range(len(inner.shape) - used)]
        if len(inner.shape) < used:
            raise Unknown("too many subscripts")
        found: list[tree.Node] = []
        for part in given:
            if isinstance(part, tree.Rest):
                found += missing
                missing = []
            else:
                found.append(part)
        return found + missing

    def gathers(self, parts: Sequence[tree.Node]) -> bool:
        """Whether some subscript is an array."""
        return any(isinstance(p, tree.Expression) and bool(self.of(p).shape) for p in parts)

    def _gathered(self, inner: Form, parts: Sequence[tree.Node]) -> Form:
        arrays = [k for k, p in enumerate(parts) if not isinstance(p, tree.Slice)]
        if any(isinstance(p, tree.NewAxis) for p in parts):
            raise Unknown("a new axis beside positions")
        common = broadcast([self.of(p).shape for p in parts if isinstance(p, tree.Expression)])
        if arrays != list(range(arrays[0], arrays[-1] + 1)):
            raise Unknown("positions apart from each other")
        shape = [self._extent_of(p, e) for p, e in zip(parts, inner.shape, strict=True)]
        return replace(inner, shape=(*shape[: arrays[0]], *common, *shape[arrays[-1] + 1 :]))

    def _extent_of(self, part: tree.Node, extent: Expr) -> Expr:
        return self._span(part, extent) if isinstance(part, tree.Slice) else extent

    def _span(self, part: tree.Slice, extent: Expr) -> Expr:
        """The number of elements of a slice."""
        step = self.extent(part.step) if part.step else sympy.Integer(1)
        if step.is_negative:
            start = self._end(part.start, extent) if part.start else extent - 1
            stop = self._end(part.stop, extent) if part.stop else sympy.Integer(-1)
            return self._counted(start - stop, -step)
        start = self._end(part.start, extent) if part.start else sympy.Integer(0)
        stop = self._end(part.stop, extent) if part.stop else extent
        return self._counted(stop - start, step)

    def _counted(self, length: Expr, step: Expr) -> Expr:
        # A slice in a loop has as many elements at every step: as many as at the first.
        first = {s: sympy.Integer(0) for s in length.free_symbols if not isinstance(s, Size)}
        if first and step == 1:  # unlike a step's, the end of such a slice is that of the array
            raise Unknown("a slice that grows shorter")
        length = sympy.expand(length.xreplace(first))
        return length if step == 1 else sympy.expand(settled(FloorDiv(length + step - 1, step), {}))

    def _end(self, node: tree.Expression, extent: Expr) -> Expr:
        found = self.extent(node)
        return sympy.expand(extent + found) if found.is_negative else found

    # --- calls
    def _call(self, node: tree.Call) -> Form:
        if node.name in OF_SIZES.values():
            return NUMBER
        if node.name.startswith("np."):
            return self._numpy(node.name.removeprefix("np."), node)
        if node.name.startswith("."):
            return self._method(node)
        return self._named(node.name, node)

    def _named(self, name: str, node: tree.Call) -> Form:
        if name in ("min", "max", "float", "int", "len", "range", "DTYPE", "abs"):
            form = self._together(node.arguments)
            if form.shape:
                raise Unknown(name)
            return form
        if name == "_windows":
            inner = self.of(node.arguments[0])
            return Form(node.shape, inner.kind, view=inner.view, whole=False)
        if name == "_transposed":
            inner = self.of(node.arguments[0])
            return Form(inner.shape[::-1], inner.kind, whole=True)
        if name == "_symmetric_product":
            return self._product(self.of(node.arguments[0]), self.of(node.arguments[1]))
        if name == "_where":
            return self._chosen(node.arguments)
        if name in ELEMENTWISE:
            return replace(self._together(node.arguments, "real"), view=False)
        raise Unknown(name)

    def _numpy(self, name: str, node: tree.Call) -> Form:
        if name in UFUNCS:
            return self._together(node.arguments, "bool" if name == "isfinite" else None)
        if name == "where":
            return self._chosen(node.arguments)
        if name == "clip":
            return replace(self._together(node.arguments), view=False)
        if name == "arange" and len(node.arguments) == 1:
            return Form(node.shape, KINDS[node.dtype], view=True, whole=True)
        if name in ("zeros", "ones", "full", "empty"):
            return Form(node.shape, KINDS[node.dtype], view=name != "empty", whole=name in ("zeros", "empty"))
        if name == "pad":
            return Form(node.shape, self.of(node.arguments[0]).kind, whole=True)
        if name == "einsum":
            return Form(node.shape, whole=True)
        if name == "vdot":
            self._together(node.arguments)
            return Form(kind="real", whole=True)
        if name == "concatenate" and isinstance(node.arguments[0], tree.Sequence):
            return Form(node.shape, widest(list(map(self.of, node.arguments[0].items))), whole=True)
        if name == "broadcast_to":
            inner = self.of(node.arguments[0])
            return Form(node.shape, inner.kind, view=inner.view, whole=False)
        raise Unknown(name)

    def _chosen(self, nodes: Sequence[tree.Expression]) -> Form:
        """A choice by a condition, the first; one between numbers makes an array of reals."""
        shape, kind = self._together(nodes).shape, self._together(nodes[1:]).kind
        return Form(shape, "real" if shape and kind == "number" else kind, whole=True)

    def widths(self, node: tree.Expression) -> list[tuple[Expr, Expr]]:
        """By how much `np.pad` lengthens each axis."""
        if not isinstance(node, tree.Sequence):
            raise Unknown(text(node))
        pairs = node.items if isinstance(node.items[0], tree.Sequence) else (node,)
        found = [self.shape(pair) for pair in pairs]
        return [(pair[0], pair[1]) for pair in found]

    def _method(self, node: tree.Call) -> Form:
        inner, name = self.of(node.arguments[0]), node.name.removeprefix(".")
        if name in REDUCTIONS:
            axes = axes_of(node, len(inner.shape))
            shape = tuple(e for k, e in enumerate(inner.shape) if k not in axes)
            kind: Kind = "integer" if name == "argmax" else inner.kind
            if name in ("sum", "prod") and inner.kind == "bool":
                kind = "integer"
            return Form(shape, kind, whole=True)
        if name == "reshape":
            return replace(inner, shape=node.shape, view=inner.view and inner.whole)
        if name in ("transpose", "swapaxes"):
            return replace(inner, shape=node.shape, whole=False)
        if name == "astype":
            return Form(inner.shape, "real", view=not inner.shape, whole=True)
        if name == "copy":
            return replace(inner, view=False, whole=True)
        raise Unknown(name)

    def axes(self, node: tree.Call) -> frozenset[int]:
        """The axes over which a method reduces."""
        return frozenset(axes_of(node, len(self.of(node.arguments[0]).shape)))

    def shape(self, node: tree.Expression) -> Shape:
        """A shape that stands as a tuple or a number."""
        return tuple(self.extent(e) for e in (node.items if isinstance(node, tree.Sequence) else (node,)))

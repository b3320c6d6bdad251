"""What a NumPy expression gives, read off its text: shape, kind of number, and whether it computes at all.

Enters: a Python syntax tree over names of known form. Leaves: a `Form`, or `Unknown` for what isn't foreseen.
Must not know: tensors, equations, where a value is stored.

A view (a slice, a transpose, a reshape of contiguous memory) computes nothing; neither does a number.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import sympy

from symbp.emit.inference.form import NUMBER, Form, Kind, Shape, Unknown, broadcast, same, widest
from symbp.emit.numpy.arrays import FUNCTIONS, OF_SIZES
from symbp.ir.affine import settled
from symbp.ir.expr import Expr, FloorDiv, Mod, Size

UFUNCS = frozenset(
    {
        "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "log1p", "expm1", "square", "abs",
        "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "maximum", "minimum", "negative",
        "logaddexp", "reciprocal", "sign", "floor", "rint", "floor_divide", "arctan2", "copysign", "power",
        "isfinite",
    }
)  # fmt: skip
OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power",
    ast.FloorDiv: "floor_divide", ast.Mod: "remainder", ast.MatMult: "matmul",
    ast.BitAnd: "logical_and", ast.BitOr: "logical_or", ast.USub: "negative", ast.Invert: "logical_not",
    ast.Eq: "equal", ast.NotEq: "not_equal", ast.Lt: "less", ast.LtE: "less_equal",
    ast.Gt: "greater", ast.GtE: "greater_equal",
}  # fmt: skip
ELEMENTWISE = frozenset(name for name in FUNCTIONS.values() if name.startswith("_"))
REDUCTIONS = frozenset({"sum", "prod", "max", "min", "argmax", "all", "any"})
VIEWS = frozenset({"reshape", "transpose", "swapaxes"})


class Forms:
    """Infers forms. `known` grows with the names that statements bring."""

    def __init__(
        self, known: Mapping[str, Form], sizes: frozenset[str], helpers: Callable[[str], bool]
    ) -> None:
        self.known, self.sizes, self.fills = dict(known), sizes, helpers
        self.met: dict[ast.expr, Form] = {}  # the forms of the nodes of one line

    def of(self, node: ast.expr) -> Form:
        """The form of an expression. Raises Unknown."""
        if node not in self.met:
            self.met[node] = self._of(node)
        return self.met[node]

    def _of(self, node: ast.expr) -> Form:
        if isinstance(node, ast.Constant):
            return NUMBER
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.UnaryOp):
            return self._together(
                [node.operand], "bool" if isinstance(node.op, (ast.Not, ast.Invert)) else None
            )
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.Compare):
            return self._together([node.left, *node.comparators], "bool")
        if isinstance(node, ast.BoolOp):
            return self._together(node.values, "bool")
        if isinstance(node, ast.IfExp):
            return self._branches(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise Unknown(type(node).__name__)

    def extent(self, node: ast.expr) -> Expr:
        """A size as an expression. Raises Unknown."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return sympy.Integer(node.value)
        if isinstance(node, ast.Name) and node.id in self.sizes:
            return Size(node.id)
        if isinstance(node, ast.Name) and self.known.get(node.id) == NUMBER:
            return sympy.Symbol(node.id, integer=True)  # of a loop around
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.extent(node.operand)
        if isinstance(node, ast.BinOp):
            a, b = self.extent(node.left), self.extent(node.right)
            if isinstance(node.op, ast.Add):
                return sympy.expand(a + b)
            if isinstance(node.op, ast.Sub):
                return sympy.expand(a - b)
            if isinstance(node.op, ast.Mult):
                return sympy.expand(a * b)
            if isinstance(node.op, ast.FloorDiv):
                return FloorDiv(a, b)
            if isinstance(node.op, ast.Mod):
                return Mod(a, b)
        raise Unknown(ast.unparse(node))

    def reads(self, node: ast.expr) -> frozenset[str]:
        """The names in an expression."""
        return frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name))

    # --- names and operations
    def _name(self, name: str) -> Form:
        if name in self.known:
            return self.known[name]
        if name in self.sizes:
            return NUMBER
        raise Unknown(name)

    def _attribute(self, node: ast.Attribute) -> Form:
        if isinstance(node.value, ast.Name) and node.value.id == "np":
            if node.attr in ("inf", "pi", "e", "nan"):
                return NUMBER
            raise Unknown(node.attr)
        if node.attr == "T":
            inner = self.of(node.value)
            return replace(inner, shape=inner.shape[::-1], whole=inner.whole and len(inner.shape) < 2)
        raise Unknown(node.attr)

    def _together(self, nodes: Sequence[ast.expr], kind: Kind | None = None) -> Form:
        """Operands broadcast against each other."""
        forms = [self.of(node) for node in nodes]
        shape = broadcast([form.shape for form in forms])
        found = widest(forms)
        if found in ("integer", "bool") and any(map(_fraction, nodes)):
            found = "real"
        return Form(shape, kind or found, view=not shape and all(f.view for f in forms), whole=True)

    def _operation(self, node: ast.BinOp) -> Form:
        if isinstance(node.op, ast.MatMult):
            return self._product(self.of(node.left), self.of(node.right))
        kind: Kind | None = "bool" if isinstance(node.op, (ast.BitAnd, ast.BitOr)) else None
        found = self._together([node.left, node.right], kind)
        if found.shape and found.kind != "real" and isinstance(node.op, (ast.Div, ast.Pow)):
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

    def _branches(self, node: ast.IfExp) -> Form:
        yes, no = self.of(node.body), self.of(node.orelse)
        if self.of(node.test).shape or not same(yes.shape, no.shape):
            raise Unknown("branches of different shapes")
        free = yes.view and no.view
        return Form(yes.shape, widest([yes, no]), view=free, whole=yes.whole and no.whole)

    # --- subscripts
    def _subscript(self, node: ast.Subscript) -> Form:
        inner = self.of(node.value)
        parts = self.parts(node, inner)
        if self.gathers(parts):
            return replace(self._gathered(inner, parts), view=False, whole=True)
        shape: list[Expr] = []
        axis, whole, moved = 0, inner.whole, False
        for part in parts:
            if _is_none(part):
                shape.append(sympy.Integer(1))
                continue
            extent = inner.shape[axis]
            axis += 1
            if isinstance(part, ast.Slice):
                plain = part.lower is None and part.upper is None and part.step is None
                shape.append(extent if plain else self._span(part, extent))
                whole = whole and (plain or not moved)
                whole = whole and part.step is None
                moved = True
            else:
                whole = whole and not moved  # an element of a leading axis
        return replace(inner, shape=tuple(shape), whole=whole and self._leading(parts))

    def _leading(self, parts: Sequence[ast.expr]) -> bool:
        """Whether at most the first axis that isn't an element is cut short."""
        cut = [
            isinstance(p, ast.Slice) and (p.lower is not None or p.upper is not None)
            for p in parts
            if isinstance(p, ast.Slice)
        ]
        return not any(cut[1:])

    def parts(self, node: ast.Subscript, inner: Form) -> list[ast.expr]:
        """The subscripts, one for each axis (and each new axis)."""
        given = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        used = sum(1 for p in given if not _is_none(p) and not _is_ellipsis(p))
        missing: list[ast.expr] = [ast.Slice() for _ in range(len(inner.shape) - used)]
        if len(inner.shape) < used:
            raise Unknown("too many subscripts")
        found: list[ast.expr] = []
        for part in given:
            if _is_ellipsis(part):
                found += missing
                missing = []
            else:
                found.append(part)
        return found + missing

    def gathers(self, parts: Sequence[ast.expr]) -> bool:
        """Whether some subscript is an array."""
        return any(not isinstance(p, ast.Slice) and not _is_none(p) and bool(self.of(p).shape) for p in parts)

    def _gathered(self, inner: Form, parts: Sequence[ast.expr]) -> Form:
        arrays = [k for k, p in enumerate(parts) if not isinstance(p, ast.Slice)]
        if any(_is_none(p) for p in parts):
            raise Unknown("a new axis beside positions")
        common = broadcast([self.of(parts[k]).shape for k in arrays])
        if arrays != list(range(arrays[0], arrays[-1] + 1)):
            raise Unknown("positions apart from each other")
        shape = [self._extent_of(p, e) for p, e in zip(parts, inner.shape, strict=True)]
        return replace(inner, shape=(*shape[: arrays[0]], *common, *shape[arrays[-1] + 1 :]))

    def _extent_of(self, part: ast.expr, extent: Expr) -> Expr:
        return self._span(part, extent) if isinstance(part, ast.Slice) else extent

    def _span(self, part: ast.Slice, extent: Expr) -> Expr:
        """The number of elements of a slice."""
        step = self.extent(part.step) if part.step else sympy.Integer(1)
        if step.is_negative:
            start = self._end(part.lower, extent) if part.lower else extent - 1
            stop = self._end(part.upper, extent) if part.upper else sympy.Integer(-1)
            return self._counted(start - stop, -step)
        start = self._end(part.lower, extent) if part.lower else sympy.Integer(0)
        stop = self._end(part.upper, extent) if part.upper else extent
        return self._counted(stop - start, step)

    def _counted(self, length: Expr, step: Expr) -> Expr:
        # A slice in a loop has as many elements at every step: as many as at the first.
        first = {s: sympy.Integer(0) for s in length.free_symbols if not isinstance(s, Size)}
        if first and step == 1:  # unlike a step's, the end of such a slice is that of the array
            raise Unknown("a slice that grows shorter")
        length = sympy.expand(length.xreplace(first))
        return length if step == 1 else sympy.expand(settled(FloorDiv(length + step - 1, step), {}))

    def _end(self, node: ast.expr, extent: Expr) -> Expr:
        found = self.extent(node)
        return sympy.expand(extent + found) if found.is_negative else found

    # --- calls
    def _call(self, node: ast.Call) -> Form:
        function = node.func
        if isinstance(function, ast.Attribute):
            if isinstance(function.value, ast.Name) and function.value.id == "np":
                return self._numpy(function.attr, node)
            if ast.unparse(function) in OF_SIZES.values():
                return NUMBER
            return self._method(function, node)
        if isinstance(function, ast.Name):
            return self._named(function.id, node)
        raise Unknown(ast.unparse(function))

    def _named(self, name: str, node: ast.Call) -> Form:
        if name in ("min", "max", "float", "int", "len", "range", "DTYPE", "abs"):
            form = self._together(node.args)
            if form.shape:
                raise Unknown(name)
            return form
        if name == "_windows":
            inner, shape = self.of(node.args[0]), self.shape(node.args[1])
            return Form(shape, inner.kind, view=inner.view, whole=False)
        if name == "_transposed":
            inner = self.of(node.args[0])
            return Form(inner.shape[::-1], inner.kind, whole=True)
        if name == "_symmetric_product":
            return self._product(self.of(node.args[0]), self.of(node.args[1]))
        if name == "_where":
            return self._chosen(node.args)
        if name in ELEMENTWISE:
            return replace(self._together(node.args, "real"), view=False)
        raise Unknown(name)

    def _numpy(self, name: str, node: ast.Call) -> Form:
        if name in UFUNCS:
            return self._together(node.args, "bool" if name == "isfinite" else None)
        if name == "where":
            return self._chosen(node.args)
        if name == "clip":
            return replace(self._together(node.args), view=False)
        if name == "arange" and len(node.args) == 1:
            kind: Kind = "real" if node.keywords else "integer"
            return Form((self.extent(node.args[0]),), kind, view=True, whole=True)
        if name in ("zeros", "ones", "full", "empty"):
            dtype = ast.unparse(node.args[-1]) if len(node.args) > 1 else ""
            kind = {"np.int64": "integer", "bool": "bool"}.get(dtype, "real")  # type: ignore[assignment]
            return Form(
                self.shape(node.args[0]), kind, view=name != "empty", whole=name in ("zeros", "empty")
            )
        if name == "pad":
            inner = self.of(node.args[0])
            widths = zip(inner.shape, self.widths(node.args[1]), strict=True)
            return Form(tuple(sympy.expand(n + a + b) for n, (a, b) in widths), inner.kind, whole=True)
        if name == "einsum":
            return self._einsum(node)
        if name == "vdot":
            self._together(node.args)
            return Form(kind="real", whole=True)
        if name == "concatenate" and isinstance(node.args[0], ast.Tuple):
            return self._joined(node.args[0].elts, int(ast.literal_eval(node.args[1])))
        if name == "broadcast_to":
            inner = self.of(node.args[0])
            return Form(self.shape(node.args[1]), inner.kind, view=inner.view, whole=False)
        raise Unknown(name)

    def _chosen(self, nodes: Sequence[ast.expr]) -> Form:
        """A choice by a condition, the first; one between numbers makes an array of reals."""
        shape, kind = self._together(nodes).shape, self._together(nodes[1:]).kind
        return Form(shape, "real" if shape and kind == "number" else kind, whole=True)

    def widths(self, node: ast.expr) -> list[tuple[Expr, Expr]]:
        """By how much `np.pad` lengthens each axis."""
        if not isinstance(node, ast.Tuple):
            raise Unknown(ast.unparse(node))
        pairs = node.elts if isinstance(node.elts[0], ast.Tuple) else [node]
        found = [self.shape(pair) for pair in pairs]
        return [(pair[0], pair[1]) for pair in found]

    def _joined(self, nodes: Sequence[ast.expr], axis: int) -> Form:
        forms = [self.of(node) for node in nodes]
        total = sympy.expand(sum((form.shape[axis] for form in forms), sympy.S.Zero))
        shape = list(forms[0].shape)
        shape[axis] = total
        return Form(tuple(shape), widest(forms), whole=True)

    def _einsum(self, node: ast.Call) -> Form:
        into, _, out = str(ast.literal_eval(node.args[0])).partition("->")
        extents = {
            letter: extent
            for letters, operand in zip(into.split(","), node.args[1:], strict=True)
            for letter, extent in zip(letters, self.of(operand).shape, strict=True)
        }
        return Form(tuple(extents[letter] for letter in out), whole=True)

    def _method(self, function: ast.Attribute, node: ast.Call) -> Form:
        inner, name = self.of(function.value), function.attr
        if name in REDUCTIONS:
            axes = self._axes(node, len(inner.shape))
            shape = tuple(e for k, e in enumerate(inner.shape) if k not in axes)
            kind: Kind = "integer" if name == "argmax" else inner.kind
            if name in ("sum", "prod") and inner.kind == "bool":
                kind = "integer"
            return Form(shape, kind, whole=True)
        if name == "reshape":
            shape = self._reshaped(inner, node)
            return replace(inner, shape=shape, view=inner.view and inner.whole)
        if name == "transpose":
            order = [int(ast.literal_eval(a)) for a in node.args]
            return replace(inner, shape=tuple(inner.shape[k] for k in order), whole=False)
        if name == "swapaxes":
            a, b = (int(ast.literal_eval(n)) for n in node.args)
            shape_ = list(inner.shape)
            shape_[a], shape_[b] = shape_[b], shape_[a]
            return replace(inner, shape=tuple(shape_), whole=False)
        if name == "astype":
            return Form(inner.shape, "real", view=not inner.shape, whole=True)
        if name == "copy":
            return replace(inner, view=False, whole=True)
        raise Unknown(name)

    def _reshaped(self, inner: Form, node: ast.Call) -> Shape:
        given = [a for arg in node.args for a in (arg.elts if isinstance(arg, ast.Tuple) else [arg])]
        extents = [None if _is_minus_one(a) else self.extent(a) for a in given]
        if None in extents:
            total = sympy.Mul(*inner.shape)
            rest = sympy.Mul(*[e for e in extents if e is not None])
            quotient = sympy.cancel(total / rest)
            if not quotient.is_polynomial():
                raise Unknown("an extent that isn't stated")
            extents[extents.index(None)] = sympy.expand(quotient)
        return tuple(e for e in extents if e is not None)

    def axes(self, node: ast.Call) -> frozenset[int]:
        """The axes over which a method reduces."""
        assert isinstance(node.func, ast.Attribute)
        return frozenset(self._axes(node, len(self.of(node.func.value).shape)))

    def _axes(self, node: ast.Call, rank: int) -> set[int]:
        if not node.args:
            return set(range(rank))
        axes = ast.literal_eval(node.args[0])
        return {k % rank for k in (axes if isinstance(axes, tuple) else (axes,))}

    def shape(self, node: ast.expr) -> Shape:
        """A shape that stands as a tuple or a number."""
        return tuple(self.extent(e) for e in (node.elts if isinstance(node, ast.Tuple) else [node]))


def _fraction(node: ast.expr) -> bool:
    """Whether a number makes reals of integers: a decimal, a quotient, one of the module's type."""
    if isinstance(node, ast.UnaryOp):
        return _fraction(node.operand)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Div) or _fraction(node.left) or _fraction(node.right)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("DTYPE", "float")
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def _is_minus_one(node: ast.expr) -> bool:
    return ast.unparse(node) == "-1"

"""Bodies of equations as JavaScript expressions, with the meaning that the reference interpreter gives them.

Enters: expressions, JavaScript's names for tensors, sizes and indices. Leaves: text.
Must not know: the order of evaluation, or where arrays are kept.

Guards are lazy: where one is 0, the rest of its product isn't evaluated. A read outside the range of a tensor
has the access's outside value, or is not a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from symbp.errors import GenerationError
from symbp.ir.expr import Access, Expr, FloorDiv, FloorQuotient, Guard, Index, Mod, Round, Size, guards_of
from symbp.ir.functions import ELEMENTARY
from symbp.ir.system import Tensor
from symbp.read.display import Along, Reduced

OWN = {f.name: f"Math.{f.javascript}" for f in ELEMENTARY.values() if f.javascript} | {"abs": "Math.abs"}
ADDED = (  # by the page's arithmetic
    "erf", "erfc", "loggamma", "polygamma", "sigmoid", "relu", "softplus", "softmax", "log_softmax",
    "logsumexp", "sum", "prod", "max",
)  # fmt: skip
RELATIONS = {"=": "===", "!=": "!==", "<": "<", "<=": "<="}
CONSTANTS = {sympy.pi: "Math.PI", sympy.E: "Math.E", sympy.oo: "Infinity", -sympy.oo: "-Infinity"}


class Expressions:
    """The expressions of one equation; `extents` says how far its indices run."""

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        names: Mapping[str, str],
        indices: Mapping[Index, str],
        extents: Mapping[Index, Expr],
    ) -> None:
        self.tensors, self.names, self.indices, self.extents = tensors, names, indices, extents

    def value(self, e: Expr) -> str:
        """An expression; a compound one in parentheses. Raises GenerationError for what has no JavaScript."""
        if e.is_Rational:
            return str(e.p) if e.q == 1 else f"({e.p}/{e.q})"
        if isinstance(e, Index):
            return self.indices[e]
        if isinstance(e, Size):
            return self.names[e.name]
        if isinstance(e, Access):
            return self.access(e)
        if isinstance(e, Guard):
            return f"({self.condition(e)} ? 1 : 0)"
        if isinstance(e, (FloorDiv, Mod, FloorQuotient)):
            a, b = map(self.value, e.args)
            return f"modulo({a}, {b})" if isinstance(e, Mod) else f"Math.floor({a}/{b})"
        if isinstance(e, Reduced):
            return self.reduction(e.op, e.indices, e.extents, e.where, e.body)
        if isinstance(e, Along):
            return self.along(e)
        if e.is_Add:
            return f"({' + '.join(map(self.value, e.args))})"
        if e.is_Mul:
            return self.product(e)
        if e.is_Pow and not isinstance(e, sympy.exp):
            return self.power(e)
        if e in CONSTANTS:
            return CONSTANTS[e]
        if e.is_NumberSymbol or e.is_Float:
            return repr(float(e))
        if e.is_Function:
            return self.function(e)
        raise _unknown(e)

    def condition(self, guard: Guard) -> str:
        """A relation."""
        return f"{self.value(guard.lhs)} {RELATIONS[guard.op]} {self.value(guard.rhs)}"

    def access(self, access: Access) -> str:
        """The read of an element, checked where its place may be outside."""
        shape = self.tensors[access.name].shape
        subscripts = [self.value(s) for s in access.subscripts]
        read = f"{self.names[access.name]}[{self.place(shape, subscripts)}]"
        checks = [
            f"inside({shown}, {self.value(extent)})"
            for subscript, shown, extent in zip(access.subscripts, subscripts, shape, strict=True)
            if not self.is_within(subscript, extent)
        ]
        if not checks:
            return read
        outside = "NaN" if access.outside is None else self.value(access.outside)
        return f"({' && '.join(checks)} ? {read} : {outside})"

    def is_within(self, subscript: Expr, extent: Expr) -> bool:
        """Whether a subscript is an index that runs along that axis, or a number that every axis has."""
        if isinstance(subscript, Index):
            return bool(self.extents.get(subscript) == extent)
        return bool(subscript.is_Integer and extent.is_Integer and 0 <= subscript < extent)

    def place(self, shape: Sequence[Expr], subscripts: Sequence[str]) -> str:
        """The place of an element in row-major order."""
        found = ""
        for extent, subscript in zip(shape, subscripts, strict=True):
            if not found:
                found = subscript
            else:
                start = f"({found})" if " + " in found else found
                found = f"{start}*{self.value(extent)} + {subscript}"
        return found or "0"

    def product(self, e: Expr) -> str:
        parts = sympy.Mul.make_args(e)
        guards = guards_of(parts)
        over, under = [], []
        for factor in (f for f in parts if not isinstance(f, Guard)):
            base, exponent = factor.as_base_exp()
            if exponent == -1 and not factor.is_Rational and not isinstance(factor, sympy.exp):
                under.append(self.value(base))
            else:
                over.append(self.value(factor))
        written = "*".join(over) or "1"
        if under:
            written += f"/{under[0]}" if len(under) == 1 else f"/({'*'.join(under)})"
        if guards:
            return f"({' && '.join(map(self.condition, guards))} ? {written} : 0)"
        return f"({written})"

    def power(self, e: Expr) -> str:
        base, exponent = self.value(e.base), e.exp
        if exponent == -1:
            return f"(1/{base})"
        if exponent == sympy.Rational(1, 2):
            return f"Math.sqrt({base})"
        if exponent == sympy.Rational(-1, 2):
            return f"(1/Math.sqrt({base}))"
        return f"Math.pow({base}, {self.value(exponent)})"

    def function(self, e: Expr) -> str:
        """An elementary function; one that a page names and JavaScript doesn't know, by its definition."""
        name = "round" if isinstance(e, Round) else type(e).__name__.lower()
        arguments = ", ".join(map(self.value, e.args))
        if name in OWN or name == "floor":
            return f"Math.{name}({arguments})"
        if name in ADDED:
            return f"{name}({arguments})"
        if name == "round":
            return f"roundedToEven({arguments})"
        definition = getattr(e, "definition", None)
        if definition is None:
            raise _unknown(e)
        return self.value(definition)

    def reduction(
        self,
        op: str,
        indices: Sequence[Index],
        extents: Mapping[Index, Expr],
        where: Sequence[Guard],
        body: Expr,
        component: int | None = None,
    ) -> str:
        """A call that goes over the indices; what conditions exclude is `undefined`."""
        if op not in ADDED and op != "argmax":
            raise GenerationError(f"the page's script can't compute {op}")
        inner = self.within(indices, extents)
        written = inner.value(body)
        if where:
            written = f"{' && '.join(map(inner.condition, where))} ? {written} : undefined"
        lengths = ", ".join(self.value(extents[i]) for i in indices)
        over = ", ".join(inner.indices[i] for i in indices)
        which = "" if component is None else f"{component}, "
        return f"{op}([{lengths}], {which}({over}) => {written})"

    def along(self, e: Along) -> str:
        """A share of a whole, at one place of it."""
        inner = self.within((e.index,), {e.index: e.extent})
        written = inner.value(e.body)
        if e.where:
            written = f"{' && '.join(map(inner.condition, e.where))} ? {written} : undefined"
        at = self.value(e.index)
        return f"{e.function}({self.value(e.extent)}, {at}, ({inner.indices[e.index]}) => {written})"

    def within(self, indices: Sequence[Index], extents: Mapping[Index, Expr]) -> Expressions:
        """The same where further indices run."""
        own = {index: name for index, name in self.indices.items() if index not in indices}
        taken = {*self.names.values(), *own.values()}
        for index in indices:
            own[index] = index_name(index, taken)
        return Expressions(self.tensors, self.names, own, {**self.extents, **extents})


def index_name(index: Index, taken: set[str]) -> str:
    """An index's name, which no tensor and no size has."""
    name = identifier(index.name)
    while name in taken:
        name += "_"
    return name


def identifier(name: str) -> str:
    """A name with nothing in it that JavaScript doesn't take."""
    found = "".join(c if c.isalnum() or c == "_" else "_" for c in name)
    return found if found and not found[0].isdigit() else f"_{found}"


def _unknown(e: Expr) -> GenerationError:
    return GenerationError(f"the page's script can't compute {type(e).__name__}", details=(str(e),))

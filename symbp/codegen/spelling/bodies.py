"""One walk from a scalar body to an expression of code; a target says only how each node is spelled.

Enters: bodies of equations. Leaves: `Written` expressions with their axes and kind of number.
Must not know: ops, kernels, loops, layout. What spells arrays or elements overrides the small methods.

Numerically kind spellings are chosen by form: log(1 + u), exp(u) − 1, 1/(1 + exp(u)), log(1 + exp(u)). Two
terms under a guard and its complement are one choice, so that what is not taken is not added as zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from symbp.codegen import infer
from symbp.codegen.spelling.terms import (
    added_in_order,
    choices,
    content,
    factor_key,
    fraction,
    guard_rank,
    is_sigmoid,
    negative,
)
from symbp.codegen.spelling.written import ZERO, Kind, Test, Written, is_short
from symbp.errors import LoweringError
from symbp.ir.decimals import decimal
from symbp.ir.expr import Access, Expr, FloorDiv, Guard, Index, Mod, Size, nan_guards, nan_reads
from symbp.ir.printer import expression_text

POLYGAMMA = {0: "digamma", 1: "trigamma"}  # the derivatives of log Γ that the targets have a function for


class Spelling:
    """Walks a body; `known` gives names to subexpressions already computed, `equation` names errors."""

    target = ""
    functions: dict[str, str] = {}  # noqa: RUF012 (overridden whole, never changed)

    def __init__(self, where: str = "") -> None:
        self.where = where
        self.known: dict[Expr, Written] = {}
        self.guarded = 0
        self.eager = 0  # inside of choices that evaluate all that they choose from
        self.helpers: set[str] = set()

    # --- what a target spells
    def access(self, e: Access) -> Written:
        raise NotImplementedError

    def index(self, e: Index) -> Written:
        raise NotImplementedError

    def index_value(self, e: Index) -> Written:
        raise NotImplementedError

    def size(self, e: Size) -> Written:
        return Written(infer.name(e.name, (), "number"), kind="number")

    def number(self, text: str) -> Written:
        return Written(infer.python_number(text), kind="number")

    def together(self, values: Sequence[Written]) -> tuple[list[Written], tuple[Index, ...]]:
        """The values lifted to a common frame, and its axes."""
        raise NotImplementedError

    def choose(self, condition: Written, yes: Written, no: Written) -> Written:
        raise NotImplementedError

    def both(self, conditions: Sequence[Written]) -> Written:
        raise NotImplementedError

    def extreme(self, guard: Guard, yes: Expr, no: Expr) -> Written | None:  # noqa: ARG002
        """A choice that is a maximum, a minimum or an absolute value, where the target has a word for it."""
        return None

    def evaluable(self, *bodies: Expr) -> bool:  # noqa: ARG002
        """Whether it is cheap to evaluate the bodies also where a guard excludes them, and nothing fails."""
        return False

    def real(self, value: Written) -> Written:
        """A condition or an integer as a number that reals may meet."""
        raise NotImplementedError

    # --- the walk
    def write(self, e: Expr) -> Written:
        """The code of a body as a value."""
        if e in self.known:
            return self.known[e]
        if isinstance(e, Access):
            return self.access(e)
        if isinstance(e, Index):
            return self.index_value(e)
        if isinstance(e, Guard):
            return self.real(self.condition(e))
        if isinstance(e, (FloorDiv, Mod)):
            return self.real(self.integer(e))
        if isinstance(e, Size):
            return self.size(e)
        if e.is_Rational:
            return self._rational(e)
        if e.is_number:
            return self._constant(e)
        if e.is_Add:
            return self._sum(e)
        if e.is_Mul:
            return self._product(e)
        if isinstance(e, sympy.exp):
            return self.call("exp", e.args[0])
        if e.is_Pow:
            return self._power(*e.as_base_exp())
        if e.is_Function:
            return self._function(e)
        raise LoweringError(f"{self.target} code has no form for {type(e).__name__}", where=self.where)

    def lazily(self, e: Expr) -> Written:
        """The code of what one decision excludes or not, if nothing must be computed before the line: such
        a part is computed in any case, and may not read what is out of range."""
        return self.write(e)

    def call(self, name: str, *arguments: Expr) -> Written:
        """A function of SymPy's name applied to bodies."""
        if name not in self.functions:
            raise LoweringError(
                f"{self.target} code has no function {name}",
                where=self.where,
                help=f"it has: {', '.join(sorted(self.functions))}",
            )
        values, axes = self.together([self.write(a) for a in arguments])
        spelled = self.functions[name]
        if spelled.startswith("_"):
            self.helpers.add(spelled)
        return Written(infer.elementwise(spelled, *(v.node for v in values)), axes)

    def condition(self, e: Guard) -> Written:
        """A guard as a truth value."""
        lhs, rhs, op = e.lhs, e.rhs, e.op
        computed = isinstance(lhs, Size) and not isinstance(rhs, Size) and not rhs.is_number
        placed = rhs.atoms(Index) and not rhs.atoms(Access) and lhs.atoms(Access)
        if lhs.is_number or computed or placed:
            op, lhs, rhs = {"<": ">", "<=": ">="}.get(op, op), rhs, lhs
        side = self.integer if e.lhs.is_integer and e.rhs.is_integer else self.write
        (left, right), axes = self.together([side(lhs), side(rhs)])
        sign = {"=": "=="}.get(op, op)
        return Written(infer.binary(sign, left.node, right.node), axes, "bool")

    def integer(self, e: Expr) -> Written:
        """An integer expression: subscripts and the sides of integer relations."""
        if isinstance(e, Index):
            return self.index(e)
        if isinstance(e, (Access, Size)) or e in self.known:
            return self.write(e)
        if e.is_Integer:
            return self.number(str(e))
        if isinstance(e, (FloorDiv, Mod)):
            (a, b), axes = self.together([self.integer(arg) for arg in e.args])
            sign = "//" if isinstance(e, FloorDiv) else "%"
            return Written(infer.binary(sign, a.node, b.node), axes, "integer")
        if e.is_Add:
            terms = sorted(e.args, key=lambda t: (negative(t), bool(t.is_number), expression_text(t)))
            return self._added(
                [(negative(t), self.integer(-t if negative(t) else t)) for t in terms], "integer"
            )
        if e.is_Mul:
            coefficient, rest = e.as_coeff_Mul()
            if coefficient == -1:
                value = self.integer(rest)
                return Written(infer.negated(value.node), value.axes, "integer")
            factors = sorted(sympy.Mul.make_args(e), key=lambda f: (not f.is_number, expression_text(f)))
            guards = sorted((f for f in factors if isinstance(f, Guard)), key=guard_rank)
            if guards and e.atoms(Access) - sympy.Mul(*guards).atoms(Access):
                return self._guarded_integer(guards, sympy.Mul(*[f for f in factors if f not in guards]))
            values, axes = self.together([self.integer(f) for f in factors])
            return Written(infer.joined("*", [v.node for v in values]), axes, "integer")
        if e.is_Pow and e.exp.is_Integer and e.exp.is_positive:
            value = self.integer(e.base)
            power = infer.python_number(str(e.exp))
            return Written(infer.binary("**", value.node, power), value.axes, "integer")
        return self.write(e)

    def _guarded_integer(self, guards: list[Guard], rest: Expr) -> Written:
        """An integer where guards hold, 0 elsewhere: what they exclude may be read out of range."""
        condition = self._all([self.condition(g) for g in guards])
        self.guarded += self.both_evaluated(condition)
        value = self.integer(rest)
        self.guarded -= self.both_evaluated(condition)
        return self.choose_integer(condition, value)

    def choose_integer(self, condition: Written, value: Written, other: Written = ZERO) -> Written:
        """An integer where a condition holds, elsewhere another, 0 as a rule."""
        raise NotImplementedError

    def _rational(self, e: Expr) -> Written:
        text = decimal(e)
        if "/" in text:
            over, under = self.number(str(e.p)).node, self.number(str(e.q)).node
            return Written(infer.binary("/", over, under), kind="number")
        return self.number(text)

    def _constant(self, e: Expr) -> Written:
        if e in (sympy.oo, -sympy.oo):
            return self.infinity(bool(e == -sympy.oo))
        return self.number(repr(float(sympy.N(e, 20))))

    def infinity(self, negative: bool) -> Written:
        raise NotImplementedError

    def _function(self, e: Expr) -> Written:
        if isinstance(e, sympy.log):
            grown = e.args[0] - 1
            if isinstance(grown, sympy.exp):
                return self.call("softplus", grown.args[0])
            if isinstance(-grown, sympy.exp):
                return self.call("log1mexp", (-grown).args[0])
            if e.args[0].is_Add and e.args[0].as_coeff_Add()[0] == 1:
                return self.call("log1p", grown)
        if isinstance(e, sympy.polygamma) and e.args[0] in POLYGAMMA:
            return self.call(POLYGAMMA[e.args[0]], e.args[1])
        return self.call(type(e).__name__, *e.args)

    # --- sums
    def _sum(self, e: Expr) -> Written:
        if e.as_coeff_Add()[0] == -1 and isinstance(e + 1, sympy.exp):
            return self.call("expm1", (e + 1).args[0])
        if e.as_coeff_Add()[0] == 1 and isinstance(1 - e, sympy.exp):
            grown = self.call("expm1", (1 - e).args[0])
            return Written(infer.negated(grown.node), grown.axes)
        choice = self._choice(e)
        if choice is not None:
            return choice
        common, rest = content(e)
        if common != 1:  # SymPy made c·a − c·b of c·(a − b), which rounds where a − b doesn't
            return self._quotient(common, [rest], [])
        terms = added_in_order(e)
        number, rest = e.as_coeff_Add()
        if number != 0 and rest.is_Add and len({negative(t) for t in rest.args}) > 1:
            terms = [*(t for t in terms if t != number), number]  # z - h + 1: what cancels meets first
        return self._added([(negative(t), self.write(-t if negative(t) else t)) for t in terms], "real")

    def _added(self, terms: Sequence[tuple[bool, Written]], kind: Kind) -> Written:
        values, axes = self.together([value for _, value in terms])
        node = infer.negated(values[0].node) if terms[0][0] else values[0].node
        for (minus, _), value in zip(terms[1:], values[1:], strict=True):
            node = infer.binary("-", node, value.node) if minus else infer.plus(node, value.node)
        plain = all(value.kind == "number" for value in values)
        return Written(node, axes, "number" if plain else kind)

    def _choice(self, e: Expr) -> Written | None:
        """`[c]·a + [¬c]·b + rest` as a choice between a and b, for the first guard with a complement."""
        for guard, opposite, yes, no, rest in choices(e):
            if not self._keeps_nan(guard, yes, no):
                if not self._keeps_nan(opposite, no, yes):
                    continue
                guard, yes, no = opposite, no, yes
            chosen = self._chosen(guard, yes, no)
            if not rest:
                return chosen
            return self._added([(False, self.write(sympy.Add(*rest))), (False, chosen)], "real")
        return None

    def _keeps_nan(self, guard: Guard, yes: Expr, no: Expr) -> bool:
        """Whether a choice is NaN where the guard compares NaN: the second value is taken there."""
        return nan_reads(guard, yes) <= nan_reads(guard, no) or self.extreme(guard, yes, no) is not None

    def _chosen(self, guard: Guard, yes: Expr, no: Expr) -> Written:
        extreme = self.extreme(guard, yes, no)
        if extreme is not None:
            return extreme
        eager = self.evaluable(guard, yes, no)
        condition = self.condition(guard)
        self.guarded += self.both_evaluated(condition)
        self.eager += eager
        write = self.write if self.both_evaluated(condition) else self.lazily
        chosen = self.choose(condition, write(yes), write(no))
        self.eager -= eager
        self.guarded -= self.both_evaluated(condition)
        return chosen

    def both_evaluated(self, condition: Written) -> bool:
        """Whether a choice evaluates what it does not take: one between arrays does."""
        return bool(condition.axes)

    # --- products
    def _product(self, e: Expr) -> Written:
        factors = sympy.Mul.make_args(e)
        guards = sorted((f for f in factors if isinstance(f, Guard)), key=guard_rank)
        if not guards:
            return self._fraction(e)
        rest = sympy.Mul(*[f for f in factors if not isinstance(f, Guard)])
        self.guarded += len(guards) > 1
        passes = nan_guards(e)
        tests = [self._test(g, g in passes) for g in guards]
        self.guarded -= len(guards) > 1
        whole = [t for t in tests if not t.condition.axes]  # of no element in particular: decided first
        each = [t for t in tests if t.condition.axes]
        if rest == 1:
            return self.real(self._all([t.condition for t in tests]))
        extreme = self.extreme(guards[0], rest, sympy.Integer(0)) if len(guards) == 1 else None
        if extreme is not None:
            return extreme
        if each:
            self.guarded += 1
            value = self._where(each, self.write(rest))
            self.guarded -= 1
        else:
            value = self.lazily(rest) if whole else self.write(rest)
        if not whole:
            return value
        self.eager += (eager := self.evaluable(*guards, rest))
        chosen = self._where(whole, value)
        self.eager -= eager
        return chosen

    def _test(self, guard: Guard, nan_passes: bool) -> Test:
        """How it is tested whether a guard holds: by its complement where a NaN passes."""
        return Test(self.condition(guard.complement() if nan_passes else guard), excludes=nan_passes)

    def _where(self, tests: Sequence[Test], value: Written) -> Written:
        """The value where all tests let it stand, else 0."""
        if len(tests) == 1 and tests[0].excludes:
            return self.choose(tests[0].condition, self.number("0"), value)
        return self.choose(self._all([self._stands(t) for t in tests]), value, self.number("0"))

    def _stands(self, test: Test) -> Written:
        if not test.excludes:
            return test.condition
        axes = test.condition.axes
        return Written(infer.unary("~" if axes else "not ", test.condition.node), axes, "bool")

    def _all(self, conditions: Sequence[Written]) -> Written:
        return self.both(conditions) if len(conditions) > 1 else conditions[0]

    def _fraction(self, e: Expr) -> Written:
        coefficient, over, under = fraction(e)
        if coefficient.is_negative:
            inner = self._quotient(-coefficient, over, under)
            return Written(infer.negated(inner.node), inner.axes, inner.kind)
        return self._quotient(coefficient, over, under)

    def _quotient(self, coefficient: Expr, over: list[Expr], under: list[Expr]) -> Written:
        numerator, denominator = coefficient, sympy.Integer(1)
        if coefficient.is_Rational and "/" in decimal(coefficient):
            numerator, denominator = sympy.Integer(coefficient.p), sympy.Integer(coefficient.q)
        over_values = [self.write(f) for f in sorted(over, key=factor_key)]
        under_values = [self.write(f) for f in sorted(under, key=factor_key)]
        if denominator != 1:
            under_values.insert(0, self._rational(denominator))
        if numerator != 1 or not over_values:
            over_values.insert(0, self.write(numerator))
        return self._divided(over_values, under_values)

    def _divided(self, over: list[Written], under: list[Written]) -> Written:
        """Plain numbers meet first; then one product over one product."""
        numbers = [v for v in over if v.kind == "number"]
        values = [v for v in over if v.kind != "number"]
        if not values or not numbers:
            return self._over(over, under)
        low_numbers = [v for v in under if v.kind == "number"]
        low_values = [v for v in under if v.kind != "number"]
        scale = self._over(numbers, low_numbers)
        return self._over([scale, *values], low_values)

    def _over(self, over: list[Written], under: list[Written]) -> Written:
        values, axes = self.together([*over, *under])
        high, low = values[: len(over)], values[len(over) :]
        if len(values) == 1:
            return values[0]
        node = infer.joined("*", [v.node for v in high])
        kind: Kind = "number" if all(v.kind == "number" for v in values) else "real"
        if low:
            node = infer.binary("/", node, infer.joined("*", [v.node for v in low]))
        return Written(node, axes, kind)

    # --- powers
    def _power(self, base: Expr, exponent: Expr) -> Written:
        if exponent.is_number and exponent.is_negative:
            if is_sigmoid(base) and exponent.is_Integer:
                return self._repeated(self.call("sigmoid", -(base - 1).args[0]), int(-exponent))
            return self._divided([self.number("1")], [self.write(base**-exponent)])
        if exponent == sympy.Rational(1, 2):
            return self.call("sqrt", base)
        # an integer to a negative integer is no integer
        value = self.number(f"{base}.0") if base.is_Integer else self.write(base)
        if exponent.is_Integer and exponent <= 4:
            return self._repeated(value, int(exponent))
        (low, high), axes = self.together([value, self.write(exponent)])
        return Written(infer.binary("**", low.node, high.node), axes)

    def _repeated(self, value: Written, times: int) -> Written:
        if times == 1:
            return value
        if not is_short(value.node):
            return self.integer_power(value, times)
        return Written(infer.joined("*", [value.node] * times), value.axes, value.kind)

    def integer_power(self, value: Written, times: int) -> Written:
        power = infer.python_number(str(times))
        return Written(infer.binary("**", value.node, power), value.axes, value.kind)

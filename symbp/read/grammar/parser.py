"""Puts the words of a formula together.

Enters: text. Leaves: a syntax tree. Must not know: what names stand for, shapes, or values.

From weak to strong: sums; products and quotients, all alike from the left; signs and reductions; powers, from
the right; transposes and subscripts. A reduction `Σ_i` takes the whole product behind it, `sum_i(…)` with its
parenthesis right behind it the parenthesis only, as a function does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from symbp.read.grammar.cursor import Cursor, N
from symbp.read.grammar.named import Places, numbered
from symbp.read.grammar.places import Span, error_at
from symbp.read.grammar.syntax import (
    Bracket,
    Call,
    Equation,
    MatrixEquation,
    Name,
    Number,
    Ones,
    Power,
    Product,
    Read,
    Reduction,
    Relation,
    Subscripted,
    Total,
    Transpose,
    Tree,
)

MOST_EXPONENT = 200  # x^500 is 0 to all digits at most points, and could be taken for it
RELATIONS = ("=", "≠", "<", "≤", ">", "≥")
OPERAND = "a number, a name, or a parenthesis"


def parse_formula(text: str, *, within: Span | None = None) -> Tree:
    """The tree of a formula, or of the part of the text that is one. Raises FormulaError, which points at the
    place, for anything that is none."""
    return _whole(text, lambda parser: parser.total(), "an operator, or the end", within=within)


def parse_equation(
    text: str,
    names: Mapping[str, str] | None = None,
    *,
    within: Span | None = None,
    places: Places | None = None,
) -> Equation:
    """The tree of a printed equation in index notation, `dW[i,j] = Σ_n x[n,i]·dz[n,j]`; the same errors.
    `names` maps the symbols of a page to what they stand for; `within` is the part of the text to read.
    `places` says which numbers the names along some axes are, the gates of a recurrence."""
    expected = "an operator, `where`, or the end"
    found = _whole(text, lambda parser: parser.equation(), expected, names, within=within)
    return numbered(found, places or {})


def parse_matrix_equation(
    text: str, names: Mapping[str, str] | None = None, *, places: Places | None = None
) -> MatrixEquation:
    """The tree of a printed equation in matrix notation, `h_{t} = tanh(h_{t-1}·U)`; the same errors."""
    expected = "an operator, or the end"
    found = _whole(text, lambda parser: parser.matrix_equation(), expected, names, matrices=True)
    return numbered(found, places or {})


def _whole(
    text: str,
    part: Callable[[_Parser], N],
    expected: str,
    names: Mapping[str, str] | None = None,
    *,
    matrices: bool = False,
    kind: type[_Parser] | None = None,
    within: Span | None = None,
) -> N:
    parser = (kind or _Parser)(text, names, matrices=matrices, within=within)
    try:
        found = part(parser)
    except RecursionError:  # the caller's own stack was nearly full
        raise error_at(text, parser.here.span, "the formula is nested too deeply") from None
    if parser.here.kind != "end":
        raise parser.expected(expected)
    return found


class _Parser(Cursor):
    def equation(self) -> Equation:
        start, name = self.here.span[0], self.name("the name of a tensor")
        subscripts: list[Tree] = []
        if self.at("["):
            self.take()
            while not subscripts or self.at(","):
                if subscripts:
                    self.take()
                subscripts.append(self.total())
            self.need("]", "behind the subscripts")
        self.need("=", "behind what is defined")
        body, condition = self.total(), self.condition()
        return self.made(Equation(self.since(start), name, tuple(subscripts), body, condition))

    def condition(self) -> Relation | None:
        """`for k < K - 1`, if it is there."""
        if self.here.kind != "name" or self.here.text != "for":
            return None
        self.take()
        return self.relation()

    def matrix_equation(self) -> MatrixEquation:
        start, left = self.here.span[0], self.postfix()
        if not isinstance(left, (Name, Subscripted, Call)) or (
            isinstance(left, Call) and not _flattens(left)
        ):
            raise self.expected("the name of a tensor before it")
        self.need("=", "behind what is defined")
        body, condition = self.total(), self.condition()
        return self.made(MatrixEquation(self.since(start), left, body, condition))

    def total(self) -> Tree:
        start, terms = self.here.span[0], []
        negative = False
        if self.at("-", "+"):
            negative = self.take().text == "-"
        terms.append((negative, self.product()))
        while self.at("+", "-"):
            terms.append((self.take().text == "-", self.product()))
        if len(terms) == 1 and not terms[0][0]:
            return terms[0][1]
        return self.made(Total(self.since(start), tuple(terms)))

    def product(self) -> Tree:
        start, left = self.here.span[0], self.factor()
        while self.at(*self.times):
            op = self.take().text
            right = self.factor()
            left = self.made(Product(self.since(start), op, left, right))
        return left

    def factor(self) -> Tree:
        start = self.here.span[0]
        if self.at("-", "+"):
            negative = self.take().text == "-"
            operand = self.inside(self.factor)
            return self.made(Total(self.since(start), ((True, operand),))) if negative else operand
        if self.here.kind == "reduction":
            return self.reduction()
        return self.postfix()

    def exponent(self) -> Tree:
        """What stands behind `^`: powers go from the right, and a transpose is that of the whole power."""
        start = self.here.span[0]
        if self.at("-", "+"):
            negative = self.take().text == "-"
            operand = self.inside(self.exponent)
            return self.made(Total(self.since(start), ((True, operand),))) if negative else operand
        return self.postfix(transposes=False)

    def raised(self, start: int, base: Tree, exponent: Tree, elementwise: bool = False) -> Tree:
        huge = [n for n in exponent.walk() if isinstance(n, Number) and abs(n.value) > MOST_EXPONENT]
        towers = [n for n in exponent.walk() if isinstance(n, Power)]
        if huge or (towers and all(isinstance(n, (Number, Power, Total)) for n in exponent.walk())):
            raise error_at(self.text, exponent.span, f"an exponent beyond {MOST_EXPONENT} is not taken")
        return self.made(Power(self.since(start), base, exponent, elementwise))

    def reduction(self) -> Tree:
        token = self.take()
        start = token.span[0]
        if self.at("(") and self.here.span[0] == token.span[1]:  # as a function
            body, conditions = self.function_group()
            call = Reduction(
                self.since(start), token.text, token.indices, body, conditions, None, token.counts
            )
            return self.postfix(self.made(call))
        body = self.inside(self.product)
        conditions = self.conditions()
        span = self.since(start)
        return self.made(Reduction(span, token.text, token.indices, body, conditions, None, token.counts))

    def function_group(self) -> tuple[Tree, tuple[Relation, ...]]:
        """`(body where conditions)`."""
        opening = self.take()
        body = self.inside(self.total)
        conditions = self.conditions()
        if not self.at(")"):
            raise self.unclosed(opening, ")")
        self.take()
        return body, conditions

    def conditions(self) -> tuple[Relation, ...]:
        """What stands behind `where`, if it is there."""
        if self.here.kind != "name" or self.here.text != "where":
            return ()
        self.take()
        found = [self.bracket().relation]
        while self.at(","):
            self.take()
            found.append(self.bracket().relation)
        return tuple(found)

    def postfix(self, operand: Tree | None = None, *, transposes: bool = True) -> Tree:
        start = operand.span[0] if operand is not None else self.here.span[0]
        found = self.atom() if operand is None else operand
        while True:
            if self.at("^", ".^"):
                elementwise = self.take().text == ".^"
                found = self.raised(start, found, self.inside(self.exponent), elementwise)
            elif self.at("'") and transposes:
                self.take()
                found = self.made(Transpose(self.since(start), found))
            elif self.at("["):
                found = self.element(start, found)
            elif self.matrices and self.at("_{"):
                found = self.subscripted(start, found)
            elif self.here.kind == "component":
                found = self.component(found)
            elif self.here.kind == "power":
                token = self.take()
                found = self.raised(start, found, self.made(Number(token.span, token.value)))
            else:
                return found

    def component(self, place: Tree) -> Tree:
        """`(argmax_i,j body)_i`: one of the indices at which the maximum is."""
        if not isinstance(place, Reduction) or place.op != "argmax" or self.here.text not in place.indices:
            raise self.expected("an operator: only the place of a maximum has an index to choose")
        return self.made(replace(place, component=self.take().text))

    def element(self, start: int, tensor: Tree) -> Tree:
        if isinstance(tensor, Number):
            raise self.expected("an operator: a number has no elements")
        self.take()
        subscripts = [self.inside(self.subscript)]
        while self.at(","):
            self.take()
            subscripts.append(self.inside(self.subscript))
        outside = None
        if self.at("|"):
            self.take()
            outside = self.inside(self.total)
        self.need("]", "behind the subscripts")
        return self.made(Read(self.since(start), tensor, tuple(subscripts), outside))

    def subscript(self) -> Tree:
        return self.total()

    def subscripted(self, start: int, tensor: Tree) -> Tree:
        """`h_{t-1}`, `U_{:,m}`, `h_{t-1 | first}`."""
        if not isinstance(tensor, Name):
            raise self.expected("an operator: only a tensor has subscripts")
        self.take()
        subscripts = [self.axis()]
        while self.at(","):
            self.take()
            subscripts.append(self.axis())
        outside = None
        if self.at("|"):
            self.take()
            outside = self.inside(self.total)
        self.need("}", "behind the subscripts")
        return self.made(Subscripted(self.since(start), tensor, tuple(subscripts), outside))

    def axis(self) -> Tree | None:
        """A subscript, or `:` for an axis that is left."""
        if not self.at(":"):
            return self.inside(self.total)
        self.take()
        return None

    def atom(self) -> Tree:
        token = self.here
        start = token.span[0]
        if token.kind == "number":
            return self.made(Number(self.take().span, token.value))
        if token.kind == "name":
            self.take()
            if self.at("("):
                return self.call(start, token.text)
            return self.made(Name(token.span, token.text))
        if token.kind == "reduction":
            return self.reduction()
        if self.at("("):
            return self.group()
        if self.at("["):
            return self.bracket()
        if self.at("|", "‖"):
            return self.between(start, self.take().text)
        if self.at("√"):
            self.take()
            return self.made(Call(self.since(start), "sqrt", (self.inside(self.postfix),)))
        if self.at("𝟏"):
            return self.made(Ones(self.take().span))
        if self.at("∞"):
            return self.made(Name(self.take().span, "∞"))
        raise self.expected(OPERAND)

    def group(self) -> Tree:
        opening = self.take()
        found = self.inside(self.total)
        if not self.at(")"):
            raise self.unclosed(opening, ")")
        self.take()
        return found

    def call(self, start: int, function: str) -> Tree:
        opening = self.take()
        if self.at(")"):
            raise self.expected(f"what {function} is taken of")
        arguments = [self.inside(self.argument)]
        while self.at(","):
            self.take()
            arguments.append(self.inside(self.argument))
        if not self.at(")"):
            raise self.unclosed(opening, "a comma or )")
        self.take()
        return self.made(Call(self.since(start), function, tuple(arguments)))

    def argument(self) -> Tree:
        return self.total()

    def between(self, start: int, sign: str) -> Tree:
        """`|x|` and `‖x‖`."""
        inner, (kind,) = self.inside(self.total), self.here.indices or ("",)
        self.need(sign, "at the other end")
        return self.made(Call(self.since(start), "abs" if sign == "|" else f"norm{kind}", (inner,)))

    def bracket(self) -> Bracket:
        start = self.here.span[0]
        self.need("[", "before a condition")
        relation = self.relation()
        self.need("]", "behind the condition")
        return self.made(Bracket(self.since(start), relation))

    def relation(self) -> Relation:
        left = self.inside(self.total)
        if not self.at(*RELATIONS):
            raise self.expected("one of = ≠ < ≤ > ≥")
        op = self.take().text
        right = self.inside(self.total)
        return self.made(Relation((left.span[0], right.span[1]), op, left, right))


def _flattens(call: Call) -> bool:
    """`flatten(h)`, which may stand on the left, too."""
    return call.function == "flatten" and len(call.arguments) == 1 and isinstance(call.arguments[0], Name)

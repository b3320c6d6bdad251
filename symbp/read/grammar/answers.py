"""Answers as people type them: our notation, and NumPy's `np.sum(dz, axis=0)`, `(h > 0)`, `h[:, t]`.

Enters: an equation, or one side of it, as text. Leaves: sides, a tree. Must not know: what names stand for.

Nothing is looked up and nothing is run: `np.` says nothing, and behind a value only the methods of `METHODS`
may stand, which are functions written behind their argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbp.read.grammar.parser import RELATIONS, _Parser, _whole
from symbp.read.grammar.places import error_at
from symbp.read.grammar.syntax import Bracket, Call, Einsum, Keyword, Name, Number, Product, Relation, Tree
from symbp.read.grammar.tokens import Token, tokens

LONGEST = 2000  # characters of an answer
EXAMPLE = "an answer is one equation, such as dW = x.T @ dz"
METHODS = ("sum", "mean", "max", "dot", "transpose", "prod", "var", "std", "argmax", "reshape")
LENGTHS = ("shape", "size")  # behind a value, without parentheses
BARE = ("exp", "log", "ln", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")  # also before a name
PRIMES = ("'", "′", "’")  # a transpose as well, but between a function and its parenthesis
OF_ELEMENTS = ("⊙", "⊘")
ALONG, AXES = ("sum", "mean", "max", "prod"), "(axes)"
KEYWORDS = ("axis", "keepdims")
WHOLE = ":"  # the name of a subscript that leaves its axis


def parse_answer(text: str, names: Mapping[str, str] | None = None) -> Tree:
    """The tree of one side of an answer; `names` are symbols that are no words of their own, with what they
    stand for. Raises FormulaError, which points at the place, for anything that is none."""
    return _whole(
        text, lambda parser: parser.total(), "an operator, or the end", names, matrices=True, kind=_Answers
    )


def refuse(text: str) -> None:
    """Raises FormulaError for what is no answer for any network: too long, no equation, signs without a
    meaning, more levels or larger numbers than a formula has."""
    if len(text) > LONGEST:
        place = (LONGEST, LONGEST + 1)
        raise error_at(text, place, f"the answer has {len(text)} characters, more than {LONGEST}")
    if "\\" not in text:
        _, right = sides(text)
        if right.isascii() and "'" not in right:  # other symbols of a page may be no words of the grammar
            parse_answer(right)


def sides(text: str) -> tuple[str, str]:
    """What stands before the first sign of equality outside of brackets, and behind it."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        around = text[max(0, place - 1) : place + 2]
        if sign == "=" and not depth and not any(two in around for two in ("==", "<=", ">=", "!=")):
            if not text[:place].strip():
                raise error_at(text, (place, place + 1), "nothing stands before this sign", help=EXAMPLE)
            return text[:place].rstrip(), text[place + 1 :].strip()
    raise error_at(text, (len(text), len(text)), "there is no = in it", help=EXAMPLE)


class _Answers(_Parser):
    norms = 0  # of ‖ that are open

    def words(self, names: Mapping[str, str] | None) -> tuple[Token, ...]:
        return tokens(self.text, names, matrices=self.matrices, numpy=True)

    def argument(self) -> Tree:
        """An argument, or one by its name."""
        start, name = self.here.span[0], self.here.text
        following = self.tokens[min(self.position + 1, len(self.tokens) - 1)]
        if self.here.kind == "name" and following.kind == "sign" and following.text == "=":
            if name not in KEYWORDS:
                raise error_at(self.text, self.here.span, f"no argument is called {name} here")
            self.take()
            self.take()
            value = self.axes() if name == "axis" and self.at("(") else self.total()
            return self.made(Keyword(self.since(start), name, value))
        return self.compared(start, self.total())

    def compared(self, start: int, found: Tree) -> Tree:
        """A value, or a relation of two: 1 where it holds."""
        if not self.at(*RELATIONS):
            return found
        op, right = self.take().text, self.inside(self.total)
        relation = Relation((found.span[0], right.span[1]), op, found, right)
        return self.made(Bracket(self.since(start), relation))

    def product(self) -> Tree:
        """Factors, with a sign between them or, as on a blackboard, without."""
        start, left = self.here.span[0], self.factor()
        while self.at(*self.times) or self.begins_factor():
            op = self.take().text if self.at(*self.times) else "·"
            right = self.beside() if op in OF_ELEMENTS else self.factor()
            left = self.made(Product(self.since(start), op, left, right))
        return left

    def beside(self) -> Tree:
        """What has no signs between is multiplied before products of elements: a ⊙ b c is a ⊙ (b c)."""
        start, left = self.here.span[0], self.factor()
        while self.begins_factor():
            left = self.made(Product(self.since(start), "·", left, self.factor()))
        return left

    def begins_factor(self) -> bool:
        opens = self.at("‖") and not self.norms
        return self.here.kind in ("name", "reduction", "einsum") or opens or self.at("(", "𝟏", "√")

    def call(self, start: int, function: str) -> Tree:
        """A function's value; `power(h, 2)` is h², and a sum along several axes one after the other."""
        found = super().call(start, function)
        assert isinstance(found, Call)
        if function == "power" and len(found.arguments) == 2:
            return self.raised(start, *found.arguments, elementwise=True)
        return self.along_each(found)

    def along_each(self, call: Call) -> Tree:
        """`sum(dz, axis=(0, 1))` as `sum(sum(dz, axis=1), axis=0)`."""
        several = [a for a in call.arguments if isinstance(a, Keyword) and isinstance(a.value, Call)]
        axes = next((a for a in several if isinstance(a.value, Call) and a.value.function == AXES), None)
        if axes is None or not isinstance(axes.value, Call):
            return call
        numbers = [n for n in axes.value.arguments if isinstance(n, Number) and n.value.denominator == 1]
        if len({n.value for n in numbers}) < len(axes.value.arguments) or call.function not in ALONG:
            raise error_at(
                self.text, axes.span, "several axes are whole numbers from 0 on, of a sum or a mean"
            )
        found, *rest = [a for a in call.arguments if a is not axes]
        for number in sorted(numbers, key=lambda n: -n.value):
            along = self.made(Keyword(axes.span, axes.name, number))
            found = self.made(Call(call.span, call.function, (found, along, *rest)))
        return found

    def axes(self) -> Tree:
        """`(0, 1)` behind `axis=`."""
        start, opening = self.here.span[0], self.take()
        numbers = [self.inside(self.total)]
        while self.at(","):
            self.take()
            numbers += [] if self.at(")") else [self.inside(self.total)]
        if not self.at(")"):
            raise self.unclosed(opening, ")")
        self.take()
        return self.made(Call(self.since(start), AXES, tuple(numbers)))

    def subscript(self) -> Tree:
        if not self.at(WHOLE):
            return self.total()
        return self.made(Name(self.take().span, WHOLE))

    def group(self) -> Tree:
        """A parenthesis; a relation in it is 1 where it holds."""
        opening = self.take()
        found = self.inside(self.total)
        found = self.compared(opening.span[0], found)
        if not self.at(")"):
            raise self.unclosed(opening, ")")
        self.take()
        return found

    def postfix(self, operand: Tree | None = None, *, transposes: bool = True) -> Tree:
        start = operand.span[0] if operand is not None else self.here.span[0]
        found = super().postfix(operand, transposes=transposes)
        while self.here.kind == "method":
            found = super().postfix(self.method(start, found), transposes=transposes)
        return found

    def method(self, start: int, operand: Tree) -> Tree:
        """`dz.sum(axis=0)`, the function with what stands before it as its first argument."""
        token = self.take()
        if token.text in LENGTHS:
            return self.length(start, operand, token.text)
        if token.text not in METHODS:
            help = f"understood are {', '.join(f'.{name}()' for name in METHODS)} and .T"
            raise error_at(self.text, token.span, f"{token.text} is no method that is known", help=help)
        opening = self.take()
        arguments = (operand, *(() if self.at(")") else self.arguments()))
        if not self.at(")"):
            raise self.unclosed(opening, "a comma or )")
        self.take()
        return self.along_each(self.made(Call(self.since(start), token.text, arguments)))

    def arguments(self) -> tuple[Tree, ...]:
        """Arguments with commas between them."""
        found = [self.inside(self.argument)]
        while self.at(","):
            self.take()
            found.append(self.inside(self.argument))
        return tuple(found)

    def einsum(self) -> Tree:
        """`einsum("ni,nj->ij", h, da2)`, of which the word has the letters."""
        token = self.take()
        operands = self.arguments()
        self.need(")", "behind the operands")
        return self.made(Einsum(self.since(token.span[0]), token.text, operands))

    def between(self, start: int, sign: str) -> Tree:
        self.norms += 1
        found = super().between(start, sign)
        self.norms -= 1
        return found

    def length(self, start: int, operand: Tree, what: str) -> Tree:
        """`x.shape[0]`, how long an axis is; `x.size`, how many elements there are."""
        if what == "size":
            return self.made(Call(self.since(start), what, (operand,)))
        opening = self.take()
        axis = self.inside(self.argument)
        if not self.at("]"):
            raise self.unclosed(opening, "]")
        self.take()
        return self.made(Call(self.since(start), "shape", (operand, axis)))

    def atom(self) -> Tree:
        """An atom; `tanh'(z)` is the derivative of a function and no transpose, `tanh² z` a power."""
        token, start = self.here, self.here.span[0]
        if token.kind == "einsum":
            return self.einsum()
        after = self.tokens[self.position + 1 : self.position + 4]
        signs = [(t.kind, t.text) for t in after]
        if (
            token.kind == "name"
            and self.text[slice(*after[0].span)] in PRIMES
            and signs[:2] == [("sign", "'"), ("sign", "(")]
            and after[0].span[0] == token.span[1]
        ):
            self.take()
            self.take()
            call = self.call(start, token.text)
            assert isinstance(call, Call)
            return self.made(Call(call.span, f"{token.text}'", call.arguments))
        if token.kind == "name" and token.text in BARE and signs[0] != ("sign", "("):
            return self.bare(start, after)
        return super().atom()

    def bare(self, start: int, after: Sequence[Token]) -> Tree:
        """`log p[n,k]`, `tanh²(z)`, `tanh^2 z`: a function of the one factor behind it."""
        written = 1 if after[0].kind == "power" else 2 if after[0].text == "^" else 0
        exponent = after[max(written - 1, 0)]
        behind = after[min(written, len(after) - 1)]
        power = written and exponent.kind in ("power", "number") and exponent.value > 0
        if not (behind.kind == "name" or (power and behind.text == "(")) or (written and not power):
            return super().atom()
        name = self.take().text
        for _ in range(written):
            self.take()
        argument = self.group() if self.at("(") else self.inside(self.postfix)
        call = self.made(Call(self.since(start), name, (argument,)))
        if not written:
            return call
        return self.raised(start, call, Number(exponent.span, exponent.value), elementwise=True)


def is_numpy(tree: Tree, text: str) -> bool:
    """Whether an answer is written as code: `@`, `.T`, `**`, functions of axes."""
    words = ("@", ".T", "**", "np.", ".sum(", ".dot(", ".mean(")
    of_numpy = any(isinstance(node, (Keyword, Einsum)) for node in tree.walk())
    return of_numpy or any(word in text for word in words)

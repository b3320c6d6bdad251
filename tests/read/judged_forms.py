"""Equations over many axes, tensors for them, and a judge of their matrix notation.

A form is judged three times, at two choices of sizes that are all distinct: its tree, its text and its LaTeX
have the value that the equation in index notation has, which another evaluator reads.
"""

import itertools

import numpy as np
import sympy

from symbp.explain.latex import Latex, spelling
from symbp.ir.build import indices, sizes
from symbp.ir.printer import equation_text, expression_text
from symbp.ir.system import Equation, Fact, Reduction, Tensor
from symbp.read.display import Reduced
from symbp.read.grammar import (
    Facts,
    evaluate,
    evaluate_matrix,
    parse_equation,
    parse_matrix_equation,
    plain,
)
from symbp.read.matrix.spell import matrix_sides
from symbp.read.matrix.tree import Flattened
from symbp.read.matrix.value import value
from symbp.read.spelling import name_latex

N, T, D, H, K, V, L, S, F, B, A = sizes("N T D H K V L S F B A")
n, t, i, j, k, v, l, u = indices("n t i j k v l u")  # noqa: E741
t2, j2, w, a = indices("t' j' w a")
RANGES = {n: N, t: T, i: D, j: H, k: K, v: V, l: L, t2: T, j2: H, u: D * H}
POINTS = [
    {"N": 2, "T": 3, "D": 4, "H": 5, "K": 6, "V": 7, "L": 8, "S": 9, "F": 3, "B": 10, "A": 11},
    {"N": 4, "T": 5, "D": 3, "H": 2, "K": 7, "V": 3, "L": 2, "S": 8, "F": 2, "B": 9, "A": 10},
]
SHAPES = {
    "h": (N, T, H), "X": (N, T, D), "z": (N, T, H), "W": (D, H), "U": (H, H), "b": (H,), "c": (K,),
    "G": (N, T, 4, H), "P": (D, 4, H), "q": (N, L, T, H), "kk": (N, L, T, H), "M": (N, L, T, T),
    "dM": (N, L, T, T), "m": (N, L, T), "E": (V, D), "first": (N, H), "o": (N, T, K), "R": (L, H, H),
    "g": (L, N, H), "top": (N, H), "u1": (N,), "im": (N, S, S), "C": (F, D, 3, 2), "s": (H,), "Q": (D, D),
    "Z": (H, H), "im4": (N, D, S, S), "seq": (N, B), "f": (4,), "wide": (N, D, H),
}  # fmt: skip
TENSORS = {name: Tensor(name, tuple(map(sympy.sympify, shape))) for name, shape in SHAPES.items()}
TENSORS["x"] = Tensor("x", (N, T), integer=True, facts=frozenset({Fact("below", bound=V)}))
TENSORS["y"] = Tensor("y", (N, T), integer=True, facts=frozenset({Fact("below", bound=K)}))
TENSORS["free"] = Tensor("free", (N, T), integer=True)


def r(name, *subscripts, outside=None):
    return TENSORS[name].at(*map(sympy.sympify, subscripts), outside=outside)


def equation(plain_indices, body, reduced=(), op="sum", where=(), ranges=None):
    """An equation for `r`, and the tensors with it."""
    found = RANGES | (ranges or {})
    every = (*plain_indices, *reduced)
    reduction = Reduction(op, tuple(reduced)) if reduced else None
    target = Tensor("r", tuple(found[index] for index in plain_indices))
    made = Equation(
        "r",
        tuple(plain_indices),
        sympy.sympify(body),
        reduction,
        tuple(where),
        tuple(found[e] for e in every),
    )
    return made, TENSORS | {"r": target}


class Judge:
    def __init__(self, source, tensors, point):
        self.source, self.tensors, self.point = source, tensors, point
        draw = np.random.default_rng(3)
        self.arrays = {}
        for tensor in tensors.values():
            shape = [self.number(length) for length in tensor.shape]
            bound = tensor.fact("below")
            if tensor.integer:
                most = self.number(bound.bound) if bound is not None else 4
                self.arrays[tensor.name] = draw.integers(0, most, shape)
            elif tensor.name != "r":
                self.arrays[tensor.name] = draw.uniform(0.5, 1.5, shape) * draw.choice([-1, 1], shape)
        self.extents = dict(source.extents)
        for nested in source.body.atoms(Reduced):
            self.extents |= nested.extents
        lengths = {index.name: self.number(length) for index, length in self.extents.items()}
        names = {name: name for name in (*tensors, *point, *lengths)}
        self.right = evaluate(parse_equation(equation_text(source), names), self.arrays, point, lengths)
        self.arrays["r"] = np.zeros(self.right.shape)

    def number(self, length):
        return int(sympy.sympify(length).xreplace({s: self.point[s.name] for s in length.free_symbols}))

    def judge(self, found):
        self.of_tree(found)
        text = " = ".join(matrix_sides(found))
        self.of_text(text)
        latex = " = ".join(matrix_sides(found, spelling(Latex())))
        names = [*self.tensors, *self.point, *(index.name for index in self.extents)]
        self.of_text(plain(latex, {name_latex(name).strip(): name for name in names}, matrices=True))
        return text

    def of_tree(self, found):
        if isinstance(found.left, Flattened):
            expected = self.right.reshape(len(self.right), -1)
            np.testing.assert_allclose(value(found.right, self.arrays, self.point), expected)
            return
        kept = [(axis, s) for axis, s in enumerate(found.left.subscripts) if s is not None]
        ranges = [range(self.number(self.extents[s])) if s in self.extents else [int(s)] for _, s in kept]
        for at in itertools.product(*ranges):
            place = dict(zip((axis for axis, _ in kept), at, strict=True))
            part = self.right[tuple(place.get(axis, slice(None)) for axis in range(self.right.ndim))]
            names = {s.name: place[axis] for axis, s in kept if s in self.extents}
            shown = value(found.right, self.arrays, self.point, names)
            shape = part.shape + (1,) * (2 - part.ndim)
            expected = part.reshape(shape) if part.ndim < 3 else part.reshape(shown.shape)
            np.testing.assert_allclose(
                np.broadcast_to(shown, expected.shape), expected, rtol=1e-9, atol=1e-12
            )

    def of_text(self, text):
        names = [*self.tensors, *self.point, *(index.name for index in self.extents)]
        tree = parse_matrix_equation(text, {name: name for name in names})
        found = evaluate_matrix(tree, self.arrays, self.facts())
        defined = ~np.isnan(found)
        assert defined.any()
        np.testing.assert_allclose(found[defined], self.right[defined], rtol=1e-9, atol=1e-12, err_msg=text)

    def facts(self):
        below = {t.name: t.fact("below") for t in self.tensors.values()}
        return Facts(
            self.point,
            {e.name: (expression_text(length), self.number(length)) for e, length in self.extents.items()},
            {t.name: tuple(map(expression_text, t.shape)) for t in self.tensors.values()},
            {m: (expression_text(f.bound), self.number(f.bound)) for m, f in below.items() if f is not None},
        )

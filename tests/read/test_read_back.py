"""What symbp prints can be read: each printed equation has the value of the tensor that it defines."""

import numpy as np
import pytest

import symbp as bp
from symbp import gallery
from symbp.explain.document import document
from symbp.explain.latex import notation_for, symbol_latex
from symbp.ir.interpret import size_values
from symbp.ir.printer import equation_text
from symbp.ir.sampling import sample_point
from symbp.ir.vector import run
from symbp.read.grammar import evaluate, parse_equation, plain

FAST = ("logistic_regression", "mlp", "crf")
SLOW = (
    "neuron",
    "linear_regression",
    "autoencoder",
    "vae",
    "char_rnn",
    "char_lstm",
    "cnn",
    "gpt",
    "ssm",
    "moe",
)


def is_ambiguous(equation):
    """An argmax over several indices is printed alike for each of them."""
    return equation.op == "argmax" and len(equation.reduced) > 1


def in_text(derivation):
    """How equations are read from plain text."""
    del derivation
    return lambda equation: parse_equation(equation_text(equation))


def in_latex(derivation):
    """How equations are read from LaTeX, None where it doesn't say which part of a derivative it means."""
    page, system = document(derivation), derivation.system
    notation = notation_for(page)
    names = {*system.by_name, *system.sizes, *(i.name for e in system.equations for i in e.all_indices)}
    symbols = {symbol_latex(name): name for name in names}
    derivatives, unclear = {}, set()
    for tensor, quotient in page.quotients.items():
        key = (quotient.of[0], *(name for name, _ in quotient.by))
        unclear |= {tensor, derivatives[key]} if key in derivatives else set()
        derivatives[key] = tensor

    def read(equation):
        if unclear & {equation.target, *equation.read_names}:
            return None
        return parse_equation(plain(" = ".join(notation.equation(equation)), symbols, derivatives))

    return read


def read_back(derivation, seed=3, reading=in_text):
    """Compares all equations of a derivation; how many."""
    read = reading(derivation)
    system = derivation.system
    sizes, values = sample_point(system, seed)
    right, known = run(system, values, sizes), size_values(system, sizes)
    numbers = {size.name: int(value) for size, value in known.items()}
    count = 0
    for equation in system.equations:
        if is_ambiguous(equation):
            continue
        extents = {i.name: int(e.xreplace(known)) for i, e in equation.extents.items()}
        tree = read(equation)
        if tree is None:
            continue
        assert tree.target == equation.target
        found = evaluate(tree, right, numbers, extents)
        np.testing.assert_allclose(
            found, right[equation.target], rtol=1e-9, atol=1e-12, err_msg=equation_text(equation)
        )
        count += 1
    return count


@pytest.mark.parametrize("name", [*FAST, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_gallery(name):
    derivation = bp.derive(gallery.find(name).load().net)
    assert read_back(derivation) > 3
    assert read_back(derivation, reading=in_latex) > 3


@pytest.mark.parametrize(
    "formula",
    [
        "logdet(X'*X + lam*I) + norm2(X*w)",
        pytest.param("tr(inv(S)) + sum(gelu(S)) + sum_i,j [i < j]*S[i,j]^2", marks=pytest.mark.slow),
        pytest.param("sum(softmax(A*x) .* log(b)) + prod(b)", marks=pytest.mark.slow),
    ],
)
def test_formulas(formula):
    names = {"logdet": "w", "tr(inv": "S", "sum(so": "x"}
    derivation = bp.grad_of(formula, wrt=names[formula[:6]], order=2)
    assert read_back(derivation)
    assert read_back(derivation, reading=in_latex)

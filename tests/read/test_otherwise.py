"""An adjoint of the computation is printed as a derivative only where it is one of the declared loss."""

import pytest
from test_lecture import Reader, sums
from test_read_back import read_back

import symbp as bp
from symbp.explain.document import document
from symbp.ir.expr import Guard
from symbp.ir.system import Role
from symbp.read.symbols import differentials
from symbp.read.textbook import otherwise
from symbp.read.textbook.otherwise import read_otherwise


def read_by_a_logarithm():
    """p is read by a loss of its own, too; log p is computed without p."""
    N, D, K, M = bp.dims("N D K M")
    x, y, q = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K), bp.input("q", (N, M))
    p = bp.softmax(x @ bp.param("W", (D, K)))
    u = bp.tanh(p @ bp.param("A", (K, M)))
    return bp.Network("net", loss=bp.cross_entropy(p, y) + bp.mean((u - q) ** 2), outputs={"p": p})


def computed_once():
    """p and q have one definition, so only one of them is computed."""
    N, D, H = bp.dims("N D H")
    x, W, b = bp.input("x", (N, D)), bp.param("W", (D, H)), bp.param("b", (H,))
    p, q = (x @ W + b).named("p"), (x @ W + b).named("q")
    return bp.Network("net", loss=bp.mean(p**3) + bp.mean(bp.sin(q)))


NETS = {read_by_a_logarithm: {"p"}, computed_once: {"p"}}


@pytest.mark.parametrize("declare", NETS)
def test_no_derivative_by_what_is_read_otherwise(declare):
    derivation = bp.derive(declare())
    page = document(derivation, style="textbook")
    shown = differentials(page.reading.derivation).values()
    assert not NETS[declare] & {what.by for what in shown}
    assert read_back(derivation, style="textbook")
    reader = Reader(derivation, 3)
    assert sum(sums(reader, lesson) for lesson in reader.page.lecture.lessons)


def test_what_is_read_alike_keeps_its_derivative(mlp):
    backward = {e.target for e in mlp.backward}
    known = {name: what for name, what in differentials(mlp).items() if name in backward}
    assert {"h", "a2", "W1"} <= {what.by for what in known.values()}
    assert not read_otherwise(mlp, known)


@pytest.mark.slow
def test_what_no_equation_reads_any_more_keeps_its_derivative():
    """The page has softmax and a·V as declared: nothing is left that reads their computed sum."""
    N, T, D, K = bp.dims("N T D K")
    x, y = bp.input("x", (N, T, D)), bp.labels("y", (N, T), classes=K)
    a = bp.softmax(x @ bp.transpose(x @ bp.param("W", (D, D))))
    p = bp.softmax(a @ x @ bp.param("V", (D, K)) + x @ bp.param("U", (D, K)))
    derivation = bp.derive(bp.Network("net", loss=bp.cross_entropy(p, y), outputs={"p": p}))
    system = document(derivation, style="textbook").reading.derivation.system
    adjoints = [t for t in system.tensors if t.role is Role.ADJOINT]
    assert adjoints
    assert all(t.differential is not None for t in adjoints)
    assert read_back(derivation, style="textbook")


def compared(net, names):
    """Whether tensors are the same functions of each other in the declaration and in the computation."""
    derivation = bp.derive(net)
    computed = derivation.system.with_(equations=derivation.forward)
    loss = derivation.declared.loss
    return otherwise._Compared(derivation.declared, computed, frozenset({loss})).differing(names)


def test_what_a_point_does_not_show_is_proven():
    """Without a first look the proof alone tells p, which the loss doesn't read where it is computed."""
    net = read_by_a_logarithm()
    assert compared(net, {"p"})
    assert not compared(net, {"u"})


def test_a_difference_under_a_rare_condition_is_found():
    """The loss is another function of u beyond 1000, where no point lies."""
    N, D = bp.dims("N D")
    x, w = bp.input("x", (N, D)), bp.param("w", (D,))
    u = bp.tanh(x @ w).named("u")
    derivation = bp.derive(bp.Network("net", loss=bp.mean(bp.where(x @ w > 1000, u, u**2))))
    declared = derivation.declared
    loss = declared.defining[declared.loss]
    other = loss.with_(body=loss.body.xreplace({g: 0 for g in loss.body.atoms(Guard) if g.lhs == 1000}))
    assert other != loss
    wrong = declared.with_(equations=tuple(other if e is loss else e for e in declared.equations))
    assert otherwise._Compared(declared, wrong, frozenset({declared.loss})).differing({"u"})

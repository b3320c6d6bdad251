"""What verdicts say beside right and wrong; what printed equations are to the grader; limits."""

import dataclasses
import json

import pytest
from derived_once import of_gallery
from graded_nets import NETS, derived

import symbp as bp
from symbp.errors import FormulaError
from symbp.explain.document import document, sides
from symbp.explain.latex import matrix_latex, notation_for
from symbp.explain.text import PageText, index_form, matrix_form
from symbp.verify.grading import Grader


@pytest.mark.few(fast=4)
@pytest.mark.parametrize("net", NETS)
def test_printed_equations_are_right_answers(net):
    """In indices and in matrices, as text and as LaTeX."""
    assert not refused(derived(net))


@pytest.mark.slow
@pytest.mark.parametrize("net", ["char_lstm", "word2vec", "ssm", "cnn"])
def test_printed_equations_of_gallery_nets(net):
    """All; but that no tensor stands on the left in another shape."""
    for form in refused(of_gallery(net)):
        assert "flatten" in form.split(" = ")[0]


def refused(derivation):
    """The printed equations that are not graded; all others are right."""
    found = []
    page = document(derivation, style="textbook")
    text, latex = PageText(page.reading.symbols), notation_for(page)
    for shown in page.equations:
        forms = [index_form(shown, text), matrix_form(shown, text), " = ".join(sides(shown.line, latex))]
        forms.append(" = ".join(matrix_latex(shown, latex) or ()))
        for form in filter(None, forms):
            try:
                verdict = derivation.grade(form)
            except FormulaError:
                found.append(form)
            else:
                assert verdict.right, f"{form}\n{verdict}"
    return found


@pytest.fixture(scope="module")
def formula():
    return bp.grad_of("logdet(A) + b'*inv(A)*b", shapes="A:N,N b:N", wrt="A")


RIGHT = (
    "dA = inv(A).T - inv(A).T @ np.outer(b, b) @ np.linalg.inv(A).T",
    "dA = (A⁻¹)ᵀ - (A⁻¹)ᵀ·b·bᵀ·(A⁻¹)ᵀ",
    "V[i,j] = (inverse_k,l A[k,l])[i,j]",
    "logdet = log(det(A))",
    "z1 = solve(A.T, b)",
    "loss = logdet(A) + tr(V @ np.outer(b, b))",
)
WRONG = (
    "dA = A⁻¹ - A⁻¹·b·bᵀ·A⁻¹",
    "V = A**-1",  # of each element, in code
    "z1 = solve(A, b)",
    "loss = det(A) + tr(V @ np.outer(b, b))",
)


@pytest.mark.parametrize("answer", [*RIGHT, *WRONG])
def test_functions_of_matrices(formula, answer):
    assert formula.grade(answer).right is (answer in RIGHT)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("c = argmax(p, axis=1)", True),
        ("c[n] = argmax_k a2[n,k]", True),
        ("accuracy = (np.argmax(p, axis=1) == y).mean()", True),
        ("c = argmax(p, axis=0)", False),
        ("c = argmax(-p, axis=1)", False),
    ],
)
def test_places_of_maxima(answer, right):
    assert of_gallery("mlp").grade(answer).right is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("dx = pad(dy, F - 1) ⋆ rot180(k)", True),
        ("dx = pad(dy, F - 1) ⋆ k", False),
        ("dx = pad(dy, F) ⋆ rot180(k)", False),
    ],
)
def test_windows_of_images(answer, right):
    assert of_gallery("conv").grade(answer).right is right


def test_verdict_of_a_right_answer():
    verdict = derived("mlp").grade("dW2 = h.T @ (p - y)/N")
    assert verdict.proof.how == "exact"
    assert len(verdict.proof.sizes) == 2
    for sizes in verdict.proof.sizes:
        assert len(set(sizes.values())) == len(sizes)
    assert "onehot(y)" in verdict.notes[0]
    assert str(verdict).startswith("right: dW2")
    with pytest.raises(dataclasses.FrozenInstanceError):
        verdict.right = False


def test_what_functions_obey_is_proven_in_digits():
    assert derived("mlp").grade("h = 2*sigmoid(2*a1) - 1").proof.how == "50 digits"


def test_counterexample_has_small_numbers():
    verdict = derived("linear").grade("dw = X.T @ (q - y)/N")
    example = verdict.counterexample
    assert dict(example.sizes) == {"N": 1, "D": 1}
    assert float(example.right) == pytest.approx(2 * float(example.answered), rel=1e-3)
    (x,), (w,) = example.values["X"][0], example.values["w"]
    residual = x * w + example.values["b"] - example.values["y"][0]
    assert float(example.right) == pytest.approx(2 * x * residual, rel=1e-3)


def test_nearly_right_is_wrong():
    """No tolerance: a factor of 1 + 1e-12, a term that vanishes at all small values."""
    for answer in ("dw = X.T @ dq * 1.000000000001", "dw = X.T @ dq + (w - w*1.0000000000000001)"):
        assert derived("linear").grade(answer).right is False


@pytest.mark.parametrize(
    "answer",
    [
        "dW = x.T @ (np.outer(dz2, w) * (h >= 0))",  # h is never below 0
        "dW = x.T @ (np.outer(dz2, w) * (z1 > -0.000001))",
        "db = outer(dz2, w).sum(axis=0)",
    ],
)
def test_conditions_that_seldom_matter(answer):
    """Wrong where a unit is off, however rare that is among random points."""
    assert derived("rectified").grade(answer).right is not True


@pytest.mark.slow
def test_one_bias_more_is_no_matter_of_sampling():
    assert derived("recurrent").grade("dU = Σ_t h_{t-1}ᵀ·da1_{t} + 0*Σ_t h_{t}ᵀ·da1_{t}").right
    assert derived("recurrent").grade("dh[n,t,k] = h[n,t,k] - y[n,t,k] + Σ_l da1[n,t+1,l]·U[k,l]").right


@pytest.mark.parametrize(
    ("net", "answer"),
    [
        ("mlp", "dW2 = h.T @ (p - y)/3"),  # 3 is not N
        ("conv", "db[k] = Σ_n,m h[n,k,m]·5/N"),
        ("conv", "db[k] = Σ_n,m h[n,k,m]·N/5"),
        ("mlp", "dh[n,j] = Σ_k da2[n,k]·W2[j,k] + [j = 77]"),  # seen only where H is above 77
        ("mlp", "da2[n,k] = (p[n,k] - [k = y[n]])/N + [y[n] = 9]"),
        ("recurrent", "dU = Σ_t h_{t-1}ᵀ·da1_{t} + Σ_t h_{t-9}ᵀ·da1_{t}"),
        ("recurrent", "dU = Σ_t h_{t-1}ᵀ·da1_{t} + Σ_t [t > 20]·h_{t}ᵀ·da1_{t}"),
        ("mlp", "dh = da2 @ W2.T + x[n,50]"),
    ],
)
def test_what_small_sizes_hide(net, answer):
    """A number in the place of a size, a term that only large sizes have: never called right."""
    try:
        assert derived(net).grade(answer).right is not True
    except FormulaError:
        assert "[n,50]" in answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("dW2 = h.T @ q", "nothing on the page is called q"),
        ("dW3 = h.T @ p", "nothing on the page is called dW3"),
        ("dW2 = dW2", "both sides"),
        ("W2 = h", "its gradient is dW2"),
        ("dW2 = foo(h)", "no function is called foo"),
        ("dW2 h.T", "there is no ="),
        ("dW2[j,k] = Σ_n h[n,j]·(p[n,k] - y[n])/N", "[k = y[n]]"),
    ],
)
def test_unreadable(answer, said):
    with pytest.raises(FormulaError) as refusal:
        derived("mlp").grade(answer)
    assert said in str(refusal.value)


def test_time_is_limited():
    verdict = Grader(derived("mlp")).grade("dW2 = h.T @ (p - y)/N", seconds=0)
    assert verdict.right is None
    assert "could not be decided" in str(verdict)


def test_sizes_are_limited():
    """A value with too many elements isn't computed."""
    big = "h[a,b]*h[c,d]*h[e,f]*h[g,l]*h[m,o]*h[q,r]*h[s,t]*h[u,v]"
    indices = "a,b,c,d,e,f,g,l,m,o,q,r,s,t,u,v"
    verdict = derived("mlp").grade(f"db1[j] = Σ_{indices} {big}")
    assert verdict.right is None


@pytest.mark.parametrize(
    "answer",
    [
        f"dh = {'exp(' * 60}dp @ W2.T{')' * 60}",
        "dh = ((((da2 @ W2.T)^200)^200)^200)^200",
        "dh = exp((da2 @ W2.T)^-200)",
    ],
)
def test_towers_end(answer):
    """Values beyond all bounds cost no time, and are no right answers."""
    assert derived("mlp").grade(answer).right is not True


def test_json():
    plain = derived("mlp").grade("dW2 = h.T @ (y - p)/N").json()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["right"] is False
    assert plain["slip"]["name"] == "sign"

"""Leaves: what a network is given, and what it learns.

Enters: names and shapes. Leaves: tensors without an equation. Must not know: ops, networks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from symbp.errors import DeclarationError, choose
from symbp.ir.points.random import Draw
from symbp.ir.system import Fact, Role
from symbp.language.bodies import number
from symbp.language.naming.frames import here
from symbp.language.sizes import as_shape, as_size, value_of
from symbp.language.start.distributions import Initialiser, constant
from symbp.language.tensor import Tensor

OF_MATRICES = ("symmetric", "lower triangular", "upper triangular")
OF_SIGN = ("positive", "nonnegative")
KINDS = ("sums to one", "one hot", "binary", *OF_SIGN, *OF_MATRICES, "mask")
FACTS_OF_KINDS: dict[str, tuple[Literal["binary", "positive"], ...]] = {
    "bernoulli": ("binary",),
    "uniform": ("positive",),
    "normal": (),
}


def input(name: str, shape: Any, facts: Iterable[str | Fact] = ()) -> Tensor:
    """Data that comes in with each batch; examples are rows, so the first axis is the batch.

    `facts` says what is known of the values: `"sums to one"` or `"one hot"` (over the last axis), `"binary"`,
    `"positive"`, `"nonnegative"`; of the last two axes `"symmetric"`, `"lower triangular"`,
    `"upper triangular"`; `"mask"`, finite or −∞, for what is added to the logits of a softmax (which is seen
    where it is added to them as it is). Derivations rest on facts, and generated modules check them. Raises
    DeclarationError for another word, or a matrix's fact where the last two axes differ.
    """
    return Tensor.leaf(name, axes := as_shape(shape), Role.INPUT, facts=_facts(name, facts, axes))


def labels(name: str, shape: Any, classes: Any, ignored: int | None = None) -> Tensor:
    """Integer labels from 0 to `classes` − 1, or `ignored` where there is none (−100 is a common choice).

    Raises DeclarationError: an `ignored` that is no integer, or one of the labels.
    """
    bound = as_size(classes)
    fact = Fact("below", bound=bound)
    if ignored is not None:
        known = value_of(bound)
        whole = isinstance(ignored, int) and not isinstance(ignored, bool)
        if not whole or 0 <= ignored < (ignored + 1 if known is None else known):
            raise DeclarationError(
                f"what {name} holds where there is no label can't be {ignored!r}",
                where=here(),
                help="use an integer that is no label: −100; to ignore a class, cross_entropy's ignore_index",
            )
        fact = Fact("below or ignored", bound=bound, ignored=ignored)
    return Tensor.leaf(name, as_shape(shape), Role.TARGET, integer=True, facts=frozenset({fact}))


def tokens(name: str, shape: Any, vocabulary: Any) -> Tensor:
    """Integers from 0 to `vocabulary` − 1 that come in with each batch: words, nodes, categories."""
    fact = Fact("below", bound=as_size(vocabulary))
    return Tensor.leaf(name, as_shape(shape), Role.INPUT, integer=True, facts=frozenset({fact}))


def target(name: str, shape: Any, facts: Iterable[str | Fact] = ()) -> Tensor:
    """Real values to be predicted. `facts` says what is known of them, as for `input`."""
    return Tensor.leaf(name, axes := as_shape(shape), Role.TARGET, facts=_facts(name, facts, axes))


def param(name: str, shape: Any, init: Initialiser | None = None, facts: Iterable[str | Fact] = ()) -> Tensor:
    """A parameter, learned. `init` says how it starts; by default weights as Glorot's or He's, what must be
    positive or is a factor of everything at 1, offsets at 0 (`symbp.language.start.by_equations`).

    `facts` says what is known of its values, as for `input`. What is drawn for a symmetric or triangular
    matrix is made so; for the other facts `init` must give values that have them. The gradient is that of
    independent elements, so a step may leave the fact: the module checks it where parameters come in.
    Raises DeclarationError: an `init` that is none, facts as in `input`, a fact that the default start lacks.
    """
    if init is not None and not callable(init):
        raise DeclarationError(
            f"init of {name} is {init!r}, not a way to start a parameter",
            where=here(),
            help="use one of bp.optim.initial: glorot_uniform, he_normal, zeros, constant(0.1)",
        )
    known = _facts(name, facts, axes := as_shape(shape))
    unmet = sorted(fact.kind for fact in known if fact.kind not in (*OF_MATRICES, "positive", "nonnegative"))
    if init is None and unmet:
        raise DeclarationError(
            f"{name} is {unmet[0]}, and starts as nothing that is: say how it starts",
            where=here(),
            help="give init=bp.optim.initial.constant(1), or another start that has the fact",
        )
    return Tensor.leaf(name, axes, Role.PARAMETER, init=init, facts=known)


def buffer(name: str, shape: Any, init: float = 0.0, facts: Iterable[str | Fact] = ()) -> Tensor:
    """State that isn't learned by gradients, such as a running mean: it starts at `init` everywhere, and
    `bp.update` gives it its next values. `facts` hold at any time (a running variance is `"nonnegative"`)."""
    start = number(init)
    if start is None:
        raise DeclarationError(
            f"the buffer {name} can't start at {init!r}", where=here(), help="use a number"
        )
    facts = _facts(name, facts, axes := as_shape(shape))
    return Tensor.leaf(name, axes, Role.BUFFER, init=constant(start), facts=facts)


def random(name: str | None, shape: Any, kind: str = "bernoulli", p: float = 0.5, **more: Any) -> Tensor:
    """Values drawn anew in each step, through which no gradient flows: `"bernoulli"`, 1 with probability `p`
    (between 0 and 1) and else 0; `"uniform"` between 0 and 1; `"normal"` with mean 0 and variance 1.
    Without a name it is called after the layer that reads it.

    Raises DeclarationError: another kind, or such a `p`.
    """
    if kind not in FACTS_OF_KINDS:
        raise DeclarationError(
            f"no distribution is called {kind!r}", where=here(), help=choose(kind, FACTS_OF_KINDS)
        )
    if number(p) is None or not 0 < p < 1:
        raise DeclarationError(
            f"the probability of {name or 'a random tensor'} is {p!r}",
            where=here(),
            help="use a number between 0 and 1; at either end nothing is random",
        )
    draw = Draw(kind, float(p) if kind == "bernoulli" else 0.5)  # type: ignore[arg-type]
    facts = frozenset(Fact(fact) for fact in FACTS_OF_KINDS[kind])
    return Tensor.leaf(name, as_shape(shape), Role.RANDOM, draw=draw, facts=facts, **more)


def hyper(name: str, value: float | None = None) -> Tensor:
    """A scalar constant of the network, with its value if it is known already."""
    if value is not None and number(value) is None:
        raise DeclarationError(f"the value of {name} must be a number, not {value!r}", where=here())
    return Tensor.leaf(name, (), Role.HYPER, value=None if value is None else float(value))


def _facts(name: str, facts: Iterable[str | Fact], shape: tuple[Any, ...]) -> frozenset[Fact]:
    """The facts of a leaf, those over one axis over its last."""
    given = (facts,) if isinstance(facts, (str, Fact)) else tuple(facts)
    found = []
    for fact in given:
        if isinstance(fact, str):
            if fact not in KINDS:
                raise DeclarationError(
                    f"{fact!r} is no fact that is known", where=here(), help=choose(fact, KINDS)
                )
            over_axis = fact in ("sums to one", "one hot")
            fact = Fact(fact, axis=len(shape) - 1 if over_axis else None)  # type: ignore[arg-type]
        square = len(shape) > 1 and shape[-1] == shape[-2]
        if fact.kind in OF_MATRICES and not square:
            raise DeclarationError(
                f"{name} can't be {fact.kind}: its last two axes are not those of a square matrix",
                where=here(),
                details=(f"{name}: ({', '.join(map(str, shape))})",),
            )
        found.append(fact)
    return frozenset(found)

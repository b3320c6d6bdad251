"""A declaration with a loss: a network, its arrays, and the file that declares it.

Enters: a declaration, a loss by name or as a function. Leaves: `Imported`. Must not know: foreign operations.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symbp.errors import DataError, UsageError, choose
from symbp.interchange.inward.graph import Graph
from symbp.interchange.inward.naming import cleaned
from symbp.interchange.inward.translate import Declared
from symbp.interchange.inward.writing import Term, Writer, wrapped
from symbp.interchange.weights import Weights, save_weights
from symbp.language import Network
from symbp.language.tensor import Tensor
from symbp.writing import refuse_to_overwrite, write

Loss = str | Callable[..., Tensor] | None


@dataclass(frozen=True)
class Imported:
    """A network of another tool: `net` as symbp declares it, `weights` with the values of its parameters and
    buffers, `text` of the file that declares it, and the model's own names of arrays in `sources`.

    `net, weights = bp.from_onnx(…)` takes the first two."""

    net: Network
    weights: Weights
    text: str
    sources: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.net, self.weights))

    def save(
        self,
        path: str | os.PathLike[str],
        params: str | os.PathLike[str] | None = None,
        *,
        force: bool = False,
    ) -> tuple[Path, Path]:
        """Writes the declaration as a Python file and the arrays beside it, .npz or .safetensors by its
        ending; both paths. Raises GenerationError: a file that is there already; UsageError: a loss that was
        a function of Python."""
        if not self.text:
            raise UsageError(
                "a loss that is a function of Python can't be written into a file",
                help=f"name one of: {', '.join(LOSSES)}",
            )
        arrays = Path(params) if params is not None else Path(path).with_suffix(".npz")
        for one in (path, arrays):
            refuse_to_overwrite(one, force=force)
        written = write(path, self.text, force=force)
        return written, save_weights(self.weights, arrays, force=force)


@dataclass(frozen=True)
class Ended:
    """A loss as text and as a tensor, and metrics beside it."""

    loss: Term
    metrics: Mapping[str, Term] = field(default_factory=dict)


def finished(graph: Graph, made: Declared, loss: Loss, output: str | None) -> Imported:
    """The network of a declaration. Raises UsageError: no such loss or output."""
    w = made.writer
    own = w.names.take(cleaned(graph.name, "model"))
    text = ""
    if callable(loss):
        found = loss(*(t.value for t in made.outputs.values()))
        ended = Ended(Term("", found))
    else:
        ended = _ended(w, made, loss, output)
        text = _file(graph, made, ended, own)
    net = Network(
        own,
        loss=ended.loss.value,
        outputs={n: t.value for n, t in _beside(made, ended).items()},
        metrics={n: t.value for n, t in ended.metrics.items()},
    )
    words = {"network": own}
    return Imported(net, Weights(w.params, w.buffers, words), text, dict(w.sources))


def _beside(made: Declared, ended: Ended) -> dict[str, Term]:
    """The outputs without the one that is the loss."""
    return {name: term for name, term in made.outputs.items() if term is not ended.loss}


def _ended(w: Writer, made: Declared, loss: str | None, output: str | None) -> Ended:
    chosen = _output(made, output)
    if loss is None and chosen.rank == 0:
        return Ended(chosen)
    name = loss or "mse"
    if name not in LOSSES:
        raise UsageError(f"no loss is called {name!r} here", help=choose(name, LOSSES))
    if chosen.rank == 0:
        raise UsageError(f"the output {chosen.text} is one number, a loss itself", help="leave the loss out")
    return LOSSES[name](w, chosen)


def _output(made: Declared, wanted: str | None) -> Term:
    if wanted is None:
        return next(iter(made.outputs.values()))
    if wanted not in made.outputs:
        raise UsageError(f"the model has no output {wanted!r}", help=choose(wanted, made.outputs))
    return made.outputs[wanted]


def _target_name(w: Writer) -> str:
    return w.names.take("y" if w.names.free("y") else "target")


def _classes(w: Writer, p: Term) -> Ended:
    """Labels, one for each row of p."""
    if p.rank not in (2, 3):
        raise UsageError(
            f"cross_entropy takes classes along the last of 2 or 3 axes, and {p.text} has {p.rank}",
            help="loss=lambda p: … of symbp's own functions, or edit the file that is written",
        )
    if not isinstance(p.shape[-1], int):
        raise UsageError(f"the number of classes, {p.shape[-1]}, is open")
    y = w.leaf("labels", _target_name(w), p.shape[:-1], classes=p.shape[-1])
    made_of: dict[str, tuple[str, dict[str, Any]]] = {
        "softmax": ("cross_entropy", {}),
        "log_softmax": ("nll", {}),
    }
    function, options = made_of.get(p.made, ("cross_entropy", {"from_logits": True}))
    accuracy = {"accuracy": w.call("accuracy", p, y)} if p.rank == 2 else {}
    return Ended(w.call(function, p, y, **options), accuracy)


def _target(function: str, facts: str = "") -> Callable[[Writer, Term], Ended]:
    """A loss of a target with the shape of the output."""

    def end(w: Writer, p: Term) -> Ended:
        more = {"facts": facts} if facts else {}
        y = w.leaf("target", _target_name(w), p.shape, **more)
        logits = {"from_logits": True} if facts and p.made != "sigmoid" else {}
        return Ended(w.call(function, p, y, **logits))

    return end


LOSSES: Mapping[str, Callable[[Writer, Term], Ended]] = {
    "mse": _target("mse"),
    "mae": _target("mae"),
    "huber": _target("huber"),
    "smooth_l1": _target("smooth_l1"),
    "cross_entropy": _classes,
    "binary_cross_entropy": _target("binary_cross_entropy", "binary"),
}


def _file(graph: Graph, made: Declared, ended: Ended, name: str) -> str:
    """The declaration as a file that a person reads and edits."""
    w = made.writer
    outputs = ", ".join(f'"{n}": {t.text}' for n, t in _beside(made, ended).items())
    metrics = ", ".join(f'"{n}": {t.text}' for n, t in ended.metrics.items())
    parts = [f'"{name}"', f"loss={ended.loss.text}", f"outputs={{{outputs}}}"]
    parts += [f"metrics={{{metrics}}}"] if metrics else []
    origin = "".join(c for c in graph.origin if c.isprintable() and c not in '"\\')[:80]
    return "\n".join(
        [
            f'"""{name}, as it came in{f" from {origin}" if origin else ""}.',
            "",
            "The values of its parameters and buffers are in a file of their own: train with --params FILE.",
            '"""',
            "",
            "import symbp as bp",
            "",
            *w.head(),
            *([""] if w.sizes else []),
            *w.leaves,
            "",
            *w.lines,
            *([""] if w.lines else []),
            wrapped(f"net = bp.Network({', '.join(parts)})"),
            "",
        ]
    )


def check_loss(loss: Any) -> None:
    """Raises UsageError before anything is read: no loss of that name."""
    if isinstance(loss, str) and loss not in LOSSES:
        raise UsageError(f"no loss is called {loss!r} here", help=choose(loss, LOSSES))
    if not (loss is None or isinstance(loss, str) or callable(loss)):
        raise DataError(f"a loss is a name or a function of tensors, not {loss!r}")

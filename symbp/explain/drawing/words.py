"""A graph in words: for those who don't see it, and the key below the picture.

Enters: a graph and its labels. Leaves: sentences. Must not know: places, formats.
"""

from __future__ import annotations

from symbp.explain.drawing.graph import Graph
from symbp.explain.drawing.labels import Labels
from symbp.explain.drawing.text import width, words
from symbp.ir.system import Role

KEY = 12.0  # the size of its letters


def alternative(graph: Graph, labels: Labels) -> str:
    """What is drawn: who reads whom, then what each adjoint is made of."""
    told = ["The network as a graph of tensors; an arrow leads from each to what reads it."]
    readers: dict[str, dict[str, None]] = {}
    for edge in graph.edges:
        readers.setdefault(edge.reader, {}).setdefault(edge.read)
    tensor = {node.name: _called(labels, node.tensor, node.step) for node in graph.nodes}
    for reader, reads in readers.items():
        told.append(f"{tensor[reader]} reads {_listed([tensor[name] for name in reads])}.")
    if graph.adjoints:
        told.append("Beneath it the backward pass, in the opposite direction.")
    adjoints = {a.node: labels.told_adjoint(a, graph.by_name[a.node].tensor) for a in graph.adjoints}
    for adjoint in graph.adjoints:
        into = [flow for flow in graph.flows if flow.read == adjoint.node]
        if into:
            sources = [f"{adjoints[flow.reader]} times {labels.told_short(flow)}" for flow in into]
            told.append(f"{adjoints[adjoint.node]} gets {_listed(sources)}.")
    return " ".join(told)


def key(graph: Graph) -> list[str]:
    """What boxes and lines mean, a sentence each: of those that the picture has."""
    told = ["An arrow leads from a tensor to what reads it."]
    if graph.adjoints:
        told.append(
            "Backward, an arrow multiplies the derivative where it starts by the local derivative on it (1 "
            "where there is none), and sums over the indices that the result lacks; a derivative is the sum "
            "of the arrows that reach it."
        )
    if any(flow.saved for flow in graph.flows):
        told.append(
            "A dashed line leads from a value of the forward pass to where the backward pass multiplies by "
            "it: the value is kept for that."
        )
    if any(not a.numbers and graph.by_name[a.node].role is not Role.LOSS for a in graph.adjoints):
        told.append(
            "A dashed box: a derivative without an equation of its own; the page's equations step over it."
        )
    if any(node.recurrent for node in graph.nodes):
        told.append("A stack: a tensor with an element for each step of a loop.")
    return told


def key_lines(graph: Graph, wide: float) -> list[str]:
    """The key, in lines that fit into a width."""
    lines = [""]
    for word in " ".join(key(graph)).split():
        longer = f"{lines[-1]} {word}".strip()
        if width(words(longer), KEY) > wide - 32 and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _called(labels: Labels, tensor: str, step: str) -> str:
    return f"{labels.told(tensor)} at {step}" if step else labels.told(tensor)


def _listed(things: list[str]) -> str:
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)

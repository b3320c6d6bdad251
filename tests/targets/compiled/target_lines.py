"""The lines of NumPy's stages with what their names stand for: `W2.T` for `W2_T`, `h[t]` for `h_t`."""

from __future__ import annotations

import ast
import re

STAGES = ("_forward", "_loss", "_backward", "_buffers", "_inference", "_metrics", "_derivatives")


def spelled_out(text: str) -> str:
    """A module, its stages' lines as if nothing had been bound before they run."""
    nodes = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name in STAGES]
    for function in [ast.get_source_segment(text, node) or "" for node in nodes]:
        text = text.replace(function, _spelled_out(function))
    return text


def _spelled_out(text: str) -> str:
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    head, _, run = text.partition("    def run(data):\n")
    for node in reversed(function.body):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name, value = node.targets[0].id, node.value
        if isinstance(value, ast.ListComp):
            run = _looped(text, run, name, value)
        elif not re.match(r'\w+\["', source := ast.get_source_segment(text, value) or ""):
            array = re.fullmatch(r"np\.array\((.*), (DTYPE|np\.int64)\)", source)
            source = array[1] if array else source
            number = not array and not isinstance(value, (ast.Subscript, ast.Attribute, ast.Call))
            run = re.sub(rf"\b{name}\b", lambda _, s=f"({source})" if number else source: s, run)
    return head + "    def run(data):\n" + run


def _looped(text: str, run: str, name: str, value: ast.ListComp) -> str:
    """The lines of a loop over views, as one over its steps."""
    made = value.elt.elts if isinstance(value.elt, ast.Tuple) else [value.elt]
    texts = [ast.get_source_segment(text, part) or "" for part in made]
    (around,) = value.generators
    header = f"for {ast.unparse(around.target).strip('()')} in {ast.get_source_segment(text, around.iter)}:"
    found = re.search(rf"for ([\w\s,()]+?) in {name}:", run)
    assert found is not None
    run = run.replace(found.group(0), header)
    for view, source in zip(re.findall(r"\w+", found.group(1)), texts, strict=True):
        run = re.sub(rf"\b{view}\b", lambda _, s=source: s, run)
    return run

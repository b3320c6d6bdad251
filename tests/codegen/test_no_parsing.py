"""Nothing in `codegen` and `targets` reads code or comments: what an earlier stage knew is in the tree."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "symbp"
CARRY = ROOT / "codegen" / "carry.py"  # reads the runtime's own files, from which modules take functions
FILES = sorted(
    {f for part in ("codegen", "targets", "runtime") for f in (ROOT / part).rglob("*.py")} - {CARRY}
)
TARGETS = {f.name for f in (ROOT / "targets").iterdir() if f.is_dir() and not f.name.startswith("_")}


@pytest.mark.parametrize("path", FILES, ids=[str(f.relative_to(ROOT)) for f in FILES])
def test_no_code_is_parsed(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    in_runtime = path.is_relative_to(ROOT / "runtime")  # which may read the cells of tables, and no code
    assert not imported & {"ast", "tokenize", "libcst", *(() if in_runtime else ("re",))}
    texts = [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Call)
        for n in n.args
        if isinstance(n, ast.Constant)
    ]
    split_at_comment = [t for t in texts if isinstance(t, str) and t.strip() == "#"]
    assert not split_at_comment


def test_nobody_outside_asks_for_a_target_by_name():
    """A target is chosen by its name in the registry and on the command line, and nowhere by an `if`."""
    for path in sorted(ROOT.rglob("*.py")):
        if path.is_relative_to(ROOT / "targets"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                words = {c.value for c in [node.left, *node.comparators] if isinstance(c, ast.Constant)}
                assert not words & TARGETS, f"{path}:{node.lineno}"

"""Nothing that makes modules reads code or comments: what an earlier stage knew is in the tree."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2] / "symbp"
CARRY = ROOT / "codegen" / "carry.py"  # reads the runtime's own files, from which modules take functions
ROOMS = ("lower", "codegen", "targets", "runtime")
FILES = sorted({f for room in ROOMS for f in (ROOT / room).rglob("*.py")} - {CARRY})


def test_no_code_is_parsed():
    wrong = [f"{path.relative_to(ROOT)} {what}" for path in FILES for what in readings(path)]
    assert not wrong, "\n".join(wrong)


def readings(path):
    """What in a file reads code or comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    in_runtime = path.is_relative_to(ROOT / "runtime")  # which may read the cells of tables, and no code
    for name in sorted(imported & {"ast", "tokenize", "libcst", *(() if in_runtime else ("re",))}):
        yield f"imports {name}"
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    texts = [a.value for call in calls for a in call.args if isinstance(a, ast.Constant)]
    if any(isinstance(text, str) and text.strip() == "#" for text in texts):
        yield "splits at a comment sign"

"""Imports go one way, importing symbp is cheap, and definitions hold no derivative."""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from symbp.targets import COMPLETE, TARGETS, named

ROOT = Path(__file__).parents[1] / "symbp"
# Where the names of targets are listed, and words that are called like one: a format of what `grad` prints.
OTHER_NAMES = {"targets/__init__.py", "cli/commands/grad.py"}
FILES = sorted(ROOT.rglob("*.py"))

# Each part may import what stands beside it, and whatever that may import. Everything may import `errors`.
DIRECT = {
    "cli": {
        "api",
        "gallery",
        "explain",
        "verify",
        "ops",
        "data",
        "root",
        "targets",
        "serve",
        "saliency",
        "interchange",
    },
    # Units by their derivatives, as pictures: it declares its own penalty, and lets the api derive.
    "saliency": {"api"},
    # The local page, beside the commands: it may call the stages as they do, and nothing of theirs.
    "serve": {"api", "gallery", "rendering", "root", "targets"},
    "api": {"language", "verify", "explain", "formula", "targets", "interchange", "writing"},
    # Other tools' formats: the equations of a network as theirs, the arrays of its layers as theirs.
    "interchange": {"nn", "codegen", "targets", "writing"},
    # Grading reads what students write, and what the page calls things; frameworks run a forward pass.
    "verify": {"read", "targets"},
    # A target spells what it takes: plain code is the textbook's reading, run.
    "targets": {"codegen", "rendering", "runtime", "writing"},
    # Code as a tree. What is lowered to arrays are bodies of equations, those with a page's nodes, too.
    "codegen": {"lower", "read"},
    "lower": {"derive"},
    "derive": {"ir"},
    "explain": {"read", "rendering"},
    # The grammar: text to trees, and nothing of networks, so that pages and answers are read with it, too.
    "grammar": set(),
    "read": {"derive", "grammar"},
    # What a formula declares: it makes tensors by ops, as a user would. Nobody but the api and commands may.
    "formula": {"grammar", "ops"},
    "gallery": {"nn", "optim", "data", "root"},  # its files are written as a user would: import symbp as bp
    "nn": {"ops"},
    "optim": {"ops"},
    "ops": {"language"},
    "language": {"ir"},
    "ir": set(),
    "runtime": set(),  # what generated modules take along: NumPy, and nothing of symbp
    "rendering": set(),  # templates filled in, for modules and pages
    "writing": {"runtime"},  # files, whole or not at all, as modules write theirs
    "data": {"runtime"},  # files are read and split by the code that modules take along
    "errors": set(),
    "__main__": {"cli"},  # `python -m symbp`
    "root": set(),  # lazy: its imports are checked by `test_importing_symbp_is_cheap`
}


def closure(part, found=None):
    found = set() if found is None else found
    for other in DIRECT[part] - found:
        found.add(other)
        closure(other, found)
    return found


ALLOWED = {part: closure(part) | {part, "errors"} for part in DIRECT}


def part_of(module):
    """`symbp.ir.expr` → `ir`; `symbp` itself → `root`; `symbp.read` has parts of its own."""
    pieces = module.split(".")
    if pieces[1:2] == ["read"] and pieces[2:3] in (["formula"], ["grammar"]):
        return pieces[2]
    return pieces[1] if len(pieces) > 1 else "root"


def module_name(path):
    pieces = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(pieces[:-1] if pieces[-1] == "__init__" else pieces)


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path):
    """(module, line) of everything that a file imports, inside functions too."""
    module = module_name(path)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            assert node.level == 0, f"{path}:{node.lineno}: write the import out from symbp"
            for alias in node.names:
                inside = f"{base}.{alias.name}"
                yield (inside if (ROOT.parent / inside.replace(".", "/")).exists() else base), node.lineno
    assert module  # a file outside the package would have no name


def internal(path):
    return [(name, line) for name, line in imports(path) if name.split(".")[0] == "symbp"]


def test_imports_go_one_way():
    wrong = [
        f"{path.relative_to(ROOT.parent)}:{line}: {part} must not import {name}"
        for path in FILES
        if (part := part_of(module_name(path))) != "root"
        for name, line in internal(path)
        if part_of(name) not in ALLOWED[part]
    ]
    assert not wrong, "\n".join(wrong)


def test_derive_and_lower_know_no_language():
    for part in ("derive", "lower", "ir", "verify", "explain", "read", "codegen", "targets"):
        assert not ALLOWED[part] & {"language", "ops", "nn", "optim", "gallery", "api", "cli"}


def test_every_part_is_listed():
    found = {part_of(module_name(path)) for path in FILES}
    assert found <= set(DIRECT)
    assert set(DIRECT) - {"root", "errors"} <= found


def test_rooms_of_the_runtime_keep_apart():
    """What all targets have knows none of them, and NumPy's and Numba's rooms know nothing of each other."""
    for path in sorted((ROOT / "runtime").rglob("*.py")):
        room = path.relative_to(ROOT / "runtime").parts[0]
        others = {"numpy", "numba"} - {room}
        for name, line in internal(path):
            assert name.split(".")[2] not in others, f"{path.name}:{line}: {room} must not import {name}"


def test_targets_keep_apart():
    """No target knows of another, and what several share knows of none."""
    rooms = {path.parent.name for path in (ROOT / "targets").glob("*/__init__.py")}
    for room in rooms:
        others = rooms - {room, "compiled"}
        for path in sorted((ROOT / "targets" / room).rglob("*.py")):
            for name, line in internal(path):
                part, *inside = name.split(".")[1:3]
                apart = part != "targets" or not others & set(inside)
                assert apart, f"{room}/{path.name}:{line}: must not import {name}"


def test_every_part_of_the_pipeline_knows_only_the_earlier_ones():
    """verify → targets → codegen → lower → derive → ir."""
    stages = ["ir", "derive", "lower", "codegen", "targets", "verify"]
    for k, part in enumerate(stages):
        assert set(stages) & ALLOWED[part] <= set(stages[: k + 1])


def test_nothing_asks_which_target_it_is():
    """Outside the rooms of a target no name of one is compared with, looked up, or chosen by."""
    own = {("targets", name) for name in TARGETS}
    for path in FILES:
        if path.relative_to(ROOT).parts[:2] in own:
            continue
        for node in ast.walk(tree_of(path)):
            asked = [*node.comparators, node.left] if isinstance(node, ast.Compare) else []
            asked += [key for key in node.keys if key] if isinstance(node, ast.Dict) else []
            asked += [node.slice] if isinstance(node, ast.Subscript) else []
            asked += [node.pattern] if isinstance(node, ast.match_case) else []
            words = {n.value for part in asked for n in ast.walk(part) if isinstance(n, ast.Constant)}
            if not words & {*TARGETS}:
                continue
            found = words & {*(TARGETS if asked and "target" in ast.unparse(node) else COMPLETE)}
            where = path.relative_to(ROOT).as_posix()
            assert not found or where in OTHER_NAMES, f"{where}:{node.lineno}: {found}"


def test_complete_targets_are_those_with_a_runtime():
    assert tuple(name for name in TARGETS if named(name).runtime) == COMPLETE


def test_only_the_command_line_imports_a_console_library():
    users = {part_of(module_name(p)) for p in FILES if any(n.split(".")[0] == "rich" for n, _ in imports(p))}
    assert users == {"cli"}


def top_level_imports(path):
    """Modules imported when the file itself is imported, not for annotations only."""
    tree = tree_of(path)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("symbp"):
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("symbp"))


MODULES = {module_name(path): path for path in FILES}


def test_no_import_cycles():
    graph = {name: sorted(set(top_level_imports(path)) - {name}) for name, path in MODULES.items()}
    done, active = set(), []

    def visit(name):
        if name in active:
            raise AssertionError("import cycle: " + " → ".join([*active[active.index(name) :], name]))
        if name not in done:
            active.append(name)
            for other in graph.get(name, ()):
                visit(other)
            active.pop()
            done.add(name)

    for name in graph:
        visit(name)


def loaded_by(statement):
    code = f"import sys, json; {statement}; print(json.dumps(sorted(sys.modules)))"
    return set(
        json.loads(
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        )
    )


@pytest.mark.parametrize(
    "statement", ["import symbp", "import symbp.cli.main", "import symbp.cli.main as m; m.parser()"]
)
def test_importing_symbp_is_cheap(statement):
    heavy = {"sympy", "numpy", "scipy", "numba", "jinja2", "rich", "torch", "symbp.api", "symbp.language"}
    assert not loaded_by(statement) & heavy


def test_derive_is_the_function_whatever_was_imported_first():
    sweep, home = "import symbp.derive.sweep.reverse", "bp.derive.__module__ == 'symbp.api'"
    code = f"{sweep}; import symbp as bp; assert {home}, bp.derive"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("part", ["ops", "nn", "optim"])
def test_definitions_hold_no_derivative(part):
    """No call of a differentiation, no name that announces a hand-written gradient."""
    forbidden = {
        "diff",
        "Derivative",
        "idiff",
        "jacobian",
        "hessian",
        "backward",
        "vjp",
        "jvp",
        "adjoint",
        "adjoints",
    }
    for path in sorted((ROOT / part).rglob("*.py")):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom) and node.module == "symbp.ir.partial":
                assert "partial" not in {alias.name for alias in node.names}, f"{path}:{node.lineno}"
            called = node.func if isinstance(node, ast.Call) else node
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                name = node.name
            where = f"{path.relative_to(ROOT.parent)}:{getattr(node, 'lineno', 0)}"
            assert name not in forbidden, f"{where}: {name} has no place in a definition"


@pytest.mark.slow
def test_every_module_says_what_it_is():
    silent = [
        module_name(p) for p in FILES if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))
    ]
    assert not silent

"""The committed output of the gallery is what the code writes, byte for byte, on any supported SymPy."""

import ast
import difflib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sympy

import symbp as bp

TOOL = Path(__file__).with_name("generated_tool.py")
QUICK = ("mlp", "word2vec")  # soon derived
SOME = (*QUICK, "attention", "char_lstm", "conv", "crf", "resnet_mlp", "vae")  # something of each kind
LONG = bool(os.environ.get("SYMBP_LONG"))
# The oldest and the newest that are supported; with the one that is here, the whole gallery is written.
SYMPY = [version for version in ("1.13.0", "1.14.0") if LONG or version != sympy.__version__]


def _load_tool():
    spec = importlib.util.spec_from_file_location("generated_tool", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = _load_tool()


def rendered(*names, **environment):
    """What the tool prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(TOOL), "--print", *names],
        env={**os.environ, **environment}, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def committed(names):
    """The files of these networks that are there, or all files."""
    files = {p.name: p.read_text(encoding="utf-8") for p in sorted(tool.FOLDER.iterdir()) if p.is_file()}
    ends = (".txt", "_computed.txt", ".tex", "_numpy.py", "_numba.py", "_plain.py")
    own = tuple(f"{name}{end}" for name in names for end in ends)
    return {name: text for name, text in files.items() if not names or name in own}


def assert_committed(files, *names):
    there = committed(names)
    changes = []
    for name in sorted({*files, *there}):
        old, new = there.get(name, ""), files.get(name, "")
        changes += difflib.unified_diff(
            old.splitlines(), new.splitlines(), f"generated/{name}", f"written now: {name}", lineterm="", n=1
        )
        if old != new and not changes:
            changes.append(f"{name}: differs in line ends or is empty")
    assert not changes, "\n".join(
        [
            "generated/ is not what the code writes; if the change is meant, run",
            f"    {tool.UPDATE}",
            *changes[:200],
        ]
    )


def test_output_is_committed():
    assert_committed(rendered(*QUICK, PYTHONHASHSEED="4321"), *QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["0", pytest.param("4321", marks=pytest.mark.long)])
def test_output_of_the_whole_gallery_is_committed_whatever_the_hash_seed(seed):
    """Derived by whichever test asked first, with the hash seed of its process, and written with this one."""
    assert_committed(rendered("--once", PYTHONHASHSEED=seed))


@pytest.mark.slow
@pytest.mark.parametrize("version", SYMPY)
def test_output_does_not_depend_on_the_version_of_sympy(version, tmp_path):
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path)]
    done = subprocess.run([*install, f"sympy=={version}"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"pip cannot install sympy {version}: {done.stderr.strip().splitlines()[-1:]}")
    found = subprocess.run(
        [sys.executable, "-c", "import sympy; print(sympy.__version__)"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == version
    names = () if LONG else SOME
    assert_committed(rendered(*names, PYTHONPATH=str(tmp_path), PYTHONHASHSEED="4321"), *names)


def test_every_network_of_the_gallery_is_there():
    names = sorted(bp.gallery.GALLERY)
    assert sorted(committed(names)) == sorted(committed(()))
    assert len(committed(())) == 6 * len(names)


def test_what_is_left_out_of_a_module_is_in_the_runtime_word_for_word():
    """A change of one letter is shown."""
    whole = (tool.FOLDER / "mlp_numpy.py").read_text(encoding="utf-8")
    short = tool.shortened(whole)
    assert "# symbp/runtime/common/training/fit.py: fit" in short.splitlines()
    assert len(short.splitlines()) < len(whole.splitlines()) / 3
    changed = whole.replace(
        "if callback is not None and callback(record) is True:", "if callback(record) is True:"
    )
    assert changed != whole
    shown = set(tool.shortened(changed).splitlines()) - set(short.splitlines())
    assert "                if callback(record) is True:" in shown


def test_every_equation_number_stands_in_each_module_and_no_other():
    """Code comments are `# (3)` or `# (3), (4)`; the derivation numbers its equations from 1."""
    texts = {p.name: p.read_text(encoding="utf-8") for p in sorted(tool.FOLDER.glob("*.py"))}
    assert texts
    for name, text in texts.items():
        net, _, target = name.removesuffix(".py").rpartition("_")
        if target == "plain":  # by the textbook's numbers, of what a training step computes
            page = (tool.FOLDER / f"{net}.txt").read_text(encoding="utf-8").split("\nForward\n")[1]
            known = {int(number) for number in re.findall(r"^ +\((\d+)\)  ", page, flags=re.MULTILINE)}
            computed = re.findall(r"  #((?: ?\(\d+\),?)+)$", text, flags=re.MULTILINE)
            found = {int(number) for comment in computed for number in re.findall(r"\d+", comment)}
            assert found, name
            assert found <= known, name
            continue
        page = (tool.FOLDER / f"{net}_computed.txt").read_text(encoding="utf-8").split("\nSteps\n")[0]
        numbers = {int(number) for number in re.findall(r"^ +\((\d+)\)  ", page, flags=re.MULTILINE)}
        assert numbers == set(range(1, len(numbers) + 1))
        computed = re.findall(r"#((?: ?\(\d+\),?)+)", text)
        found = {int(number) for comment in computed for number in re.findall(r"\d+", comment)}
        assert found == numbers, f"{name}: {sorted(found ^ numbers)}"


def test_no_function_of_a_module_takes_another_s_name():
    """A module is one namespace: a second definition would silently replace the first."""
    paths = sorted(tool.FOLDER.glob("*.py"))
    assert paths
    for path in paths:
        text = path.read_text(encoding="utf-8")
        defined = [n.name for n in ast.parse(text).body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        taken = re.findall(r"^# symbp/runtime/[\w/]+\.py: (.+)$", text, flags=re.MULTILINE)
        defined += [name for names in taken for name in names.split(", ")]
        assert len(defined) == len(set(defined)), (
            f"{path.name}: {sorted(n for n in set(defined) if defined.count(n) > 1)}"
        )

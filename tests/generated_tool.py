"""Renders what `generated/` holds: each gallery network's derivation and its module for each target.

python tests/generated_tool.py                     writes the folder anew
python tests/generated_tool.py NAME …              writes the files of these networks anew
python tests/generated_tool.py --print [NAME …]    prints {file: text} as JSON and writes nothing
python tests/generated_tool.py --print --once      the same of the derivations that a run of tests shares

Of a module the network's own sections are kept. In place of what is in a file of the runtime, word for word,
stands the name of that file, with the names of what is taken. Modules of networks in `WHOLE` are kept whole.
"""

import ast
import functools
import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "generated"
RUNTIME = Path(__file__).parents[1] / "symbp" / "runtime"
UPDATE = "python tests/generated_tool.py"
WHOLE = ("mlp",)


def render(chosen=(), once=False):
    """Every file of the folder by name, or those of the chosen networks; `once`: of the derivations that a
    run of tests shares."""
    import symbp as bp
    from symbp import targets
    from symbp.api import source
    from symbp.cli.target import load_target, optimizer

    if once:
        import derived_once

    files = {}
    for name in sorted(chosen or bp.gallery.GALLERY):
        target = load_target(name)
        derivation = derived_once.of_gallery(name) if once else bp.derive(target.network)
        files[f"{name}.txt"] = derivation.text() + "\n"
        files[f"{name}_computed.txt"] = derivation.text(steps=True, reading="computed") + "\n"
        files[f"{name}.tex"] = derivation.latex()
        for machine in targets.TARGETS:
            text = source(
                target.network,
                optimizer=optimizer(target, None, None),
                target=machine,
                dtype="float64",
                derivation=derivation,
            )
            whole = name in WHOLE or machine not in targets.COMPLETE
            files[f"{name}_{machine}.py"] = text if whole else shortened(text)
    return files


def definitions(text):
    """What a file defines: its lines, with decorators and comments above, and its names."""
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        else:
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) - 1
        while lines[first - 1].startswith("#"):
            first -= 1
        yield range(first, node.end_lineno), "\n".join(lines[first : node.end_lineno]), names


@functools.cache
def runtime():
    """The file of the runtime for each text that one of them defines; of `network.py` no module takes any."""
    found = {}
    for path in sorted(set(RUNTIME.rglob("*.py")) - {RUNTIME / "network.py"}):
        for _, text, _ in definitions(path.read_text(encoding="utf-8")):
            found.setdefault(text, path.relative_to(RUNTIME.parents[1]).as_posix())
    return found


def shortened(text):
    """A module with what is in the runtime word for word named, not shown."""
    places = {place.start: (place.stop, runtime().get(own), names) for place, own, names in definitions(text)}
    places = {start: found for start, found in places.items() if found[1] is not None}
    lines, kept, at, home = text.splitlines(), [], 0, None
    while at < len(lines):
        if at in places:
            at, other, names = places[at]
            if home is not None:  # blank lines between definitions of the runtime
                kept = kept[: len(kept) - kept[::-1].index(next(filter(None, kept[::-1])))]
            if other == home:
                kept[-1] += f", {', '.join(names)}"
            else:
                kept.append(f"# {other}: {', '.join(names)}")
            home = other
        else:
            home = None if lines[at] else home
            kept.append(lines[at])
            at += 1
    return "\n".join(kept) + "\n"


def main():
    chosen = [argument for argument in sys.argv[1:] if argument not in ("--print", "--once")]
    files = render(chosen, "--once" in sys.argv[1:])
    if "--print" in sys.argv[1:]:
        sys.stdout.write(json.dumps(files))
        return
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.iterdir():
        if path.is_file() and path.name not in files and not chosen:
            path.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"wrote {len(files)} files to {FOLDER}")


if __name__ == "__main__":
    main()

"""Renders what `generated/` holds: each gallery network's derivation and its module for each target.

python tests/generated_tool.py                     writes the folder anew
python tests/generated_tool.py NAME …              writes the files of these networks anew
python tests/generated_tool.py --print [NAME …]    prints {file: text} as JSON and writes nothing
"""

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "generated"
UPDATE = "python tests/generated_tool.py"


def render(chosen=()):
    """Every file of the folder by name, or those of the chosen networks."""
    import symbp as bp
    from symbp import targets
    from symbp.api import source
    from symbp.cli.target import load_target, optimizer
    from symbp.emit import TARGETS

    files = {}
    for name in sorted(chosen or bp.gallery.GALLERY):
        target = load_target(name)
        derivation = bp.derive(target.network)
        files[f"{name}.txt"] = derivation.text() + "\n"
        files[f"{name}_computed.txt"] = derivation.text(steps=True, reading="computed") + "\n"
        files[f"{name}.tex"] = derivation.latex()
        for machine in (*TARGETS, *targets.TARGETS):
            files[f"{name}_{machine}.py"] = source(
                target.network,
                optimizer=optimizer(target, None, None),
                target=machine,
                dtype="float64",
                derivation=derivation,
            )
    return files


def main():
    chosen = [argument for argument in sys.argv[1:] if argument != "--print"]
    files = render(chosen)
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

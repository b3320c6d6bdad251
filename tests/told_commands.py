"""Pages that tell a reader what to type: their blocks, and how a command of theirs is run."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path


def blocks(page):
    """(kind, text) of each fenced block."""
    return re.findall(r"```(\w+)\n(.*?)```", page, flags=re.DOTALL)


def file_of(text):
    """The name that a script gives itself in its first line, or None."""
    named = re.match(r"# (\w+\.py)\n", text)
    return named and named[1]


def run(command, folder, status=0):
    """What one command line prints, with `symbp` and `python` those of this environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        shlex.split(command), cwd=folder, env={**os.environ, "PATH": path, "PYTHONPATH": str(folder)},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def shows(block, folder):
    """Each stretch of a block between two `…` stands in what its command prints as it is, in order."""
    first, _, shown = block.partition("\n")
    output = run(first.removeprefix("$ "), folder)
    position = 0
    stretches = [stretch.strip("\n") for stretch in re.split(r"^ *…\n", shown, flags=re.MULTILINE)]
    assert any(stretches), "nothing is shown"
    for stretch in stretches:
        position = output.find(stretch, position)
        assert position >= 0, f"not in the output:\n{stretch}"

"""Text files that are written whole, and not over others.

Enters: a path, a text. Leaves: a file, or an error that says why there is none.
"""

from __future__ import annotations

from pathlib import Path

from symbp.errors import GenerationError


def refuse_to_overwrite(path: str | Path, *, force: bool) -> None:
    """Raises GenerationError if there is a file and `force` isn't set, or no folder to write it to."""
    if Path(path).exists() and not force:
        raise GenerationError(
            "the output file exists already",
            where=str(path),
            help="choose another name, or overwrite it: --force (force=True)",
        )
    if not Path(path).absolute().parent.is_dir():
        raise GenerationError("there is no such folder to write to", where=str(Path(path).absolute().parent))


def write(path: str | Path, text: str, *, force: bool) -> Path:
    """Writes a text file whole or not at all, with the same refusals."""
    refuse_to_overwrite(path, force=force)
    Path(path).write_text(text, encoding="utf-8", newline="\n")
    return Path(path)

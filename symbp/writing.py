"""Files that are written whole or not at all, and not over others.

Enters: a path, a text or bytes. Leaves: a file, or an error that says why there is none.
Must not know: what is in them.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from symbp.errors import GenerationError, meant_file


def refuse_to_overwrite(path: str | os.PathLike[str], *, force: bool) -> None:
    """Raises GenerationError where nothing could be written in the end: a file that is there unless `force`
    is set, a folder in its place, no folder to write it to, no permission."""
    target, folder = Path(path), Path(path).absolute().parent
    if target.is_dir():
        raise GenerationError(
            "a folder is where the output file would be", where=str(path), help="name a file in it"
        )
    if target.exists() and not force:
        raise GenerationError(
            "the output file exists already",
            where=str(path),
            help="choose another name, or overwrite it: --force (force=True)",
        )
    if not folder.is_dir():
        raise GenerationError(
            "there is no such folder to write to", where=str(folder), help=meant_file(folder)
        )
    if not os.access(target if target.exists() else folder, os.W_OK):
        raise failed(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def write(path: str | os.PathLike[str], content: str | bytes, *, force: bool) -> Path:
    """Writes a file whole or not at all, text in UTF-8, with the same refusals; also if the disk is full."""
    refuse_to_overwrite(path, force=force)
    whole = content.encode() if isinstance(content, str) else content
    try:
        replace(Path(path).resolve(), whole)  # what a link leads to, not the link
    except OSError as error:
        raise failed(path, error) from error
    return Path(path)


def replace(target: Path, content: bytes) -> None:
    """Puts a file in the place of another, whose permissions it takes; a device or a pipe is written to.
    Raises OSError."""
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    from symbp.runtime.common.training.whole import _replace_whole

    _replace_whole(target, lambda file: file.write(content))


def failed(path: str | os.PathLike[str], error: OSError) -> GenerationError:
    """What to say where the system refuses to write a file."""
    causes = {
        errno.ENOSPC: "free some space, or write elsewhere",
        errno.EDQUOT: "free some space, or write elsewhere",
        errno.EACCES: "write to a folder of your own, or ask for the right to write here",
        errno.EROFS: "this file system can only be read: write elsewhere",
    }
    return GenerationError(
        f"the output file can't be written: {error.strerror or error}",
        where=str(path),
        details=("nothing of it was written, and what was there before is as it was",),
        help=causes.get(error.errno or 0),
    )

"""Files that are written whole or not at all, and not over others.

Enters: a path, a text or bytes. Leaves: a file, or an error that says why there is none.
Must not know: what is in them.
"""

from __future__ import annotations

import errno
import glob
import os
import secrets
from contextlib import suppress
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
    What a process that was killed has left beside it is removed. Raises OSError."""
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    from symbp.runtime.common.training.whole import _move

    name = f".{target.name[:200]}"
    _clear(target.parent, name)
    part = target.with_name(f"{name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            part.chmod(target.stat().st_mode & 0o777)
        _move(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _clear(folder: Path, name: str) -> None:
    """Removes the temporary files of a file whose processes run no more."""
    from symbp.runtime.common.training.whole import _runs

    for left in folder.glob(f"{glob.escape(name)}.*.part"):
        owner = left.name.removeprefix(f"{name}.").partition("-")[0]
        with suppress(OSError):
            if owner.isdecimal() and not _runs(int(owner)):
                left.unlink()


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

"""Files of PyTorch that hold a state_dict, read without running what is in them.

Enters: a path, or a state_dict. Leaves: a state_dict, or a file. Must not know: networks.
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symbp.errors import DataError
from symbp.interchange.files import library, read_with
from symbp.writing import write


def load_state_dict(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tensors of a file that `torch.save` wrote, by their keys; also of a checkpoint that holds one
    state_dict beside other things. Objects of other kinds aren't made.

    Raises UsageError: PyTorch isn't installed; DataError: no such file, or not one of tensors alone.
    """
    torch = library("torch", "torch")

    def read(where: Path) -> dict[str, Any]:
        try:
            found = torch.load(where, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            raise DataError(
                "the file isn't one of tensors alone, and what else is in it would be made by running code",
                where=str(where),
                help="save the tensors: torch.save(model.state_dict(), path)",
            ) from None
        if not isinstance(found, Mapping):
            raise DataError(f"the file holds a {type(found).__name__}, no state_dict", where=str(where))
        if _is_state(torch, found):
            return dict(found)
        inside = {str(key): value for key, value in found.items() if _is_state(torch, value)}
        if len(inside) != 1:
            raise DataError(
                f"the file holds {len(inside) or 'no'} state_dicts among {len(found)} entries",
                where=str(where),
                details=(f"its entries: {', '.join(map(str, list(found)[:20]))}",),
                help="save the one that is meant: torch.save(model.state_dict(), path)",
            )
        return dict(next(iter(inside.values())))

    return read_with(read, path, "file of tensors that PyTorch saved")


def save_state_dict(state: Mapping[str, Any], path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Writes a state_dict as `torch.save` does, whole or not at all; its path."""
    content = io.BytesIO()
    library("torch", "torch").save(dict(state), content)
    return write(path, content.getvalue(), force=force)


def _is_state(torch: Any, found: Any) -> bool:
    """Whether it maps names to tensors, and to nothing else."""
    return (
        isinstance(found, Mapping)
        and bool(found)
        and all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in found.items())
    )

"""Images in a folder, as arrays: a folder for each class, or the classes of their own names.

Enters: a folder. Leaves: `x`, the images, and `y`, their classes. Must not know: networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from symbp.errors import DataError, UsageError

ENDINGS = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"))
MOST = 2**32  # bytes of all images together


def is_of_images(folder: Path) -> bool:
    """Whether it has folders with images in them, and no arrays of its own."""
    return not any(folder.glob("*.npy")) and any(
        file.suffix.lower() in ENDINGS for file in folder.glob("*/*")
    )


def images(folder: Path) -> dict[str, Any]:
    """`x`, bytes (N, H, W), or (N, 3, H, W) where an image has colours, and `y` (N,): the folders of `folder`
    are the classes, in sorted order. Files of other kinds are left alone.

    Raises UsageError: Pillow isn't installed; DataError: an image that can't be read, or of another size than
    the first, an image beside the folders.
    """
    try:
        pillow = import_module("PIL.Image")
    except ImportError:
        raise UsageError(
            "images need the library Pillow, which isn't installed",
            help='install it: pip install "symbp[images]"',
        ) from None
    lost = next((file for file in sorted(folder.iterdir()) if file.suffix.lower() in ENDINGS), None)
    if lost is not None:
        raise DataError(
            "an image lies beside the folders of the classes",
            where=str(lost),
            help="move it into one of them",
        )
    classes = classes_in(folder)
    files = [(file, label) for label, name in enumerate(classes) for file in _files(folder / name)]
    found, held = [], 0
    for file, _ in files:
        found.append(_pixels(pillow, file))
        held += found[-1].nbytes
        if held > MOST:
            raise DataError(
                "these images are too many to hold in memory", where=str(folder),
                help="write them into an .npy file once, row by row: numpy.lib.format.open_memmap(…)",
            )  # fmt: skip
    sizes = [array.shape[:2] for array in found]
    for (file, _), size in zip(files, sizes, strict=True):
        if size != sizes[0]:
            raise DataError(
                f"this image is {size[1]}×{size[0]} pixels, the first one {sizes[0][1]}×{sizes[0][0]}",
                where=str(file),
                details=(f"the first one: {files[0][0]}",),
                help="bring all images to one size first",
            )
    if any(array.ndim == 3 for array in found):
        found = [array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=-1) for array in found]
    x = np.stack(found)
    labels = np.array([label for _, label in files], dtype=np.int64)
    return {"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if x.ndim == 4 else x, "y": labels}


def classes_in(folder: Path) -> tuple[str, ...]:
    """The names of the folders that have images, sorted."""
    return tuple(sorted(one.name for one in folder.iterdir() if one.is_dir() and any(_files(one))))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.iterdir()) if file.suffix.lower() in ENDINGS)


def _pixels(pillow: Any, file: Path) -> Any:
    """(H, W), or (H, W, 3) of an image in colours."""
    try:
        with pillow.open(file) as image:
            grey = image.mode in ("1", "L", "LA", "I", "I;16", "F")
            if image.mode.startswith(("I", "F")):
                raise DataError(
                    f"this image has numbers of kind {image.mode}, not bytes", where=str(file),
                    help="save it with 8 bits for each colour",
                )  # fmt: skip
            return np.asarray(image.convert("L" if grey else "RGB"))
    except DataError:
        raise
    except Exception as failure:  # Pillow's readers raise many kinds
        told = (str(failure).splitlines() or [type(failure).__name__])[0]
        raise DataError(f"the image can't be read: {told}", where=str(file)) from None

"""From a derivation to the text of a standalone training module, and to the module itself."""

from symbp.emit.derivatives import generate_derivatives
from symbp.emit.loading import cache_folder, load
from symbp.emit.module import DTYPES, TARGETS, generate_source
from symbp.emit.templates import render, template_folder

__all__ = [
    "DTYPES",
    "TARGETS",
    "cache_folder",
    "generate_derivatives",
    "generate_source",
    "load",
    "render",
    "template_folder",
]

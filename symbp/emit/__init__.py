"""From a derivation to the text of a standalone training module, and to the module itself."""

from symbp.emit.derivatives import generate_derivatives
from symbp.emit.footprint import DTYPES, Footprint
from symbp.emit.loading import cache_folder, load
from symbp.emit.module import TARGETS, generate_source, plan_of
from symbp.emit.sections.pieces import EVERYTHING, PIECES
from symbp.rendering import render, template_folder

__all__ = [
    "DTYPES",
    "EVERYTHING",
    "PIECES",
    "TARGETS",
    "Footprint",
    "cache_folder",
    "generate_derivatives",
    "generate_source",
    "load",
    "plan_of",
    "render",
    "template_folder",
]

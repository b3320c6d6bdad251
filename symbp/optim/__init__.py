"""Optimizers as equations, and how parameters start."""

from symbp.optim import initial
from symbp.optim.rules import SGD, Adam, AdamW, Momentum

__all__ = ["SGD", "Adam", "AdamW", "Momentum", "initial"]

"""Optimizers as equations, and how parameters start."""

from symbp.optim import initial
from symbp.optim.rules import SGD, Adam, Momentum

__all__ = ["SGD", "Adam", "Momentum", "initial"]

"""Optimizers as equations, schedules of the learning rate, and how parameters start."""

from symbp.optim import initial, schedules
from symbp.optim.rules import SGD, Adam, AdamW, Momentum, RMSprop

__all__ = ["SGD", "Adam", "AdamW", "Momentum", "RMSprop", "initial", "schedules"]

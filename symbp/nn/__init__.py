"""Layers and models, composed of ops."""

from symbp.nn.layers import Activation, Dense, Layer
from symbp.nn.models import Sequential

__all__ = ["Activation", "Dense", "Layer", "Sequential"]

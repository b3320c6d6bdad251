"""Layers and models, composed of ops."""

from symbp.nn.layers import Activation, Dense, Layer
from symbp.nn.models import Sequential
from symbp.nn.noise import AlphaDropout, Dropout, GaussianNoise

__all__ = ["Activation", "AlphaDropout", "Dense", "Dropout", "GaussianNoise", "Layer", "Sequential"]

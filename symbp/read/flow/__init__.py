"""How far a gradient travels: its norm by layer or by time step, for several starts and activations.

Enters: a derivation. Leaves: a frozen `Flow`, or nothing for a net without depth. Must not know: formats.
"""

from symbp.read.flow.flow import Flow, StepBound, Track, flow

__all__ = ["Flow", "StepBound", "Track", "flow"]

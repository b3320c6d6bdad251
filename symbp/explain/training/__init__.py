"""A training as a page: what was trained how, its curves, its gradients, where it is wrong.

Enters: numbers of a training, predictions of the held-out part. Leaves: one HTML file. Must not know: how a
network is trained, where its data come from.
"""

from symbp.explain.training.judged import Confusion, Residuals, judged
from symbp.explain.training.page import Training, page

__all__ = ["Confusion", "Residuals", "Training", "judged", "page"]

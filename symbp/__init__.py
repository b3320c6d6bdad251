"""symbp: gradients of neural networks in closed form, code to keep, and proof that both are right."""

"""One training step of a state."""

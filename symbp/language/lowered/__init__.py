"""From tensors to a system of named equations."""

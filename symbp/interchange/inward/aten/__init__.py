"""PyTorch modules: exported, and the table of their operations."""

"""What modules of the Numba target have beside."""

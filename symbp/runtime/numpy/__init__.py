"""What modules of the NumPy target have beside."""

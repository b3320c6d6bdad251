"""What modules of every target have."""

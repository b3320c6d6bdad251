"""What modules have that compute derivatives and don't train."""

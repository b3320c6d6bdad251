"""Commands that take networks and parameters to other tools and back."""

"""Functions that generated modules take along, as ordinary modules."""

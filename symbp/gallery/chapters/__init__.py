"""The little nets of chapters: one op, one cell, or one example with the numbers that a text has."""

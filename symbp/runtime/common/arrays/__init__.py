"""Arrays: shapes, sizes, checks, and the memory that they lie in."""

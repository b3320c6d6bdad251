"""How parameters start: by their shape, or by what the equations do with them."""

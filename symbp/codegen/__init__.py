"""Code as a typed tree, between equations and text: nodes, validator, printer, interpreter, passes."""

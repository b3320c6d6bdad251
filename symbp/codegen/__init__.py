"""Code as a typed tree, between equations and text: its nodes, its validator, its printer, its interpreter."""

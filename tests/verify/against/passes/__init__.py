"""Backward passes of twelve nets, written by hand."""

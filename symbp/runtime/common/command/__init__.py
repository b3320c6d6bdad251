"""The command line of a module that trains."""

"""The representation: systems of indexed equations, with their printer, validator and evaluators."""

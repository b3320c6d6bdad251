"""The parts of the page for browsers: how formulas break into lines, its script, its panels."""

"""Data of a module's command line: files read, and told into what to train on and what to evaluate."""

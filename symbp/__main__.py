"""`python -m symbp`, the same as the command `symbp`."""

import sys

from symbp.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m bff`."""

import sys

from bff.cli import main

if __name__ == "__main__":
    sys.exit(main())

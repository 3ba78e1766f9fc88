"""`python -m fttui` is `fttui`."""

import sys

from fttui.cli import main

sys.exit(main())

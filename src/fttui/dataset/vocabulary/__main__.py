"""Makes the vocabulary files of this package: `python -m fttui.dataset.vocabulary FOLDER`."""

import sys
from pathlib import Path

from fttui.dataset import vocabulary

for name in vocabulary.SHA256:
    vocabulary.make(
        Path(sys.argv[1]) / f"{name}.tiktoken", Path(vocabulary.__file__).with_name(f"{name}.z")
    )

"""Makes `import lab` work in the self-tests, from whatever folder they are started."""

import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS))

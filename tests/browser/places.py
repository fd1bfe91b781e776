"""Where things lie."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
LABS = sorted(path.stem for path in ROOT.glob("release/*/*.ipynb"))

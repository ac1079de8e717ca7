"""The monolith's own gunicorn settings, without its hooks: only the view differs."""

import runpy
import sys
from pathlib import Path

MONOLITH = Path(__file__).resolve().parents[3] / "stage1_monolith"

sys.path.insert(0, str(MONOLITH))  # its settings import it
globals().update(
    {
        name: value
        for name, value in runpy.run_path(str(MONOLITH / "gunicorn.conf.py")).items()
        if isinstance(value, (int, str)) and not name.startswith("_")
    }
)

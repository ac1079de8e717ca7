"""Python reads this at the start of each process of a stage that the drill started.

Only the drill puts this folder on PYTHONPATH: the product knows nothing of it.
"""

import os

if os.environ.get("DRILL_DIR"):
    from tests.drill.inside import install

    install.install()

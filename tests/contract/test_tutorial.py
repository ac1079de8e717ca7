"""The lesson of the stage, typed as a student would."""

import pytest

from sandbox.runner.state import RUN_ROOT
from tests.conftest import STAGE
from tests.lessons import matches, play
from tests.meta.pages import LESSONS

LESSON = next(at for at in LESSONS if at.name.startswith(f"{STAGE}-"))

# The second hangs services, one after the other, and waits for time limits.
pytestmark = [pytest.mark.full] if STAGE == 2 else []


def test_the_lesson_prints_what_its_page_says(stage):
    where = {
        "SITE": stage.site_url,
        "STRIPE": stage.stripe_url,
        "MAILBOX": stage.mailbox_url,
        "RUN": str(RUN_ROOT / f"{stage.name}.json"),
    }
    for step, printed in play(LESSON, where):
        if step.expected:
            assert matches(step.expected, printed), (
                f"{step.commands} printed\n{printed}\nand not\n{step.expected}"
            )

"""The lesson of the stage, typed as a student would."""

import pytest

from sandbox.runner.state import RUN_ROOT
from tests.conftest import FULL, STAGE
from tests.lessons import matches, play
from tests.meta.pages import LESSONS

LESSON = next((at for at in LESSONS if at.name.startswith(f"{STAGE}-")), None)

pytestmark = [
    pytest.mark.skipif(LESSON is None, reason="this stage has no lesson yet"),
    # It hangs services, one after the other, and waits for time limits.
    pytest.mark.skipif(STAGE == 2 and not FULL, reason="takes a minute: SIZE=full"),
    pytest.mark.skipif(STAGE == 3, reason="tests/meta types what needs no local AWS"),
]


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

"""The lesson of the stage, typed as a student would."""

import pytest

from tests.conftest import PARTNER_KEY, STAGE
from tests.lessons import matches, play
from tests.meta.pages import LESSONS

LESSON = next(at for at in LESSONS if at.name.startswith(f"{STAGE}-"))

# The second hangs services, one after the other, and waits for time limits; the third
# and the fourth start functions, and wait for messages.
pytestmark = [pytest.mark.full] if STAGE > 1 else []


def test_the_lesson_prints_what_its_page_says(stage):
    where = {"RUN": stage.name, "PARTNER_API_KEY": PARTNER_KEY}
    for step, printed in play(LESSON, where):
        if step.expected:
            assert matches(step.expected, printed), (
                f"{step.commands} printed\n{printed}\nand not\n{step.expected}"
            )

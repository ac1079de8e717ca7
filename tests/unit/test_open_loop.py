"""The open loop on a clock that only its own sleeping moves: no test waits or races."""

import asyncio
import selectors
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from load_tests import latencies
from load_tests.open_loop import arrivals, report
from load_tests.open_loop.generator import Shot, fire
from load_tests.open_loop.purchases import Answer, Fate

SERVICE_SECONDS = 0.001
STALL_SECONDS = 1.0


class NoWaiting(selectors.SelectSelector):
    """Tells the loop that nothing happened, and how late it is by now."""

    now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose seconds pass at once."""

    def __init__(self):
        self._virtual = NoWaiting()
        super().__init__(self._virtual)

    def time(self):
        return self._virtual.now


def on_a_virtual_clock(main):
    # In a thread of its own: a browser test before this one may have left a loop here.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_run, main).result()


def _run(main):
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


class Server:
    """Answers one request after the other, in a millisecond; and stalls once."""

    def __init__(self, stalls_at):
        self.stalls_at = stalls_at
        self.asked = 0

    async def ask(self):
        self.asked += 1
        stalls = self.asked == self.stalls_at
        await asyncio.sleep(STALL_SECONDS if stalls else SERVICE_SECONDS)
        return "ok"


@pytest.mark.parametrize("connections", [1, 8])
def test_a_stall_of_a_second_is_understated_tenfold_by_the_naive_p99(connections):
    # Every connection that is there meets the stall, like threads of one server.
    server = Server(stalls_at=1000)
    held = []

    async def ask():
        if held:
            await held[-1]
        if server.asked + 1 == server.stalls_at:
            held.append(asyncio.ensure_future(server.ask()))
            answer = await held[-1]
            held.clear()
            return answer
        return await server.ask()

    when = arrivals.constant(rate=100, seconds=30)
    shots = on_a_virtual_clock(fire(when, ask, connections))
    assert len(shots) == 3000
    corrected = latencies.of([shot.corrected for shot in shots]).percentile(99)
    naive = latencies.of([shot.naive for shot in shots]).percentile(99)
    assert corrected > 0.5
    assert naive <= 2 * SERVICE_SECONDS
    assert corrected >= 10 * naive


def test_without_a_stall_both_say_the_same():
    when = arrivals.constant(rate=100, seconds=10)
    shots = on_a_virtual_clock(fire(when, Server(stalls_at=None).ask, 1))
    assert [s.corrected for s in shots] == pytest.approx([s.naive for s in shots])


def test_slow_answers_hold_up_nobody_in_an_open_loop():
    async def slow():
        await asyncio.sleep(60)

    when = arrivals.constant(rate=50, seconds=10)
    shots = on_a_virtual_clock(fire(when, slow))
    assert [shot.lateness for shot in shots] == pytest.approx([0] * 500)
    assert [shot.intended for shot in shots] == when


@pytest.mark.parametrize(
    ("labels", "accepted", "confirmed", "word"),
    [
        (["202 accepted"], 1, 1, None),
        (["503 away"], 0, 0, None),
        (["503 away", "no answer: TimeoutError"], 0, 0, None),
        (["202 accepted"], 1, 0, "1 accepted orders were not confirmed"),
        (["no answer: ClientConnectorError"], 0, 0, "Nothing was answered"),
        ([], 0, 0, "Nothing was answered"),
    ],
)
def test_a_spike_fails_by_a_lost_order_or_when_nobody_answers(
    labels, accepted, confirmed, word
):
    found = report.figures(
        [shot(label) for label in labels], len(labels), fate(confirmed), cpu_share=0.1
    )
    assert found["accepted"] == accepted
    assert (word or "None") in str(report.wrong(found))


def shot(label):
    order = object() if label.endswith("accepted") else None
    return Shot(0.0, 0.0, 0.3, Answer(label, account=None, order=order))


def fate(confirmed):
    return Fate(Counter(confirmed=confirmed), seconds=1.0)


def test_what_is_cancelled_keeps_what_was_measured():
    async def cancelled():
        when = arrivals.constant(rate=10, seconds=10)
        load = asyncio.ensure_future(fire(when, Server(stalls_at=None).ask))
        await asyncio.sleep(1.95)
        load.cancel()
        return await load

    assert len(on_a_virtual_clock(cancelled())) == 20


def test_constant_arrivals_are_evenly_spaced():
    assert arrivals.constant(4, 1) == [0, 0.25, 0.5, 0.75]


def test_poisson_arrivals_are_those_of_the_seed():
    one, same, other = (arrivals.poisson(100, 50, seed) for seed in (1, 1, 2))
    assert one == same != other
    assert one == sorted(one)
    assert 0 < one[0] < one[-1] < 50
    # Five standard deviations of the count.
    assert abs(len(one) - 5000) < 5 * 5000**0.5
    gaps = [after - before for before, after in zip(one, one[1:], strict=False)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert spread == pytest.approx(mean, rel=0.1)

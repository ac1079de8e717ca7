"""What exercise 8 is graded by. Run it with `make grade EXERCISE=8`.

A queue with a clock of its own, and a Lambda that takes from it as the real one does:
up to five at a time; what it deletes afterwards depends on the answer, and on whether
it was told to read the answer.
"""

import importlib
import json
import statistics
import sys
from collections import Counter
from itertools import count
from types import SimpleNamespace

import pytest

from course import handed_in
from tests.chalice_apps import REPOSITORY, forget

sys.dont_write_bytecode = True
QUEUE, DEAD = "charge-order", "charge-order-dead-letters"
# As stage4_async/resources.yaml has them.
MOST_DELIVERIES, VISIBILITY_SECONDS, BATCH = 6, 360, 5
LONGEST_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 60
ENDLESS = 2000
FLAG = "ReportBatchItemFailures"
PAYMENTS = "stage4_async/payments"
HOME = REPOSITORY / PAYMENTS


class Killed(BaseException):
    """Whoever worked ends here, and nothing of theirs runs after it."""


class Sqs:
    """SQS, with two queues; what boto3's client of it can do, as far as it is used."""

    def __init__(self):
        self.now, self._names = 0.0, count()
        self.queues = {QUEUE: [], DEAD: []}
        self.on_send, self.kill_at, self.receives = None, None, 0
        self.pauses = []

    def waiting(self, queue):
        """Return the bodies in a queue, whether they can be seen now or not."""
        return [message["Body"] for message in self.queues[queue]]

    def next_moment(self):
        """Return when the next message can be seen."""
        return min(message["at"] for message in self.queues[QUEUE])

    def send_message(self, QueueUrl, MessageBody, MessageAttributes=None, **_):
        self._step()
        message = {"MessageId": f"m{next(self._names)}", "Body": MessageBody}
        message |= {"MessageAttributes": MessageAttributes or {}, "at": self.now}
        self.queues[QueueUrl].append(message | {"received": 0})
        if self.on_send and QueueUrl == QUEUE:
            self.on_send(self.queues[QueueUrl].pop())

    def send_message_batch(self, QueueUrl, Entries):
        for entry in Entries:
            self.send_message(QueueUrl, **entry)
        return {"Failed": []}

    def receive_message(self, QueueUrl, MaxNumberOfMessages=1, **more):
        self.receives += 1
        assert self.receives < ENDLESS, "It goes round and round, and never ends."
        hidden = more.get("VisibilityTimeout", VISIBILITY_SECONDS)
        found = []
        for message in list(self.queues[QueueUrl]):
            if message["at"] > self.now or len(found) == MaxNumberOfMessages:
                continue
            if QueueUrl == QUEUE and message["received"] == MOST_DELIVERIES:
                self.queues[QUEUE].remove(message)
                self.queues[DEAD].append(message)
                continue
            message["received"] += 1
            message["at"] = self.now + hidden
            receipt = f"{message['MessageId']}:{message['received']}"
            wanted = "All" in more.get("MessageAttributeNames", ())
            shown = message | {"ReceiptHandle": receipt}
            found.append(
                shown if wanted else {**shown, "MessageAttributes": {}},
            )
        return {"Messages": found} if found else {}

    def delete_message(self, QueueUrl, ReceiptHandle):
        self._step()
        self.queues[QueueUrl].remove(self._of(QueueUrl, ReceiptHandle))

    def delete_message_batch(self, QueueUrl, Entries):
        for entry in Entries:
            self.delete_message(QueueUrl, entry["ReceiptHandle"])
        return {"Failed": []}

    def change_message_visibility(self, QueueUrl, ReceiptHandle, VisibilityTimeout):
        assert isinstance(VisibilityTimeout, int), "SQS takes whole seconds only."
        message = self._of(QueueUrl, ReceiptHandle)
        message["at"] = self.now + VisibilityTimeout
        self.pauses.append((message["received"], VisibilityTimeout))

    def _of(self, queue, receipt):
        name = receipt.partition(":")[0]
        return next(m for m in self.queues[queue] if m["MessageId"] == name)

    def _step(self):
        if self.kill_at is not None:
            self.kill_at -= 1
            if self.kill_at < 0:
                raise Killed


class Lambda:
    """Takes messages from the queue, and hands them to the student's consumer."""

    def __init__(self, sqs, consumer, reads_answers):
        self._sqs, self._consumer, self._reads = sqs, consumer, reads_answers
        self.calls = 0

    def take(self, handle):
        """Take one batch, and delete of it what is done."""
        self.calls += 1
        found = self._sqs.receive_message(
            QUEUE, BATCH, MessageAttributeNames=["All"]
        ).get("Messages", [])
        try:
            answer = self._consumer.take({"Records": [*map(_record, found)]}, handle)
        except Exception:
            return  # all of them come again
        for message in found:
            if not self._failed(answer, message, found):
                self._sqs.delete_message(QUEUE, message["ReceiptHandle"])

    def _failed(self, answer, message, found):
        if not self._reads or not answer:
            return False
        named = {at.get("itemIdentifier") for at in answer["batchItemFailures"]}
        # A name that there is not is taken for "all of them".
        return message["MessageId"] in named or not named <= {
            at["MessageId"] for at in found
        }

    def take_all(self, handle, rounds=60):
        """Let time pass until the queue is empty."""
        for _ in range(rounds):
            if not self._sqs.queues[QUEUE]:
                return
            self._sqs.now = max(self._sqs.now, self._sqs.next_moment())
            self.take(handle)


def _record(message):
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {"ApproximateReceiveCount": str(message["received"])},
        "messageAttributes": {},
    }


@pytest.fixture
def sqs():
    return Sqs()


@pytest.fixture
def parts(sqs, monkeypatch):
    """Load the student's consumer among the shipped modules of payments."""
    forget()
    monkeypatch.syspath_prepend(str(HOME))
    aws = importlib.import_module("chalicelib.aws")
    monkeypatch.setattr(aws, "client", lambda *_: sqs)
    file = f"{PAYMENTS}/chalicelib/consumer.py"
    module = handed_in.module(file, "chalicelib.consumer")
    yield SimpleNamespace(
        consumer=module.Consumer(QUEUE, LONGEST_SECONDS),
        deadline=importlib.import_module("chalicelib.deadline"),
        errors=importlib.import_module("chalicelib.errors"),
    )
    forget()


@pytest.fixture
def worker(sqs, parts, time_left):
    time_left(100)
    return Lambda(sqs, parts.consumer, FLAG in response_types())


@pytest.fixture
def time_left(parts):
    """Say how many seconds Lambda leaves from now on."""

    def leave(seconds):
        left = seconds * 1000
        parts.deadline.begin(SimpleNamespace(get_remaining_time_in_millis=lambda: left))

    return leave


@pytest.fixture
def redrive(sqs):
    """Load the student's redrive, over our queues; it is to be called."""
    importlib.import_module("deployment")
    module = handed_in.module("deployment/redrive.py", "deployment.redrive")
    module.client = lambda _: sqs
    # What is in a queue can be asked for; where it is, is told.
    module.queues = SimpleNamespace(
        address=lambda *_: (QUEUE, DEAD),
        counts=lambda queue: {
            "ApproximateNumberOfMessages": len(sqs.queues[queue]),
            "ApproximateNumberOfMessagesNotVisible": 0,
            "ApproximateNumberOfMessagesDelayed": 0,
        },
    )
    return lambda: module.redrive(None, "charge-order")


def response_types():
    path = handed_in.path(f"{PAYMENTS}/.chalice/parameters.json")
    function = json.loads(path.read_text())["Resources"]["Charge"]
    source = function["Properties"]["Events"]["ChargeSqsEventSource"]
    return source["Properties"].get("FunctionResponseTypes", [])


def send(sqs, *bodies):
    for body in bodies:
        sqs.send_message(QUEUE, body)


def bury(sqs, *bodies):
    """Put letters among the dead, as the queue does it."""
    for body in bodies:
        said = {"request": {"DataType": "String", "StringValue": f"of {body}"}}
        sqs.send_message(DEAD, body, said)


def working_but(poison="poison"):
    """Make a handler that does everything but one kind of message; note what it did."""
    done = []

    def handle(message):
        if message.body == poison:
            raise KeyError(message.body)
        done.append(message.body)

    return handle, done


@pytest.mark.row(1)
def test_good_orders_are_done(sqs, worker):
    handle, done = working_but()
    send(sqs, *"abcdefg")
    worker.take_all(handle)
    assert sorted(done) == list("abcdefg")
    assert sqs.waiting(QUEUE) == sqs.waiting(DEAD) == []


@pytest.mark.row(1)
def test_what_failed_comes_again_until_it_works(sqs, worker, parts):
    tries = Counter()

    def handle(message):
        tries[message.body] += 1
        if tries[message.body] < 3:
            raise parts.errors.Unavailable("Stripe is away.")

    send(sqs, "a", "b")
    worker.take_all(handle)
    assert tries == {"a": 3, "b": 3}, (
        "Each order should be tried three times: twice it fails, then it works. A "
        "message that Lambda takes for done is deleted."
    )


@pytest.mark.row(1)
def test_the_answer_is_read(parts):
    assert response_types() == [FLAG], (
        "Lambda reads batchItemFailures only where the event source is told so: see "
        f"Events in {PAYMENTS}/.chalice/parameters.json, and the first lines of "
        "consumer.py."
    )


@pytest.mark.row(2)
def test_what_is_done_is_not_done_again(sqs, worker):
    handle, done = working_but()
    send(sqs, "a", "poison", "b", "c", "d")
    worker.take_all(handle)
    assert sorted(done) == list("abcd"), "One bad message, and others were done twice."


@pytest.mark.row(2)
def test_good_orders_are_never_among_the_dead_letters(sqs, worker):
    handle, _ = working_but()
    send(sqs, "poison", *"abcdefgh", "poison")
    worker.take_all(handle)
    assert set(sqs.waiting(DEAD)) <= {"poison"}


@pytest.mark.row(2)
def test_what_never_works_ends_among_the_dead_letters(sqs, worker):
    handle, _ = working_but()
    send(sqs, "poison", "a")
    worker.take_all(handle)
    assert sqs.waiting(DEAD) == ["poison"]
    assert worker.calls >= MOST_DELIVERIES


@pytest.mark.row(3)
def test_a_message_that_there_is_no_time_for_is_not_begun(sqs, worker, time_left):
    handle, done = working_but()
    send(sqs, "a")
    time_left(LONGEST_SECONDS - 1)
    worker.take(handle)
    assert done == [], "Lambda would have ended it in the middle."
    time_left(100)
    worker.take_all(handle)
    assert done == ["a"], "What was not begun must come again."


@pytest.mark.row(3)
def test_pauses_grow_up_to_a_minute(sqs, worker):
    handle, _ = working_but()
    send(sqs, *40 * ["poison"])
    worker.take_all(handle, rounds=400)
    mean = {
        at: statistics.mean(seconds for seen, seconds in sqs.pauses if seen == at)
        for at in {seen for seen, _ in sqs.pauses}
    }
    assert mean, "Nothing was put off: see `_come_again`."
    assert mean[1] < mean[3] < mean[5], f"The mean pauses by delivery: {mean}"
    longest = max(seconds for _, seconds in sqs.pauses)
    assert longest <= LONGEST_PAUSE_SECONDS, f"{longest} s: a guest is waiting."


@pytest.mark.row(3)
def test_what_failed_together_does_not_come_again_together(sqs, worker):
    handle, _ = working_but()
    send(sqs, *60 * ["poison"])
    worker.take_all(handle, rounds=400)
    late = {seconds for seen, seconds in sqs.pauses if seen == MOST_DELIVERIES}
    assert len(late) > 5, f"60 messages, and no other pauses than {sorted(late)} s."


@pytest.mark.row(4)
def test_dead_letters_are_sent_again(sqs, redrive):
    bury(sqs, *map(str, range(13)))
    assert redrive() == 13
    assert sorted(sqs.waiting(QUEUE), key=int) == list(map(str, range(13)))
    assert sqs.waiting(DEAD) == []


@pytest.mark.row(4)
def test_a_letter_keeps_the_request_that_it_is_about(sqs, redrive):
    bury(sqs, "a")
    redrive()
    (message,) = sqs.queues[QUEUE]
    assert message["MessageAttributes"]["request"]["StringValue"] == "of a", (
        "Its attributes are gone. SQS shows them only to who asks for them."
    )


@pytest.mark.row(4)
def test_a_redrive_that_is_killed_loses_nothing(sqs, redrive):
    for step in range(8):
        sqs.kill_at = None
        sqs.queues = {QUEUE: [], DEAD: []}
        bury(sqs, *"abcd")
        sqs.kill_at = step
        with pytest.raises(Killed):
            redrive()
        left = {*sqs.waiting(QUEUE), *sqs.waiting(DEAD)}
        assert left == set("abcd"), f"Killed at its step {step + 1}, it lost an order."


@pytest.mark.row(4)
def test_a_letter_that_fails_again_at_once_is_not_sent_for_ever(sqs, redrive):
    bury(sqs, "poison", "poison")
    sqs.on_send = sqs.queues[DEAD].append
    assert redrive() == 2
    assert sqs.waiting(DEAD) == ["poison", "poison"]

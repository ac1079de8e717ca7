"""What exercise 2 is graded by. Run it with `make grade EXERCISE=2`."""

import importlib.util
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PATIENCE, FAILURES, REST = 1.0, 3, 1.5
# What may pass on a busy machine before a call counts as stuck.
STUCK_SECONDS = 5
sys.dont_write_bytecode = True


class Service(ThreadingHTTPServer):
    """The other team's service, which can be told to be ill."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.status, self.asked = 200, 0
        self.awake = threading.Event()
        self.awake.set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Answering(BaseHTTPRequestHandler):
    """Counts a call, waits while the service hangs, and answers."""

    def do_GET(self):
        self.server.asked += 1
        self.server.awake.wait(STUCK_SECONDS * 3)
        body = b"sunny" if self.server.status == 200 else b"?"
        try:
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # whoever asked has gone

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def service():
    server = Service()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.awake.set()
    server.shutdown()


@pytest.fixture
def student():
    """Load the student's module."""
    path = Path(os.environ["EXERCISE_FOLDER"]) / "weather.py"
    spec = importlib.util.spec_from_file_location("weather", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def weather(student, service):
    return student.Weather(service.url, patience=PATIENCE, failures=FAILURES, rest=REST)


@pytest.fixture
def fail(student, weather, service):
    """Let so many calls fail."""

    def failing(times):
        service.status = 503
        for _ in range(times):
            with pytest.raises(student.Unavailable):
                weather.of("Springfield")

    return failing


def ends(call):
    """Make a call that must not get stuck, and return what it raised, if anything."""
    raised = []

    def run():
        try:
            call()
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(STUCK_SECONDS)
    assert not thread.is_alive(), f"The call was stuck for {STUCK_SECONDS} s."
    return raised[0] if raised else None


@pytest.mark.row(1)
def test_it_tells_the_weather(weather):
    assert weather.of("Springfield") == "sunny"


@pytest.mark.row(1)
def test_a_city_that_is_not_known_is_an_answer(weather, service):
    service.status = 404
    for _ in range(FAILURES + 2):
        assert weather.of("Atlantis") == "unknown"
    assert service.asked == FAILURES + 2


@pytest.mark.row(1)
def test_an_error_of_the_service_is_told_as_unavailable(fail):
    fail(1)


@pytest.mark.row(2)
def test_a_service_that_hangs_does_not_hang_us(student, weather, service):
    service.awake.clear()
    assert isinstance(ends(lambda: weather.of("Springfield")), student.Unavailable)


@pytest.mark.row(2)
def test_nobody_there_is_told_as_unavailable(student):
    nobody = student.Weather("http://127.0.0.1:9", patience=PATIENCE)
    assert isinstance(ends(lambda: nobody.of("Springfield")), student.Unavailable)


@pytest.mark.row(3)
def test_after_so_many_failures_the_service_is_left_in_peace(fail, service):
    fail(FAILURES)
    asked = service.asked
    fail(5)
    assert service.asked == asked


@pytest.mark.row(3)
def test_failures_count_only_in_a_row(weather, fail, service):
    fail(FAILURES - 1)
    service.status = 200
    assert weather.of("Springfield") == "sunny"
    fail(FAILURES - 1)
    service.status = 200
    assert weather.of("Springfield") == "sunny"


@pytest.mark.row(3)
def test_after_a_rest_it_is_asked_again_and_forgiven(weather, fail, service):
    fail(FAILURES)
    service.status = 200
    time.sleep(REST * 1.3)
    assert weather.of("Springfield") == "sunny"
    assert weather.of("Springfield") == "sunny"


@pytest.mark.row(4)
def test_one_failure_after_the_rest_is_enough_to_rest_again(fail, service):
    fail(FAILURES)
    time.sleep(REST * 1.3)
    fail(1)
    asked = service.asked
    fail(3)
    assert service.asked == asked


@pytest.mark.row(4)
def test_after_the_rest_one_asks_and_the_others_do_not_wait(
    student, weather, fail, service
):
    fail(FAILURES)
    time.sleep(REST * 1.3)
    asked = service.asked
    service.awake.clear()

    def ask(_):
        return ends(lambda: weather.of("Springfield"))

    with ThreadPoolExecutor(8) as crowd:
        told = list(crowd.map(ask, range(8)))
    assert all(isinstance(error, student.Unavailable) for error in told)
    assert service.asked == asked + 1

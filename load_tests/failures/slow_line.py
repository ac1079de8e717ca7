"""A line that holds back the answers of a service, which so is slow from outside."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class SlowLine:
    """Passes on connections to a port; each answer waits before it is let through.

    A request goes through at once: the service does its work, as one that is slow does,
    and who gives up before the answer does not know it. The service's threads are free
    meanwhile, which is kinder than the real thing.

    Args:
        target: the service's port, on 127.0.0.1.
        seconds: how long an answer waits.
    """

    def __init__(self, target: int, seconds: float) -> None:
        self._target = target
        self._seconds = seconds
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that there are go on until they end."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                threading.Thread(
                    target=self._connect, args=[caller], daemon=True
                ).start()

    def _connect(self, caller: socket.socket) -> None:
        try:
            service = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            caller.close()
            return
        service.settimeout(None)
        asked = threading.Event()
        answers = threading.Thread(
            target=self._answers, args=[service, caller, asked], daemon=True
        )
        answers.start()
        with contextlib.suppress(OSError):
            while data := caller.recv(65536):
                asked.set()
                service.sendall(data)
        _hang_up(service)
        answers.join()
        caller.close()
        service.close()

    def _answers(
        self, service: socket.socket, caller: socket.socket, asked: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while data := service.recv(65536):
                if asked.is_set():
                    asked.clear()
                    time.sleep(self._seconds)
                caller.sendall(data)
        _hang_up(caller)


def _hang_up(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)

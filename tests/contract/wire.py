"""A wire between a stage and its database that a test can cut or freeze."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class Wire:
    """Forwards TCP connections of a port of its own to another port.

    Args:
        target: the port of the real server, on 127.0.0.1.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._is_cut = False
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """End every connection, and every new one at once, inside the block."""
        self._is_cut = True
        self._end_all()
        try:
            yield
        finally:
            self._is_cut = False

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let no byte through inside the block; connections stay open."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def close(self) -> None:
        self._listener.close()
        self._end_all()
        self._flowing.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                self._connect(self._listener.accept()[0])

    def _connect(self, here: socket.socket) -> None:
        try:
            if self._is_cut:
                raise ConnectionAbortedError
            there = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            here.close()
            return
        self._open |= {here, there}
        for ends in ((here, there), (there, here)):
            threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
        for end in (source, sink):
            self._end(end)

    def _end_all(self) -> None:
        for end in list(self._open):
            self._end(end)

    def _end(self, end: socket.socket) -> None:
        self._open.discard(end)
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

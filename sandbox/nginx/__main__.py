"""Run the gateway in the foreground: `python -m sandbox.nginx`.

It follows the file that tells where the services are: after a change nginx takes the
new places for new requests, and lets the old ones finish.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from . import upstreams
from .configuration import Gateway
from .program import find_program, version

REPOSITORY = Path(__file__).resolve().parents[2]
STEP_SECONDS = 0.05
QUIT_SECONDS = 3.0
FOLDERS = ("body", "proxy", "fastcgi", "uwsgi", "scgi")


class Server:
    """One nginx and its configuration file.

    Args:
        gateway: what the configuration is made of.
        template: the file with the blanks.
        places: the file that tells where the services are.
    """

    def __init__(self, gateway: Gateway, template: Path, places: Path) -> None:
        self._gateway, self._template, self._places = gateway, template, places
        self._file = gateway.data / "nginx.conf"
        for folder in FOLDERS:
            (gateway.data / folder).mkdir(parents=True, exist_ok=True)
        self._version = self._render()
        self.process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL)  # noqa: S603

    def follow(self) -> None:
        """Take the services' new places, if they have changed.

        A configuration that nginx does not take is said and left; the old one stays.
        """
        try:
            if upstreams.read(self._places).version == self._version:
                return
            self._version = self._render()
            subprocess.run([*self._command(), "-t", "-q"], check=True, timeout=10)  # noqa: S603
            self.process.send_signal(signal.SIGHUP)
        except (RuntimeError, subprocess.SubprocessError) as error:
            print(f"the gateway stays as it was: {error}", file=sys.stderr, flush=True)
            time.sleep(1.0)

    def stop(self) -> int:
        """Let nginx finish what it has begun, for a bounded time; return its status."""
        for number in (signal.SIGQUIT, signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(number)
                try:
                    self.process.wait(timeout=QUIT_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
        return self.process.returncode or 0

    def _command(self) -> list[str]:
        prefix = f"{self._gateway.data}{os.sep}"
        told = ["-p", prefix, "-c", str(self._file), "-e", "stderr"]
        return [str(find_program()), *told]

    def _render(self) -> int:
        found = upstreams.read(self._places)
        text = self._gateway.render(self._template.read_text(encoding="utf-8"), found)
        draft = self._file.with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        # The partner's key is in it.
        draft.chmod(0o600)
        draft.replace(self._file)
        return found.version


def main() -> int:
    """Serve until a signal, the end of the parent or the end of nginx."""
    arguments = _arguments()
    parent = os.getppid()
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    try:
        server = Server(_gateway(arguments), arguments.template, arguments.upstreams)
    except (RuntimeError, OSError, ValueError) as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    while server.process.poll() is None and not asked and os.getppid() == parent:
        server.follow()
        time.sleep(STEP_SECONDS)
    ended_by_itself = server.process.poll() is not None
    status = server.stop()
    return status or 1 if ended_by_itself and not asked else 0


def _arguments() -> argparse.Namespace:
    run_dir = Path(os.environ.get("RUN_DIR", ".run/stage2"))
    parser = argparse.ArgumentParser(prog="python -m sandbox.nginx")
    parser.add_argument("--data", type=Path, default=run_dir / "gateway")
    parser.add_argument("--template", type=Path, default=Path("nginx.conf.template"))
    parser.add_argument(
        "--upstreams",
        type=Path,
        default=os.environ.get("UPSTREAMS_FILE", run_dir / "upstreams.json"),
        help="the file that tells where the services are",
    )
    return parser.parse_args()


def _gateway(arguments: argparse.Namespace) -> Gateway:
    def told(name: str, otherwise: str) -> str:
        return os.environ.get(name) or otherwise

    rate = int(told("PARTNER_RATE_PER_MINUTE", "60"))
    if rate < 1:
        raise ValueError("PARTNER_RATE_PER_MINUTE is to be at least 1.")
    contract = REPOSITORY / "docs" / "reference" / "openapi.yaml"
    return Gateway(
        port=int(told("PORT", "8200")),
        internal_port=int(told("GATEWAY_INTERNAL_PORT", "8206")),
        data=arguments.data.resolve(),
        frontend=Path(told("FRONTEND_DIR", str(REPOSITORY / "frontend"))),
        contract=Path(told("CONTRACT_FILE", str(contract))),
        partner_key=told("PARTNER_API_KEY", ""),
        partner_rate=rate,
        nginx=version(find_program()),
        resilient=told("RESILIENCE", "on").lower() != "off",
    )


if __name__ == "__main__":
    sys.exit(main())

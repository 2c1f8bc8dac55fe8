"""Programs under measurement: a command in; its seconds, its peak memory, or a server that answers out.

Memory is the resident peak that the kernel keeps (`VmHWM`, `ru_maxrss`), in MiB; of a server with workers, the sum.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["OXIGRAPH", "PAYERGRAPH", "PYTHON", "ROOT", "Run", "Server", "run", "serving"]

ROOT: Final = Path(__file__).parents[1]
PYTHON: Final = sys.executable
PAYERGRAPH: Final = str(Path(PYTHON).with_name("payergraph"))
OXIGRAPH: Final = str(Path(PYTHON).with_name("oxigraph"))
"""The command line of the `oxigraph` package: the same engine without Python."""
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Run:
    """A command that has ended."""

    seconds: float
    peak_mb: float
    output: str


@dataclass(frozen=True)
class Server:
    """A server that answers on a port of this machine."""

    port: int
    process: int

    def peak_mb(self) -> float:
        """The sum of the peaks of the process and of those below it."""
        return sum(_peak_mb(process) for process in _tree(self.process))


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end.

    :raises SystemExit: if it fails
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, env=os.environ | (environment or {})
    )
    assert process.stdout is not None
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {process.returncode}")
    return Run(seconds, usage.ru_maxrss / 1024, output)


@contextmanager
def serving(*command: str) -> Iterator[Server]:
    """Start a server, wait until it listens, and stop it at the end; `{port}` in the command is a free port."""
    port = _free_port()
    words = [word.format(port=port) for word in command]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    try:
        _wait(port, process)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"The server did not start: {process.args!r}")


def _tree(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return [process, *(below for child in children for below in _tree(int(child)))]


def _peak_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

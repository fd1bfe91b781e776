"""Asking the student's kernel, one question at a time, and believing nothing but the value.

A question is an `execute_request` without code whose `user_expressions` hold one expression: the
documented part of the Jupyter protocol in which one request gets exactly one reply, on the shell
channel, with no output in between. (A comm would answer among the outputs of the student's own
code; a message type of our own would reach into ipykernel's private tables.)

The kernel knows the key that signs messages, so the student can sign whatever they like, and guess
the next message number too. Hence the token: random, new for each question, and never said before
the question is asked. An answer prepared or repeated has the wrong one and is not looked at. An
answer made while the question stands is the student's answer, whoever in the kernel made it.
"""

from __future__ import annotations

import builtins
import secrets
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.session import Session
from zmq.utils.monitor import recv_monitor_message

from labkit.grading.judge import clock
from labkit.grading.judge.values import (
    COUNT_LIMIT,
    TEXT_LIMIT,
    WireError,
    decode,
    dumps,
    encode,
    loads,
)

_TEXT = 2000  # characters of a student's error message
_MODULE = "_labkit_answers"  # what the kernel's end is called in the kernel's sys.modules


class LinkBroken(Exception):
    """The kernel cannot be asked any more. Whatever the test makes of it, the cell scores 0."""


class MissingName(Exception):
    """The kernel says that there is no such name."""


class Link:
    """A connection to one kernel for one graded cell.

    Args:
        connection: what the kernel's manager says: ip, shell_port, transport, key, …; and the
            number of the kernel's process as `pid`, where it is known.
        seconds: that the kernel may take for the questions of the cell together; None for no limit.
            The test's own time between them, for instance for imports, does not count, nor does
            time in which the kernel had to wait for a processor (see `clock`).
        opaque: what stands for an argument that is no plain data, or an error.
        handle: makes what stands for an opaque value of the kernel.
    """

    def __init__(
        self,
        connection: Mapping[str, Any],
        seconds: float | None,
        opaque: Callable[[Any], list],
        handle: Callable[[int, str, bool], Any],
    ) -> None:
        self.broken: str | None = None  # why, as a sentence
        self._seconds = seconds
        self._left = seconds
        self._pid = connection.get("pid")
        self.starved = 0.0  # seconds that it waited for a processor, and that were not counted
        self._opaque, self._handle = opaque, handle
        self._session = Session(
            key=str(connection["key"]).encode(), signature_scheme=connection["signature_scheme"]
        )
        self._socket: zmq.SyncSocket = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        # Longer messages end the connection before they are held in memory. Twice, because the
        # text of an answer is quoted in the message around it.
        self._socket.setsockopt(zmq.MAXMSGSIZE, 2 * TEXT_LIMIT)
        self._socket.setsockopt(zmq.RCVHWM, 2)  # messages waiting unread, against floods
        self._socket.setsockopt(zmq.RECONNECT_IVL, -1)
        self._monitor: zmq.SyncSocket = self._socket.get_monitor_socket(
            zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED
        )
        self._socket.connect(_address(connection))
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        self._send_kernel_side()

    def close(self) -> None:
        """Let go of the sockets."""
        self._socket.disable_monitor()
        self._monitor.close(linger=0)
        self._socket.close(linger=0)

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Ask one question.

        Returns:
            The value, made of plain types and handles only.

        Raises:
            MissingName: the operation is about a name that the kernel does not have.
            LinkBroken: no answer in time, the kernel is dead, or the answer is malformed.
            Exception: what the student's code raised, as the nearest builtin exception; another
                one as a RuntimeError that says its name.
            TypeError: an argument is no plain data.
        """
        if self.broken:
            raise LinkBroken(self.broken)
        token = secrets.token_hex(16)
        question = [token, operation, [encode(argument, self._opaque) for argument in arguments]]
        # Quoted by `repr`, the question is one string literal in the expression, whatever it holds.
        expression = f"__import__('sys').modules[{_MODULE!r}].answer({dumps(question)!r})"
        message_id = self._send(expression)
        while True:
            text = self._receive(message_id)
            try:
                answer = loads(text)
                if type(answer) is not list or len(answer) < 2 or answer[0] != token:
                    continue  # not an answer to this question
                _, kind, *rest = answer
                if kind == "value" and len(rest) == 1:
                    return decode(rest[0], self._handle)
            except WireError as error:
                raise self._break(f"the kernel's answer cannot be read: {error}") from None
            if kind == "missing":
                raise MissingName
            if kind == "error" and len(rest) == 3:
                raise _student_error(*rest)
            raise self._break("the kernel's answer cannot be read")

    def _send_kernel_side(self) -> None:
        """Put the kernel's end into the kernel, anew for each cell: nothing there is kept."""
        # One expression, so that no name of ours appears among the student's.
        code = (
            "(lambda modules, module: (modules.__setitem__(module.__name__, module), "
            f"exec({_kernel_side_text()!r}, module.__dict__)))"
            f"(__import__('sys').modules, __import__('types').ModuleType({_MODULE!r}))"
        )
        try:
            self._receive(self._send(code))
        except LinkBroken:
            self.close()
            raise

    def _send(self, expression: str) -> str:
        content = {
            "code": "",
            "silent": True,
            "store_history": False,
            "user_expressions": {"answer": expression},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        message = self._session.msg("execute_request", content)
        self._session.send(self._socket, message)
        return message["header"]["msg_id"]

    def _receive(self, message_id: str) -> str:
        """The text that the kernel shows for the expression of one request."""
        while True:
            began, waited = time.monotonic(), clock.waited(self._pid)
            found = self._poller.poll(self._milliseconds())
            for ready, _ in found:
                if ready is self._socket:
                    text = self._text(self._socket.recv_multipart(), message_id)
                    if text is not None:
                        self._spend(began, waited)
                        return text
                else:
                    recv_monitor_message(self._monitor)
                    raise self._break("the kernel ended, or sent more than it may")
            self._spend(began, waited)
            if self._left is not None and self._left <= 0:
                raise self._break(f"there was no answer in {self._seconds:g} seconds")

    def _milliseconds(self) -> int | None:
        return None if self._left is None else max(1, int(1000 * self._left))

    def _spend(self, began: float, waited: float) -> None:
        if self._left is None or self._seconds is None:
            return
        most = clock.PATIENCE * self._seconds - self.starved
        starved = min(clock.waited(self._pid) - waited, most)
        self.starved += starved
        self._left -= time.monotonic() - began - starved

    def _text(self, frames: list[bytes], message_id: str) -> str | None:
        """The shown text in a reply to this message; None for anything else that arrives."""
        # Before any of it is parsed, for the same reason as in `values.loads`.
        if sum(f.count(b",") + f.count(b"[") + f.count(b"{") for f in frames) > COUNT_LIMIT:
            raise self._break("the kernel's answer holds too many values")
        try:
            _, parts = self._session.feed_identities(frames)
            message = self._session.deserialize(parts)
            if message["parent_header"]["msg_id"] != message_id:
                return None
            content = message["content"]
        except Exception:  # malformed in some way; it is the kernel's, so it is no surprise
            return None
        try:
            shown = content["user_expressions"]["answer"] if content["status"] == "ok" else content
            if shown["status"] != "ok":
                raise self._break(f"its kernel cannot answer: {shown.get('evalue', '')!s:.2000}")
            text = shown["data"]["text/plain"]
        except (LookupError, TypeError, AttributeError):
            raise self._break("its kernel cannot answer") from None
        if type(text) is not str:
            raise self._break("its kernel's answer is no text")
        return text

    def _break(self, why: str) -> LinkBroken:
        self.broken = why
        return LinkBroken(why)


def _address(connection: Mapping[str, Any]) -> str:
    joint = "-" if connection["transport"] == "ipc" else ":"
    return f"{connection['transport']}://{connection['ip']}{joint}{connection['shell_port']}"


@cache
def _kernel_side_text() -> str:
    """`values` and `kernel_side` as the text of one module without imports of labkit."""
    folder = Path(__file__).parent
    texts = [(folder / name).read_text("utf-8") for name in ("values.py", "kernel_side.py")]
    future = "from __future__ import annotations\n"
    lines = "".join(texts).replace(future, "").splitlines()
    return future + "\n".join(line for line in lines if not line.endswith("# not sent"))


def _student_error(name: Any, bases: Any, text: Any) -> Exception:
    """What was raised in the kernel, as an exception that means no more than its text."""
    known = type(name) is str and type(text) is str and type(bases) is list
    if not known:
        return RuntimeError("an error that cannot be read")
    name = "".join(filter(str.isprintable, name[:100]))
    text = text[:_TEXT]
    for base in bases:
        kind = getattr(builtins, base, None) if type(base) is str else None
        # Not SystemExit and the like, which would end the test rather than fail it; nor what `map`
        # and `zip` in the test would take for the end of what is to be compared.
        if not isinstance(kind, type) or not issubclass(kind, Exception) or kind is Exception:
            continue
        if issubclass(kind, StopIteration | StopAsyncIteration):
            continue
        try:
            return kind(text if base == name else f"{name}: {text}")
        except TypeError:  # UnicodeDecodeError and its like want more than a text
            continue
    return RuntimeError(f"{name}: {text}")

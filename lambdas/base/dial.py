"""Opening a connection by a deadline: name resolution, connecting, TLS."""

from __future__ import annotations

import _thread
import socket
import ssl
from functools import cache
from typing import Any, NamedTuple

from lambdas.base.wire import HttpError, seconds_left


class Origin(NamedTuple):
    """Where a connection goes: ``https``, a name or address, a port."""

    scheme: str
    host: str
    port: int


def dial(origin: Origin, deadline: float) -> socket.socket:
    """Connects, with TLS for ``https``.

    Args:
        deadline: on the monotonic clock.

    Raises:
        HttpError: When there is no connection at the deadline.
    """
    try:
        return _connected(origin, deadline)
    except (OSError, ValueError) as failure:
        raise HttpError(_connect_error(failure)) from None


def address(host: str) -> str:
    """What to connect to. Source: RFC 6761, 6.3: names under .localhost are the loopback
    address, which curl knows and Python's resolver does not.
    """
    return "127.0.0.1" if host.endswith(".localhost") else host


def _connected(origin: Origin, deadline: float) -> socket.socket:
    addresses = _resolved(address(origin.host), origin.port, deadline)
    failure: OSError = OSError()
    for number, (family, kind, protocol, _, place) in enumerate(addresses):
        connecting = socket.socket(family, kind, protocol)
        try:
            # Each address has its share: one that is silent must not take the others' time.
            connecting.settimeout(seconds_left(deadline) / (len(addresses) - number))
            connecting.connect(place)
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if origin.scheme != "https":
                return connecting
            # Python bounds a handshake as a whole.
            connecting.settimeout(seconds_left(deadline))
            return _tls().wrap_socket(connecting, server_hostname=origin.host)
        except OSError as error:
            connecting.close()
            failure = error
    raise failure


def _resolved(host: str, port: int, deadline: float) -> list[Any]:
    """The addresses of a name. Asked for in a thread, because name resolution knows no
    timeout: one that takes longer is left behind, and what it finds is not used.

    A bare thread and a lock: ``threading.Thread`` takes twice as long, most of a delivery's own
    processor time.
    """
    answers: list[Any] = []
    done = _thread.allocate_lock()

    def resolve() -> None:
        try:
            answers.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:
            answers.append(error)
        finally:
            done.release()

    done.acquire()
    _thread.start_new_thread(resolve, ())
    done.acquire(timeout=min(seconds_left(deadline), _thread.TIMEOUT_MAX))
    if not answers:
        raise TimeoutError
    if isinstance(answers[0], Exception):
        raise answers[0]
    addresses: list[Any] = answers[0]
    return addresses


@cache
def _tls() -> ssl.SSLContext:
    """The system's trust anchors, loaded once: they take longer than a request."""
    return ssl.create_default_context()


def _connect_error(failure: Exception) -> str:
    match failure:
        case TimeoutError():
            return "ConnectTimeout"
        case ssl.SSLError():
            return "Tls"
        case socket.gaierror() | ValueError():  # ValueError: a name that DNS can't hold
            return "NameResolution"
        case ConnectionRefusedError():
            return "ConnectionRefused"
        case ConnectionError():
            return "ConnectionReset"
        case _:
            return "Connection"

"""A reverse proxy in front of the dashboard. Headers that a browser is told to add do not reach its WebSockets in every version."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def forwarding(address: str) -> Iterator[str]:
    """A proxy in front of the dashboard that says for whom it asks, as nginx does; gives its address."""
    target = ("127.0.0.1", int(address.rsplit(":", 1)[1]))

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(target) as server:
                first = self.request.recv(65536)
                line, _, rest = first.partition(b"\r\n")
                server.sendall(line + b"\r\nX-Forwarded-For: 203.0.113.7\r\n" + rest)
                threading.Thread(target=_pump, args=(server, self.request), daemon=True).start()
                _pump(self.request, server)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Forward) as proxy:
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
        proxy.shutdown()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Hands bytes on until one side closes."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        sink.close()

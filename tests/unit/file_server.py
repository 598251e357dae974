"""An HTTP server on this machine with the faults that downloads meet."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class FileServer:
    """Serves ``files`` by path. ``statuses`` are answered first, in order; ``cuts`` are the bytes after
    which the next answers break off, in order. ``seen`` has (path, Range header) of each request."""

    def __init__(self, files: dict[str, bytes], *, ranges: bool = True) -> None:
        self.files, self.ranges = files, ranges
        self.statuses: list[int] = []
        self.cuts: list[int] = []
        self.seen: list[tuple[str, str]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> FileServer:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()


def _handler(files: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            files.seen.append((self.path, asked))
            if files.statuses:
                self.send_error(files.statuses.pop(0))
            elif self.path not in files.files:
                self.send_error(404)
            else:
                self._send(files.files[self.path], asked)

        def _send(self, content: bytes, asked: str) -> None:
            first, last = 0, len(content) - 1
            if asked and files.ranges:
                start, _, end = asked.removeprefix("bytes=").partition("-")
                first, last = int(start), min(int(end or last), last)
                if first > last:
                    self.send_error(416)
                    return
            self.send_response(206 if asked and files.ranges else 200)
            self.send_header("Content-Length", str(last - first + 1))
            if asked and files.ranges:
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
            self.end_headers()
            body = content[first : last + 1]
            self.wfile.write(body[: files.cuts.pop(0)] if files.cuts else body)

    return Handler

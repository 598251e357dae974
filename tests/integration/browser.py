"""A real browser without a window, and a server for what it opens."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

#: Opens a page in a frame of a width, waits for it, and writes what a script says of it into itself.
_PROBE = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<iframe src="/index.html" style="border:0;width:%dpx;height:4000px"></iframe><pre id="told"></pre>
<script>
const soon = () => new Promise(resolve => setTimeout(resolve, 500));
onload = () => soon().then(async () => {
  const page = document.querySelector("iframe").contentDocument;
  const told = await (async () => { %s })();
  document.getElementById("told").textContent = JSON.stringify(told);
});
</script>"""


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder, and ``probe`` as /probe.html."""

    probe = ""

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path != "/probe.html":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.probe.encode())


@contextmanager
def served(folder: Path, probe: str = "") -> Iterator[str]:
    """The address of a static server of ``folder``."""
    handler = type("Handler", (_Handler,), {"probe": probe})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def chromium(profile: Path, *words: str) -> tuple[str, list[str]]:
    """What the browser prints, and what the page's scripts and its loader said on the console."""
    argv = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *words]
    argv += ["--enable-logging=stderr", "--virtual-time-budget=5000", f"--user-data-dir={profile}"]
    run = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout, [line for line in run.stderr.splitlines() if ":CONSOLE" in line]


def asked(folder: Path, profile: Path, width: int, script: str) -> tuple[Any, list[str]]:
    """What ``script`` returns of ``folder``'s page at that width, and the console.

    It is the body of a function that has ``page`` and may ``await soon()``.
    """
    with served(folder, _PROBE % (width, script)) as address:
        dom, console = chromium(profile, "--window-size=1400,4000", "--dump-dom", f"{address}/probe.html")
    found = re.search(r'<pre id="told">(.*?)</pre>', dom, re.S)
    assert found and found[1], dom[-2000:]
    return json.loads(unescape(found[1])), console

"""Kamailio (Debian package ``kamailio``) as a proxy between a client and a server, on loopback.

It knows nothing of either: it records its route (RFC 3261 section 16.6), follows Route in dialogs,
and gives everything else to the server. It needs no root, no database and no configuration outside
of a temporary folder.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

PROGRAM = shutil.which("kamailio", path="/usr/sbin:/usr/local/sbin:/usr/bin")
PATIENCE = 15.0
CONFIGURATION = """
debug=0
log_stderror=yes
fork=yes
children=1
tcp_children=2
tcp_connection_lifetime=60
auto_aliases=no
listen=tcp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "maxfwd.so"
modparam("rr", "enable_full_lr", 1)
request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    $var(host) = $(route_uri{{uri.param,cip}});
    $var(port) = $(route_uri{{uri.param,cport}});
    if (has_totag() && loose_route()) {{
        if ($var(host) != "" && is_direction("upstream")) {{
            $du = "sip:" + $var(host) + ":" + $var(port) + ";transport=tcp";
        }}
        t_relay();
        exit;
    }}
    if (is_method("ACK|CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (is_method("INVITE|SUBSCRIBE")) {recording}
    $du = "sip:127.0.0.1:{server};transport=tcp";
    t_relay();
}}
"""

PLAIN = "record_route();"
WITH_FLOW = 'record_route(";cip=$si;cport=$sp");'
"""The flow of the client as a parameter of the route, as edge proxies do (RFC 5626 section 5.1):
for clients whose Contact is no address."""


class Kamailio:
    """A proxy in front of a server; ``address`` is where clients go."""

    def __init__(self, server: str, *, flows: bool = False) -> None:
        """Stand before ``HOST:PORT``; with ``flows`` clients are reached by their connections."""
        self._recording = WITH_FLOW if flows else PLAIN
        assert PROGRAM is not None, "install kamailio"
        self._server = int(server.rpartition(":")[2])

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="proxy-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        file = self._folder / "kamailio.cfg"
        values = {"port": port, "server": self._server, "recording": self._recording}
        file.write_text(CONFIGURATION.format(**values))
        command = [str(PROGRAM), "-f", str(file), "-DD", "-E", "-m", "16", "-M", "4"]
        command += ["-Y", str(self._folder), "-w", str(self._folder)]
        self._log = (self._folder / "log").open("w+b")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        until = time.monotonic() + PATIENCE
        while not self._listens(port):
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"kamailio does not start:\n{self.said()}")
        return self

    def _listens(self, port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
        except OSError:
            time.sleep(0.02)
            return False

    def said(self) -> str:
        """Return its log."""
        self._log.flush()
        return (self._folder / "log").read_text(errors="replace")[-4000:]

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

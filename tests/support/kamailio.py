"""A real SIP proxy on loopback: Kamailio (Debian package ``kamailio``), record-routing, stateless.

It forwards what clients say to one server, and what the server says within a dialog to the client's
own connection: by a flow token in its Record-Route (RFC 5626 section 5.2), or, without, by the
client's Contact.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from tests.support.sipp import PATIENCE, free_port, wait_for_port

if TYPE_CHECKING:
    from pathlib import Path

MEMORY = ("-m", "16", "-M", "4")
"""MiB of shared memory, and of each process: what a few dialogs need, and Kamailio starts with."""
PROCESSES = ("-n", "1", "-N", "2")

_CONFIGURATION = """\
#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
auto_aliases=no
dns=no
rev_dns=no
dns_cache_init=no
disable_sctp=yes
listen=tcp:{address}
tcp_connect_timeout=2
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "sl.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
modparam("rr", "append_fromtag", 0)

request_route {{
    if (!mf_process_maxfwd_header("20")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if ($si == "{server_host}" && $sp == {server_port}) {{
        {to_client}
        loose_route();
        forward();
        exit;
    }}
    loose_route();
    if (!is_method("REGISTER|ACK|BYE")) {{
        {token}
        record_route();
    }}
    $du = "sip:{server};transport=tcp";
    forward();
}}
"""
_TOKEN = 'add_rr_param(";cip=$si;cport=$sp");'
_BY_TOKEN = """\
set_forward_no_connect();
        $var(host) = $(route_uri{uri.param,cip});
        $var(port) = $(route_uri{uri.param,cport});
        $du = "sip:" + $var(host) + ":" + $var(port) + ";transport=tcp";"""


class Kamailio:
    """A proxy before a server; ``address`` is where it listens."""

    def __init__(self, folder: Path, server: str, *, token: bool = True) -> None:
        program = shutil.which("kamailio", path="/usr/sbin:/usr/bin:/sbin:/bin")
        assert program, "kamailio is not there: apt-get install kamailio"
        host, _, port = server.rpartition(":")
        self._port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        self._log = folder / "kamailio.log"
        configuration = folder / "kamailio.cfg"
        configuration.write_text(
            _CONFIGURATION.format(
                address=self.address,
                server=server,
                server_host=host,
                server_port=port,
                token=_TOKEN if token else "",
                to_client=_BY_TOKEN if token else "",
            )
        )
        places = ("-f", str(configuration), "-Y", str(folder), "-w", str(folder))
        # In the foreground, told on stderr; its processes are a group of their own.
        self._command = (program, "-DD", "-E", *MEMORY, *PROCESSES, *places)

    def __enter__(self) -> Kamailio:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_for_port(self._port, self._process)
        except AssertionError as error:
            self.__exit__()
            raise AssertionError(f"{error}\n{self.said()}") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def said(self) -> str:
        """Return what it told."""
        return self._log.read_text(errors="replace")

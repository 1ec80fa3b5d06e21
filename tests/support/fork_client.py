"""``python -m MODULE``, run by a fork of a server: for whoever starts, waits for or kills this process it is the run.

Started as a script, with the server's socket, the module and its arguments. Imports nothing that takes time.
"""

from __future__ import annotations

import _socket
import marshal
import os
import sys

STREAMS = (0, 1, 2)


def main(path: str, module: str, *arguments: str) -> int:
    """The exit code of the run."""
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(path)
    text = marshal.dumps((list(arguments), os.getcwd(), dict(os.environ)))
    streams = b"".join(each.to_bytes(4, sys.byteorder) for each in STREAMS)
    server.sendmsg([len(text).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    server.sendall(text)
    answer = server.recv(16)
    if answer == b"no":
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
    code = int(answer)
    if code < 0:
        import signal

        if -code in (signal.SIGINT, signal.SIGPIPE):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

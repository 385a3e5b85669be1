"""An HTTP forwarder on loopback that can be down, slow, or change the signature in an answer."""

import base64
import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

__all__ = ["FaultyHttp"]


class FaultyHttp:
    """Stands between us and a server on this machine. Use it in a `with` block."""

    def __init__(self, port: int) -> None:
        self.down, self.seconds, self.lie = False, 0.0, False
        self.bodies: list[bytes] = []
        faults = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                faults.bodies.append(body)
                time.sleep(faults.seconds)
                if faults.down:
                    self.close_connection = True
                    return
                behind = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                behind.request("POST", self.path, body, dict(self.headers))
                answer = behind.getresponse()
                data = answer.read()
                if faults.lie and b'"Signature"' in data:
                    said = json.loads(data)
                    signature = bytearray(base64.b64decode(said["Signature"]))
                    signature[-1] ^= 1
                    data = json.dumps(said | {"Signature": base64.b64encode(signature).decode()}).encode()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.getheader("Content-Type") or "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                behind.close()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

"""Requests that two HTTP readers could take differently (T-25), one list for every server of ours."""

__all__ = ["smuggled"]


def smuggled(post_to: str, get: str) -> dict[str, bytes]:
    """Requests that one reader takes for one and another for two, for a server with these two addresses."""

    def post(*lines: bytes, body: bytes = b"0\r\n\r\n", end: bytes = b"\r\n") -> bytes:
        return end.join([b"POST %b HTTP/1.1" % post_to.encode(), b"Host: localhost", *lines, b"", b""]) + body

    live = get.encode()
    length, chunked = b"Content-Length: 5", b"Transfer-Encoding: chunked"
    return {
        "CL+TE": post(length, chunked),
        "TE+CL": post(chunked, length),
        "two CL, different": post(length, b"Content-Length: 6"),
        "two CL, the same": post(length, length),
        "CL list": post(b"Content-Length: 5, 5"),
        "CL plus sign": post(b"Content-Length: +5"),
        "CL minus": post(b"Content-Length: -5"),
        "CL hex": post(b"Content-Length: 0x5"),
        "CL with space inside": post(b"Content-Length: 5 5"),
        "CL empty": post(b"Content-Length:"),
        "CL huge": post(b"Content-Length: 99999999999999999999"),
        "CL underscore": post(b"Content-Length: 1_0"),
        "CL other digits": post("Content-Length: ٥".encode()),
        "LF only": post(length, end=b"\n"),
        "LF in one line": post(b"X: a\nContent-Length: 5"),
        "bare CR in a value": post(b"X: a\rContent-Length: 5"),
        "bare CR in a name": post(b"X\rY: a"),
        "CR CR LF": post(b"X: a\r"),
        "space before colon": post(b"Content-Length : 5"),
        "tab before colon": post(b"Transfer-Encoding\t: chunked"),
        "line begins with a space": post(b" Content-Length: 5"),
        "folded line": post(b"X: a", b" b"),
        "folded by tab": post(b"Transfer-Encoding:", b"\tchunked"),
        "no colon": post(b"Content-Length 5"),
        "empty name": post(b": 5"),
        "NUL in a value": post(b"X: a\0b"),
        "NUL in a name": post(b"X\0: a"),
        "no Host": b"GET %b HTTP/1.1\r\nX: y\r\n\r\n" % live,
        "no header at all": b"GET %b HTTP/1.1\r\n\r\n" % live,
        "two Hosts": post(b"Host: localhost"),
        "two Hosts, different": post(b"Host: evil.example"),
        "absolute form, another host": b"GET http://evil.example/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "absolute form": b"GET https://localhost/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "asterisk form": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "authority form": b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "xchunked": post(b"Transfer-Encoding: xchunked"),
        "chunked, identity": post(b"Transfer-Encoding: chunked, identity"),
        "identity, chunked": post(b"Transfer-Encoding: identity, chunked"),
        "gzip, chunked": post(b"Transfer-Encoding: gzip, chunked"),
        "identity": post(b"Transfer-Encoding: identity"),
        "two TE": post(chunked, chunked),
        "TE quoted": post(b'Transfer-Encoding: "chunked"'),
        "TE with vertical tab": post(b"Transfer-Encoding: \x0bchunked"),
        "TE in another case, with CL": post(b"tRANSFER-eNCODING: chunked", length),
        "CHUNKED": post(b"Transfer-Encoding: CHUNKED"),
        "tab between": b"GET\t%b\tHTTP/1.1\r\nHost: localhost\r\n\r\n" % live,
        "two spaces": b"GET  %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % live,
        "space in the address": b"GET %b /x HTTP/1.1\r\nHost: localhost\r\n\r\n" % live,
        "lower method": b"get %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % live,
        "lower version": b"GET %b http/1.1\r\nHost: localhost\r\n\r\n" % live,
        "no version": b"GET %b\r\n\r\n" % live,
        "version 2": b"GET %b HTTP/2.0\r\nHost: localhost\r\n\r\n" % live,
        "version 1.2": b"GET %b HTTP/1.2\r\nHost: localhost\r\n\r\n" % live,
        "version padded": b"GET %b HTTP/1.01\r\nHost: localhost\r\n\r\n" % live,
        "h2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "an empty line first": b"\r\nGET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % live,
        "upgrade": b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" % live,
        "websocket": b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" % live,
        "TLS in TLS": b"\x16\x03\x01\x02\x00\x01\x00",
    }  # fmt: skip

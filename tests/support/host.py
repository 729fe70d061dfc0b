"""A download host for the tests: a proxy on this machine that stands in for every HTTPS host."""

import contextlib
import socketserver
import ssl
import threading

import trustme

DEAD = {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": None}  # nothing listens there


@contextlib.contextmanager
def host(folder, body=None, stall_after=None):
    """Serve body over HTTPS for any address, or stall after the connection when body is None.

    stall_after: how many bytes of the body are sent before it stalls; all by default.

    Yields the environment variables that send a program's downloads here.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    over = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            name = self.rfile.readline().split()[1].decode().split(":")[0]
            while self.rfile.readline().strip():
                pass
            if body is None:
                over.wait()
                return
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(name).configure_cert(context)
            with context.wrap_socket(self.request, server_side=True) as secure:
                secure.recv(65536)
                head = (
                    f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                )
                secure.sendall(head.encode() + body[:stall_after])
                if stall_after:
                    over.wait()

    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        proxy = f"http://127.0.0.1:{server.server_address[1]}"
        certificate = folder / "authority.pem"
        try:
            yield {"https_proxy": proxy, "HTTPS_PROXY": None, "SSL_CERT_FILE": certificate}
        finally:
            over.set()
            server.shutdown()

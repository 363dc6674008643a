"""A small stand-in for S3: path-style buckets in memory, every request's signature checked."""

import hashlib
import http.server
import re
import sys
import threading
import urllib.parse

from . import signing

ACCESS_KEY, SECRET = "S3TESTKEY", "s3/test+secret"
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\S+), SignedHeaders=(\S+), "
                           r"Signature=([0-9a-f]{64})")


class S3:
    """`buckets` is {name: {key: bytes}}.

    `faults` are taken by the requests that they fit, in order: (method, status) answers that
    status, (method, "cut") breaks the connection in the middle.
    """

    def __init__(self, region):
        self.region = region
        self.buckets = {}
        self.metadata = {}  # {(bucket, key): headers that were sent with it}
        self.uploads = {}  # under way: {id: {part number: bytes}}
        self.faults = []
        self.requests = []  # "METHOD target", all that came
        self.complaints = []  # what was wrong with signatures
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"s3": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def take_fault(self, method):
        with self._lock:
            for fault in self.faults:
                if fault[0] == method:
                    self.faults.remove(fault)
                    return fault[1]
        return None

    def check(self, method, path, query, headers, body):
        """What is wrong with the signature, or None."""
        match = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if match is None:
            return "no signature"
        key, scope, names, signature = match.groups()
        digest = hashlib.sha256(body).hexdigest()
        if key != ACCESS_KEY or headers.get("x-amz-content-sha256") != digest:
            return "unknown key, or another body than was signed"
        if scope.split("/")[1:] != [self.region, "s3", "aws4_request"]:
            return f"scope {scope}"
        lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names.split(";"))
        canonical = (f"{method}\n{path}\n{signing.encode_pairs(dict(query))}\n{lines}\n{names}\n"
                     f"{digest}")
        right = signing.v4_signature(SECRET, scope, headers["x-amz-date"], canonical)
        return None if right == signature and "host" in names else "the signature differs"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that were killed in the middle of a request are no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    s3 = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self, status, body=b"", headers=None, cut=False):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def _fail(self, status, code):
        self._answer(status, f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>it is so"
                             f"</Message></Error>".encode())

    def _serve(self):
        method, s3 = self.command, self.s3
        s3.requests.append(f"{method} {self.path}")
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        if len(body) < size:  # who asked was killed in the middle of it
            self.close_connection = True
            return
        path, _, raw = self.path.partition("?")
        query = urllib.parse.parse_qsl(raw, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        wrong = s3.check(method, path, query, headers, body)
        if wrong:
            s3.complaints.append(f"{method} {self.path}: {wrong}")
            self._fail(403, "SignatureDoesNotMatch")
            return
        fault = s3.take_fault(method)
        if fault == "cut" and method != "GET":
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(fault, int):
            self._fail(fault, {403: "AccessDenied", 500: "InternalError"}.get(fault, "SlowDown"))
            return
        _, bucket, *rest = urllib.parse.unquote(path).split("/", 2)
        if bucket not in s3.buckets:
            self._fail(404, "NoSuchBucket")
            return
        self._object(s3, method, (bucket, rest[0] if rest else ""), dict(query), headers, body,
                     fault == "cut")

    def _object(self, s3, method, name, query, headers, body, cut):
        bucket, key = s3.buckets[name[0]], name[1]
        if method == "GET" and not key:
            found = sorted(one for one in bucket if one.startswith(query["prefix"]))[:1]
            items = "".join(f"<Contents><Key>{one}</Key></Contents>" for one in found)
            self._answer(200, f"<ListBucketResult>{items}</ListBucketResult>".encode())
        elif method == "GET":
            self._get(s3, name, headers, cut)
        elif "uploadId" in query and method != "DELETE" and query["uploadId"] not in s3.uploads:
            self._fail(404, "NoSuchUpload")
        elif method == "PUT" and "uploadId" in query:
            s3.uploads[query["uploadId"]][int(query["partNumber"])] = body
            self._answer(200, headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
        elif method == "PUT":
            bucket[key] = body
            s3.metadata[name] = headers
            self._answer(200, headers={"ETag": '"whole"'})
        elif method == "POST" and "uploads" in query:
            upload = f"upload-{len(s3.requests)}+/="
            s3.uploads[upload] = {}
            s3.metadata[name] = headers
            self._answer(200, f"<R><UploadId>{upload}</UploadId></R>".encode())
        elif method == "POST":
            self._complete(s3, bucket, key, query["uploadId"], body.decode())
        elif method == "DELETE":
            s3.uploads.pop(query["uploadId"], None)
            self._answer(204)

    def _get(self, s3, name, headers, cut):
        data = s3.buckets[name[0]].get(name[1])
        if data is None:
            self._fail(404, "NoSuchKey")
            return
        meta = {key: value for key, value in s3.metadata.get(name, {}).items()
                if key.startswith("x-amz-meta-")}
        first = headers.get("range") == "bytes=0-0"
        self._answer(206 if first else 200, data[:1] if first else data, meta, cut)

    def _complete(self, s3, bucket, key, upload, body):
        parts = s3.uploads[upload]
        tags = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>&quot;([0-9a-f]+)&quot;", body)
        wanted = [(str(number), hashlib.md5(parts[number]).hexdigest()) for number in sorted(parts)]
        if tags != wanted:
            self._fail(400, "InvalidPart")
            return
        bucket[key] = b"".join(parts[number] for number in sorted(parts))
        del s3.uploads[upload]
        self._answer(200, b"<CompleteMultipartUploadResult/>")

    do_GET = do_PUT = do_POST = do_DELETE = _serve

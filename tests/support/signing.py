"""Requests signed by hand, from the published algorithms, so that no SDK stands between."""

import base64
import datetime
import hashlib
import hmac
import http.client
from urllib.parse import quote


def encode(text):
    return quote(str(text), safe="-_.~")


def encode_pairs(parameters):
    return "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(parameters.items()))


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def basic(moment):
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def v4_signature(secret, scope, stamp, canonical):
    date, region, service, _ = scope.split("/")
    key = _hmac(_hmac(_hmac(_hmac(b"AWS4" + secret.encode(), date), region), service),
                "aws4_request")
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def v4_headers(host, body, access_key, secret, region, service="elasticache", moment=None,
               token=None):
    """The headers of a POST with signature version 4."""
    stamp = basic(moment or now())
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8", "host": host,
               "x-amz-date": stamp}
    if token is not None:
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    digest = hashlib.sha256(body.encode()).hexdigest()
    canonical = f"POST\n/\n\n{lines}\n{names}\n{digest}"
    signature = v4_signature(secret, scope, stamp, canonical)
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, "
                                f"SignedHeaders={names}, Signature={signature}")
    return headers


def v4_presigned(host, parameters, access_key, secret, region, service="elasticache", moment=None,
                 expires=60):
    """The target of a GET whose signature (version 4) stands in the query."""
    stamp = basic(moment or now())
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    query = dict(parameters)
    query.update({"X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                  "X-Amz-Credential": f"{access_key}/{scope}",
                  "X-Amz-Date": stamp, "X-Amz-Expires": str(expires),
                  "X-Amz-SignedHeaders": "host"})
    canonical_query = encode_pairs(query)
    digest = hashlib.sha256(b"").hexdigest()
    canonical = f"GET\n/\n{canonical_query}\nhost:{host}\n\nhost\n{digest}"
    return f"/?{canonical_query}&X-Amz-Signature={v4_signature(secret, scope, stamp, canonical)}"


def _v2_signature(method, host, parameters, secret):
    text = f"{method}\n{host}\n/\n{encode_pairs(parameters)}"
    return base64.b64encode(_hmac(secret.encode(), text)).decode()


def v2_query(method, host, parameters, access_key, secret, moment=None):
    """The parameters of a request with signature version 2, signature included."""
    stamp = (moment or now()).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = dict(parameters)
    query.update({"AWSAccessKeyId": access_key, "SignatureVersion": "2",
                  "SignatureMethod": "HmacSHA256", "Timestamp": stamp})
    query["Signature"] = _v2_signature(method, host, query, secret)
    return query


def mixed_query(host, parameters, access_key, secret, region, version="2", moment=None):
    """The form of the 2014 guide: a version 2 signature, the key named in X-Amz-Credential."""
    moment = moment or now()
    query = dict(parameters)
    query.update({"SignatureVersion": version, "SignatureMethod": "HmacSHA256",
                  "Timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                  "X-Amz-Credential":
                      f"{access_key}/{basic(moment)[:8]}/{region}/elasticache/aws4_request"})
    query["Signature"] = _v2_signature("GET", host, query, secret)
    return query


class Reply:
    """An HTTP answer: status, headers (lower-case names), text."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read().decode(errors="replace")

    def __repr__(self):
        return f"HTTP {self.status} {self.text[:2000]}"


def send(endpoint, method, target, body=None, headers=None, timeout=20):
    """One HTTP request on a connection of its own; `headers` are sent as they are."""
    host, port = endpoint
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.putrequest(method, target, skip_host=bool(headers and "host" in headers),
                              skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        data = body.encode() if isinstance(body, str) else body
        if data is not None:
            connection.putheader("content-length", str(len(data)))
        connection.endheaders()
        if data is not None:
            connection.send(data)
        return Reply(connection.getresponse())
    finally:
        connection.close()

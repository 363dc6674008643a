"""Compares answers, byte by byte as they came, with botocore's service model.

A client forgives much: it ignores unknown elements and any order. This check does not. It looks at
every answer that passes through a watched client.
"""

import json
import os
import re
import xml.etree.ElementTree as ElementTree

import botocore

# Codes that every action may answer (AWS API Reference, "Common Errors", and what query services
# were seen to answer besides).
COMMON_ERRORS = {
    "AccessDeniedException", "ExpiredTokenException", "IncompleteSignature", "InternalFailure",
    "InvalidAction", "InvalidClientTokenId", "InvalidParameterCombination",
    "InvalidParameterValue", "MalformedQueryString", "MissingAction",
    "MissingAuthenticationToken", "MissingParameter", "RequestExpired", "ServiceUnavailable",
    "SignatureDoesNotMatch", "ThrottlingException", "UnsupportedOperation", "ValidationError",
}

# Documented for these actions, missing in the service model.
UNMODELLED_ERRORS = {
    "CreateCacheSubnetGroup": {"CacheSubnetGroupQuotaExceeded"},
    "AddTagsToResource": {"CacheSubnetGroupNotFoundFault"},
}

TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
REQUEST_ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
SCALARS = {
    "boolean": re.compile(r"^(true|false)$"),
    "integer": re.compile(r"^-?\d+$"),
    "long": re.compile(r"^-?\d+$"),
    "double": re.compile(r"^-?\d+(\.\d+)?([eE][-+]?\d+)?$"),
    "float": re.compile(r"^-?\d+(\.\d+)?([eE][-+]?\d+)?$"),
    "timestamp": TIMESTAMP,
}

# Values that AWS answers although the models' enumerations do not list them: the model of 2014
# lacks the events of groups, and EC2 calls the attachment of a gateway `available`.
UNLISTED_VALUES = {"SourceType": {"replication-group"}, "AttachmentStatus": {"available"}}

# An installed botocore older than this lacks members that the services have got since, and EC2's
# were put into another order.
MODEL_IS_COMPLETE_FROM = (1, 43)


def _own_member_names(service):
    """{shape: wire names} of the repository's own model, which is newer than an old botocore."""
    root = os.path.join(os.path.dirname(__file__), "..", "..", "model", f"{service}.json")
    with open(root, encoding="utf-8") as file:
        text = json.load(file)
    names = set()

    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                names.add(key)
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)
        elif isinstance(node, str):
            names.add(node)

    walk(text.get("shapes", {}))
    return names


class ModelCheck:
    """Collects what is wrong with the answers of the watched clients."""

    def __init__(self):
        self.problems = []
        self.checked = 0
        version = tuple(int(part) for part in botocore.__version__.split(".")[:2])
        self._old_model = version < MODEL_IS_COMPLETE_FROM

    def watch(self, client):
        model = client.meta.service_model

        def received(event_name, response_dict=None, **_):
            if response_dict is None:
                return
            operation = model.operation_model(event_name.rsplit(".", 1)[1])
            body = response_dict["body"]
            self.check(operation, response_dict["status_code"], response_dict["headers"], body)

        client.meta.events.register("response-received", received)

    def take_problems(self):
        problems, self.problems = self.problems, []
        return problems

    def check(self, operation, status, headers, body):
        self.checked += 1
        before = len(self.problems)
        try:
            root = ElementTree.fromstring(body)
        except ElementTree.ParseError as error:
            self._say(operation.name, f"not XML: {error}: {body[:300]!r}")
            return
        if not headers.get("content-type", "").startswith("text/xml"):
            self._say(operation.name, f"content-type {headers.get('content-type')!r}")
        if not REQUEST_ID.match(headers.get("x-amzn-requestid", "")):
            self._say(operation.name, f"x-amzn-requestid {headers.get('x-amzn-requestid')!r}")
        ec2 = operation.service_model.protocol == "ec2"
        if status >= 300:
            (self._ec2_error if ec2 else self._query_error)(operation, status, root)
        elif ec2:
            self._ec2_success(operation, root)
        else:
            self._query_success(operation, root)
        if len(self.problems) > before:
            self.problems.append(f"  the answer was: {body[:1500]!r}")

    def _say(self, where, what):
        self.problems.append(f"{where}: {what}")

    # The two protocols

    def _namespace(self, operation):
        service = operation.service_model
        return service.metadata.get("xmlNamespace") or {
            "ec2": f"http://ec2.amazonaws.com/doc/{service.api_version}",
        }[service.service_name]

    def _strip(self, operation, root):
        """Takes the namespace off; every element must be in the service's one."""
        expected = self._namespace(operation).rstrip("/")
        for element in root.iter():
            space, _, name = element.tag.rpartition("}")
            if space.lstrip("{").rstrip("/") != expected:
                self._say(operation.name, f"element {name} in namespace {space.lstrip('{')!r}")
            element.tag = name

    def _query_success(self, operation, root):
        self._strip(operation, root)
        children = [child.tag for child in root]
        shape = operation.output_shape
        expected = ["ResponseMetadata"]
        if shape is not None:
            expected.insert(0, shape.serialization.get("resultWrapper", operation.name + "Result"))
        if root.tag != operation.name + "Response" or children != expected:
            self._say(operation.name, f"envelope {root.tag} {children}, expected {expected}")
            return
        if not REQUEST_ID.match(root[-1].findtext("RequestId") or ""):
            self._say(operation.name, "ResponseMetadata without a RequestId")
        if shape is not None:
            self._structure(operation.name, root[0], shape, ec2=False)

    def _ec2_success(self, operation, root):
        self._strip(operation, root)
        if root.tag != operation.name + "Response":
            self._say(operation.name, f"root element {root.tag}")
        children = list(root)
        if not children or children[0].tag != "requestId":
            self._say(operation.name, "requestId is not the first element")
            return
        root.remove(children[0])
        if operation.output_shape is not None:
            self._structure(operation.name, root, operation.output_shape, ec2=True)
        elif [(child.tag, child.text) for child in root][:1 if self._old_model else None] != [
                ("return", "true")]:
            self._say(operation.name, f"expected <return>true</return>, got {list(root)}")

    def _query_error(self, operation, status, root):
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        shape = [root.tag, [child.tag for child in root], [child.tag for child in root[0]]]
        if shape != ["ErrorResponse", ["Error", "RequestId"], ["Type", "Code", "Message"]]:
            self._say(operation.name, f"error shape {shape}")
            return
        code, kind = root[0].findtext("Code"), root[0].findtext("Type")
        if kind != ("Receiver" if status >= 500 else "Sender"):
            self._say(operation.name, f"error type {kind} with status {status}")
        if not root[0].findtext("Message"):
            self._say(operation.name, f"{code} without a message")
        known = {}
        for error in operation.error_shapes:
            facts = error.metadata.get("error", {})
            known[facts.get("code", error.name)] = facts.get("httpStatusCode", 400)
        if code in known:
            if known[code] != status:
                self._say(operation.name, f"{code} with status {status}, not {known[code]}")
        elif code not in COMMON_ERRORS | UNMODELLED_ERRORS.get(operation.name, set()):
            self._say(operation.name, f"error code {code} is not one of this action's")

    def _ec2_error(self, operation, status, root):
        try:
            shape = [root.tag, root[0].tag, root[0][0].tag, root[1].tag]
        except IndexError:
            shape = [root.tag]
        if shape != ["Response", "Errors", "Error", "RequestID"]:
            self._say(operation.name, f"error shape {shape}")
            return
        if not root[0][0].findtext("Code") or not root[0][0].findtext("Message"):
            self._say(operation.name, "an error without code or message")
        if not REQUEST_ID.match(root[1].text or ""):
            self._say(operation.name, f"RequestID {root[1].text!r}")

    # Shapes

    @staticmethod
    def _wire_name(name, shape):
        if shape.type_name == "list" and shape.serialization.get("flattened"):
            return shape.member.serialization.get("name") or shape.serialization.get("name", name)
        return shape.serialization.get("name", name)

    def _structure(self, where, element, shape, ec2):
        names = [self._wire_name(name, member) for name, member in shape.members.items()]
        members = dict(zip(names, shape.members.values()))
        seen, last = set(), -1
        for child in element:
            here = f"{where}/{child.tag}"
            if child.tag not in members:
                own = _own_member_names(shape_service(ec2)) if self._old_model else ()
                if child.tag not in own:
                    self._say(here, f"unknown member of {shape.name}")
                continue
            member = members[child.tag]
            flat = member.type_name == "list" and member.serialization.get("flattened")
            if child.tag in seen and not flat:
                self._say(here, "appears twice")
            seen.add(child.tag)
            position = names.index(child.tag)
            if position < last and not (ec2 and self._old_model):
                self._say(here, "out of the model's order")
            last = position
            if flat:
                self._value(here, child, member.member, ec2)
            else:
                self._value(here, child, member, ec2)

    def _value(self, where, element, shape, ec2):
        if shape.type_name == "structure":
            self._structure(where, element, shape, ec2)
        elif shape.type_name == "list":
            item = shape.member.serialization.get("name", "item" if ec2 else "member")
            for child in element:
                if child.tag != item:
                    self._say(where, f"list element {child.tag}, expected {item}")
                else:
                    self._value(f"{where}/{item}", child, shape.member, ec2)
        else:
            self._scalar(where, element, shape)

    def _scalar(self, where, element, shape):
        text = element.text or ""
        if len(element):
            self._say(where, "has children but is a scalar")
        pattern = SCALARS.get(shape.type_name)
        if pattern and not pattern.match(text):
            self._say(where, f"{text!r} is no {shape.type_name}")
        allowed = getattr(shape, "enum", None)
        if text in UNLISTED_VALUES.get(shape.name, ()):
            return
        if allowed and not self._old_model and text not in allowed:
            self._say(where, f"{text!r} is not one of {allowed}")


def shape_service(ec2):
    return "ec2" if ec2 else "elasticache"

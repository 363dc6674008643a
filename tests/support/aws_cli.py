"""The aws CLI inside this process: the same program, without the second that its start takes."""

import contextlib
import io
import json
import os
import unittest.mock

from .commands import Outcome

try:
    from awscli.clidriver import create_clidriver
except ImportError:  # an aws that is no package of this Python
    create_clidriver = None


class AwsCli:
    """Runs commands of one service against a region; `Region.aws` where it is not importable."""

    def __init__(self, region, service):
        self.region = region
        self.service = service
        self._driver = None

    def run(self, *arguments, **members):
        """`members`: the input, as one JSON document."""
        if members:
            arguments += ("--cli-input-json", json.dumps(members))
        if create_clidriver is None:
            return self.region.aws(self.service, *arguments)
        words = ["--endpoint-url", self.region.endpoint_url, "--output", "json", self.service,
                 *arguments]
        out, err = io.StringIO(), io.StringIO()
        environment = {**self.region.environment(), "AWS_MAX_ATTEMPTS": "1",
                       "AWS_DATA_PATH": os.environ.get("AWS_DATA_PATH", "")}  # the CLI's own
        with unittest.mock.patch.dict(os.environ, environment, clear=True), \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            if self._driver is None:
                self._driver = create_clidriver()
            code = self._driver.main(words)
        return Outcome(["aws", *words], code, out.getvalue(), err.getvalue())

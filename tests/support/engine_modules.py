"""Our modules and the engines of this machine that load them."""

import os
import shutil

from .region import binary


def module(name):
    """`fence` or `front`, beside the program under test."""
    return os.path.join(os.path.dirname(binary()), f"{name}.so")


def programs():
    """The engines that are installed here."""
    return [path for path in map(shutil.which, ("valkey-server", "redis-server")) if path]

"""Clients of encrypted caches: they trust the CA that `hikae ca` prints, and nobody else."""

import ssl

from .inline import REPLY_TIMEOUT, InlineSession


class EncryptedClients:
    """Opens sessions with the endpoints of a region, with or without an AUTH token."""

    def __init__(self, region):
        self.region = region
        self.ca = region.hikae("ca", "--data", region.data).ok().out
        self.context = ssl.create_default_context(cadata=self.ca)

    def session(self, endpoint, timeout=REPLY_TIMEOUT, token=None):
        """The peer has proved to be {'Address': name, 'Port': port}, and took the token."""
        name = endpoint["Address"]
        session = InlineSession(self.region.resolve(name), endpoint["Port"], timeout,
                                self.context, name)
        try:
            if token is not None:
                session.ask(f"auth {token}")
        except Exception:
            session.close()
            raise
        return session

    def opener(self, token):
        """For a Writer that shows the token."""
        return lambda endpoint, timeout: self.session(endpoint, timeout, token)

"""A test case with one running server for all its tests; `kind` is set by servers.parametrised()."""

import unittest

import servers


class ServerCase(unittest.TestCase):
    """`ensemble` serves from the first test to the last; LabUnavailable skips the class."""

    kind = None
    n_voters = 1
    options = {}

    @classmethod
    def setUpClass(cls):
        try:
            ensemble = servers.make(cls.kind, cls.n_voters, **cls.options)
            cls.ensemble = cls.enterClassContext(ensemble)
        except servers.Unavailable as missing:
            raise unittest.SkipTest(str(missing)) from None

    @property
    def member(self):
        return self.ensemble.members[0]

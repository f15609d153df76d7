"""Hand-written stand-ins for the ports, for unit tests.

Those of the repositories pass the same contract tests as the real ones, see
tests/integration/test_repository_contracts.py.
"""

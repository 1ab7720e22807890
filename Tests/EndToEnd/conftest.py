import pytest

from harness import Sandbox, found_kubectls


@pytest.fixture(scope="session")
def sandbox():
    running = Sandbox()
    yield running
    running.stop()


def pytest_generate_tests(metafunc):
    """Tests that take `modern` run once per kubectl from 1.29 on, those that take `old` with Debian's 1.20."""
    found = found_kubectls()
    if "modern" in metafunc.fixturenames:
        versions = sorted(version for version in found if version >= (1, 29))
        metafunc.parametrize("modern", [found[v] for v in versions], ids=[f"{a}.{b}" for a, b in versions], scope="session")
    if "old" in metafunc.fixturenames:
        versions = sorted(version for version in found if version < (1, 21))
        metafunc.parametrize("old", [found[v] for v in versions], ids=[f"{a}.{b}" for a, b in versions], scope="session")

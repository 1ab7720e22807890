import pytest


@pytest.fixture(autouse=True)
def features(request, cluster):
    """Honours `@pytest.mark.needs(FEATURE...)`."""
    for mark in request.node.iter_markers("needs"):
        for feature in mark.args:
            cluster.features.need(feature)
    return cluster.features


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(feature...): what the cluster must be able to show")

"""What a cluster can show. Each feature is asked of the server; a test that needs one that is absent is skipped by its name."""
import functools

import pytest


class Features:
    def __init__(self, cluster):
        self.cluster = cluster

    @functools.cached_property
    def is_sandbox(self):
        return "pilotlight-sandbox" in self.cluster.server_version["gitVersion"]

    def need(self, name):
        """Skips the running test where the feature is absent."""
        reason = getattr(self, name)()
        if reason:
            pytest.skip(f"{name.replace('_', ' ')}: {reason}")

    # Each returns why the feature is absent, or None where it is there.

    def modern_kubectl(self):
        return "kubectl before 1.27 validates and explains by /openapi/v2" if self.cluster.is_old else None

    def model_stub(self):
        return None if self.cluster.runs_the_stub else "the pods run another server, whose pace and failures cannot be set"

    def cel(self):
        if self.is_sandbox:
            return "the sandbox checks the same rules in Swift, not in CEL"
        minor = int(self.cluster.server_version["minor"].rstrip("+"))
        return None if minor >= 29 else f"the server is 1.{minor}; CEL in CustomResourceDefinitions is there from 1.29 on"

    def scheduler(self):
        return "the sandbox knows resources and nodeSelector, not affinity" if self.is_sandbox else None

    def images(self):
        return "the sandbox pulls no images" if self.is_sandbox else None

    def quota(self):
        return "the sandbox has no ResourceQuota" if self.is_sandbox else None

    def network_policies(self):
        served = self.cluster.run("api-resources", "--api-group=networking.k8s.io", "-o", "name").stdout
        if "networkpolicies" not in served:
            return "the server has no networkpolicies.networking.k8s.io"
        return None

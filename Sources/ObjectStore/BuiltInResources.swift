import KubernetesAPI

extension ResourceDefinition {
  /// The built-in types of Kubernetes that Pilotlight and `kubectl` use, in the order of discovery.
  public static let builtIn: [ResourceDefinition] = [
    namespaces, nodes, pods, services, secrets, configMaps, serviceAccounts, events, deployments, replicaSets,
    endpointSlices, leases, podDisruptionBudgets, networkPolicies, customResourceDefinitions, roles, roleBindings,
    clusterRoles, clusterRoleBindings,
  ]
}

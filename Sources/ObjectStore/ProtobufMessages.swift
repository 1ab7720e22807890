import KubernetesAPI

extension ProtobufBody {
  /// Field numbers of k8s.io/api and apimachinery, for the kinds that kubectl's `create` and `auth` commands send.
  static let messages: [String: [String: (Int, Field)]] = [
    "Namespace": ["metadata": (1, metadata)],
    "ServiceAccount": ["metadata": (1, metadata)],
    "ConfigMap": [
      "metadata": (1, metadata), "data": (2, .map(.string)), "binaryData": (3, .map(.bytes)),
      "immutable": (4, .boolean),
    ],
    "Secret": [
      "metadata": (1, metadata), "data": (2, .map(.bytes)), "type": (3, .string), "stringData": (4, .map(.string)),
      "immutable": (5, .boolean),
    ],
    "Service": [
      "metadata": (1, metadata),
      "spec": (
        2,
        .message([
          "ports": (
            1,
            .list(
              .message([
                "name": (1, .string), "protocol": (2, .string), "port": (3, .integer), "targetPort": (4, .intOrString),
                "nodePort": (5, .integer),
              ]))
          ), "selector": (2, .map(.string)), "clusterIP": (3, .string), "type": (4, .string),
          "externalName": (10, .string),
        ])
      ),
    ],
    "Deployment": [
      "metadata": (1, metadata),
      "spec": (
        2,
        .message([
          "replicas": (1, .integer), "selector": (2, .message(["matchLabels": (1, .map(.string))])),
          "template": (3, podTemplate),
        ])
      ),
    ],
    "DeleteOptions": [
      "gracePeriodSeconds": (1, .integer),
      "preconditions": (2, .message(["uid": (1, .string), "resourceVersion": (2, .string)])),
      "orphanDependents": (3, .boolean), "propagationPolicy": (4, .string), "dryRun": (5, .list(.string)),
    ],
    "SelfSubjectAccessReview": [
      "metadata": (1, metadata),
      "spec": (
        2,
        .message([
          "resourceAttributes": (
            1,
            .message([
              "namespace": (1, .string), "verb": (2, .string), "group": (3, .string), "version": (4, .string),
              "resource": (5, .string), "subresource": (6, .string), "name": (7, .string),
            ])
          ), "nonResourceAttributes": (2, .message(["path": (1, .string), "verb": (2, .string)])),
        ])
      ),
    ],
    "SelfSubjectRulesReview": [
      "metadata": (1, metadata), "spec": (2, .message(["namespace": (1, .string)])),
    ],
    "SelfSubjectReview": ["metadata": (1, metadata)],
    "TokenRequest": [
      "metadata": (1, metadata),
      "spec": (2, .message(["audiences": (1, .list(.string)), "expirationSeconds": (4, .integer)])),
    ],
    "Role": ["metadata": (1, metadata), "rules": (2, .list(policyRule))],
    "ClusterRole": [
      "metadata": (1, metadata), "rules": (2, .list(policyRule)),
      "aggregationRule": (
        3, .message(["clusterRoleSelectors": (1, .list(.message(["matchLabels": (1, .map(.string))])))])
      ),
    ],
    "RoleBinding": binding, "ClusterRoleBinding": binding,
  ]

  private static let policyRule = Field.message([
    "verbs": (1, .list(.string)), "apiGroups": (2, .list(.string)), "resources": (3, .list(.string)),
    "resourceNames": (4, .list(.string)), "nonResourceURLs": (5, .list(.string)),
  ])

  private static let binding: [String: (Int, Field)] = [
    "metadata": (1, metadata),
    "subjects": (
      2,
      .list(
        .message(["kind": (1, .string), "apiGroup": (2, .string), "name": (3, .string), "namespace": (4, .string)]))
    ), "roleRef": (3, .message(["apiGroup": (1, .string), "kind": (2, .string), "name": (3, .string)])),
  ]

  private static let metadata = Field.message([
    "name": (1, .string), "generateName": (2, .string), "namespace": (3, .string), "labels": (11, .map(.string)),
    "annotations": (12, .map(.string)), "finalizers": (14, .list(.string)),
  ])

  private static let podTemplate = Field.message([
    "metadata": (1, metadata),
    "spec": (
      2,
      .message([
        "containers": (
          2,
          .list(
            .message([
              "name": (1, .string), "image": (2, .string), "command": (3, .list(.string)), "args": (4, .list(.string)),
              "workingDir": (5, .string),
              "ports": (
                6,
                .list(
                  .message(["name": (1, .string), "containerPort": (3, .integer), "protocol": (4, .string)]))
              ),
            ]))
        ), "restartPolicy": (3, .string),
      ])
    ),
  ])
}

// GatewayCluster

// FleetProtocol

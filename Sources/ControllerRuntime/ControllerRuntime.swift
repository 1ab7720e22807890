// ControllerRuntime

import InferenceAPI

/// `pilotlight crd`: prints the CustomResourceDefinition.
enum CRDCommand {
  /// The CRD as YAML; `--json`: as compact JSON; `--markdown`: the reference manual made from the same schema;
  /// `--rule-cases`: a JSON line for each value that its rules are tested with.
  static func run(_ arguments: [String]) -> Int32 {
    switch arguments {
    case []: Console.write(InferenceService.customResourceDefinitionManifest, to: 1)
    case ["--json"]: Console.print(InferenceService.customResourceDefinition.text)
    case ["--markdown"]: Console.write(InferenceService.referenceManual, to: 1)
    case ["--rule-cases"]:
      for ruleCase in InferenceService.ruleCases { Console.print(ruleCase.json.text) }
    case ["--help"]:
      Console.print(
        "usage: pilotlight crd [--json | --markdown]\n\nPrints the CustomResourceDefinition, to kubectl apply, or the reference manual of the resource."
      )
    default:
      Console.printError(
        "pilotlight crd: unknown option '\(arguments.joined(separator: " "))'; it takes --json, --markdown or nothing")
      return 2
    }
    return 0
  }
}

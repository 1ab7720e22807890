import Glibc

/// Which parser is tested. All are in one binary: building them one by one would compile most sources again for each.
private let target: @Sendable (UnsafePointer<UInt8>, Int) -> CInt = {
  switch getenv("PILOTLIGHT_FUZZ").map({ String(cString: $0) }) {
  case "head": return fuzzHead
  case "chunk": return fuzzChunk
  case "event": return fuzzEvents
  case "model": return fuzzModel
  case "zone": return fuzzZones
  case "trace": return fuzzTrace
  case let name: fatalError("PILOTLIGHT_FUZZ is \(name ?? "not set"); it names a target of hack/fuzz")
  }
}()

/// What libFuzzer calls with each input (https://llvm.org/docs/LibFuzzer.html#fuzz-target).
/// - Returns: -1: the input is not to be kept.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt { target(start, count) }

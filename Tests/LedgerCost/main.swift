// What the ledger costs with many models in one namespace: a look, a write, the ConfigMaps, reading them back, and memory.
//
// usage: measure-ledger [MODELS] [USED PER HOUR] [GATEWAYS]
//
// Each hour so many of the models, one after the other in turn, get a request of one tenant at each gateway and run a replica for
// ten minutes. A line is printed for the first write of the day, for noon and for its end.
import Decisions
import FoundationEssentials
import KubernetesAPI
import Operator

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let models = arguments.first ?? 10_000
let used = min(models, arguments.dropFirst().first ?? models)
let gateways = arguments.dropFirst(2).first ?? 3

let clock = ContinuousClock()
let rates = [
  "dedicated": LedgerRates(hourlyPrice: 3, priceMethod: .spec),
  "burst": LedgerRates(hourlyPrice: 3, priceMethod: .spec),
]
let begin = 20_000 * 86_400_000

/// Resident memory, or its highest so far, in MB; 0 where /proc does not tell.
func memory(_ name: String) -> Int {
  let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
  return (line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) / 1024
}

func milliseconds(_ duration: Duration) -> String { (duration.inSeconds * 1000).decimalText(places: 0) }

func observation(_ name: String, pods: [PodTimes]) -> LedgerObservation {
  LedgerObservation(
    model: name, created: begin, pods: pods, wanted: pods.count, needed: pods.count, floor: 0, rates: rates)
}

var ledger = Ledger()
ledger.load([], now: begin)
let names = (0..<models).map { "model-with-a-name-\($0)" }
var counts = [Int](repeating: 0, count: models)
var (looks, looking) = (0, Duration.zero)

func measureWrite(_ when: String, _ ledger: inout Ledger) {
  guard let next = ledger.image(of: "team") else { return }
  let begun = clock.now
  guard let image = LedgerConfigMap.image(next.book, home: "pilotlight-system") else {
    print("\(when): does not fit")
    return
  }
  let taken = clock.now - begun
  ledger.wrote(next.mark, of: "team", isClosed: next.isClosed)
  ledger.fold("team", image.foldings, parts: image.parts)
  let sizes = image.objects.map { $0.json[path: ["data", "book.json"]]?.stringValue?.utf8.count ?? 0 }
  let reading = clock.now
  let stored = image.objects.compactMap { try? LedgerConfigMap.book($0) }
  let joined = LedgerBook.joined(stored)
  let read = clock.now - reading
  print(
    "\(when): \(milliseconds(taken)) ms to make, \(image.parts) ConfigMaps, \(sizes.reduce(0, +) / 1024) KiB, largest "
      + "\((sizes.max() ?? 0) / 1024) KiB, summed up: \(image.foldings.map { "\($0)" }.joined(separator: " ")); "
      + "\(milliseconds(read)) ms to read \(joined?.models.count ?? 0) models back")
}

print("\(models) models, \(used) of them used each hour, \(gateways) gateways; \(memory("VmRSS")) MB before")
for hour in 0..<24 {
  let now = begin + hour * 3_600_000 + 600_000
  for turn in 0..<used {
    let index = (hour * used + turn) % models
    counts[index] += 1
    let begun = clock.now
    let pod = PodTimes(uid: "5f86d081-884c-7d65-9a2f-\(index)-\(hour)", pool: "burst", scheduled: now, isReady: true)
    ledger.advance(observation(names[index], pods: [pod]), in: "team", now: now)
    for gateway in 0..<gateways {
      let row = ServiceAccount.Row(
        pool: "burst", tenant: "9f86d081884c7d65",
        counts: LedgerCounts(
          requests: counts[index], promptTokens: 900 * counts[index], outputTokens: 300 * counts[index],
          servingMilliseconds: 4321 * counts[index]))
      ledger.hear(
        ServiceAccount(sinceMilliseconds: begin, rows: [row], busyMilliseconds: [pod.uid: 4321]), of: names[index],
        in: "team", from: "gateway-\(gateway)", bootID: "boot", now: now + 500_000)
    }
    ledger.advance(observation(names[index], pods: [pod]), in: "team", now: now + 600_000)
    ledger.advance(observation(names[index], pods: []), in: "team", now: now + 601_000)
    looking += clock.now - begun
    looks += 1
  }
  if hour == 0 { measureWrite("first", &ledger) }
  if hour == 12 { measureWrite("noon", &ledger) }
  if hour == 23 { measureWrite("end", &ledger) }
}
print(
  "a model's hour (three looks, \(gateways) reports): \((looking.inSeconds * 1e6 / Double(looks)).decimalText(places: 1)) us; "
    + "\(memory("VmRSS")) MB, \(memory("VmHWM")) MB at most")

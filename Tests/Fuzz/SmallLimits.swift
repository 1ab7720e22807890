/// Small, so that small inputs meet them.
let fuzzLimits = HTTPLimits(
  headBytes: 1024, headerCount: 16, targetBytes: 256, chunkExtensionBytes: 32, trailerBytes: 256)

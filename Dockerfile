# The image of Pilotlight: one binary on Debian slim. hack/image makes the same without Docker or a registry, and reads here
# which packages, labels, user and entry point the image has.
#
#   docker build -t registry.example.com/pilotlight:0.1.0 .

FROM swift:6.3-bookworm AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends libcurl4-openssl-dev libssl-dev pkg-config \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.swift ./
COPY Sources Sources
# Nothing of them is built, but SwiftPM wants to see every target's folder.
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product pilotlight \
  && install -s -D .build/release/pilotlight /image/usr/bin/pilotlight

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Pilotlight"
LABEL org.opencontainers.image.description="Serverless inference on any Kubernetes cluster"
LABEL org.opencontainers.image.licenses="Apache-2.0"
LABEL org.opencontainers.image.version="0.1.0"
# What the binary links to, the authorities it trusts, and the time zones of schedules.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates libcurl4 libssl3 libstdc++6 tzdata \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
COPY --from=build /image/ /
# Any number but 0 would do: nothing is written, and no file is this user's own.
USER 65532:65532
ENTRYPOINT ["/usr/bin/pilotlight"]

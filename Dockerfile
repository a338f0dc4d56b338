# One recipe for every image: docker build --build-arg APP=payment -t holdfast-payment .
# APP is a folder of apps/ (orchestrator, inventory, payment, shipping, sandbox) or `demo`, of tools/.
#
# Steps are ordered by how rarely they change. The stage `source` runs again whenever anything changes, but what later
# stages copy out of it is compared by content: after a change in one service, only that service's last layer is new.
#
# Production pins the base by digest: --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:… (docs/deploy.md).
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
ENV CI=true
COPY package.json ./
# The very pnpm that wrote the lockfile.
RUN npm install --global --no-audit --no-fund --no-update-notifier "$(node -p 'require("./package.json").packageManager')"

# What this service is made of: itself and the packages that it uses, straight or through others.
FROM ${NODE_IMAGE} AS source
ARG APP
WORKDIR /src
COPY . .
RUN node scripts/image-source.mjs "${APP}" /out

FROM build AS dependencies
ARG APP
COPY --from=source /out/manifests ./
# `filter-prod`: what only tests need is not followed. `shamefully-hoist`: what a package of ours asks its user to bring along (a peer, such as ioredis) is found at the root.
# `copy`: a layer must hold the files themselves, not links into the cache. Optional packages are other platforms'
# binaries; nothing that serves needs one. Types, maps and tests are for development, and so are pnpm's notes of the install.
RUN --mount=type=cache,id=holdfast-pnpm,target=/pnpm-store \
    pnpm install --prod --no-optional --frozen-lockfile --filter-prod "@holdfast/${APP}..." \
      --store-dir=/pnpm-store --package-import-method=copy --shamefully-hoist \
 && find . \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.md' ! -iname 'licen[cs]e*' \
      -o -name '*.test.ts' -o -name '*.test.js' \) -type f -delete \
 && find . -type d -path '*/node_modules/@types' -prune -exec rm -rf {} + \
 && find . -path '*/undici-types' -prune -exec rm -rf {} + \
 && rm -rf node_modules/.pnpm/@types+* node_modules/.pnpm/undici-types@* \
 && xargs -r rm -rf < only-developed.txt && find . -xtype l -delete \
 && rm -f only-developed.txt pnpm-lock.yaml pnpm-workspace.yaml node_modules/.modules.yaml node_modules/.pnpm-workspace-state*.json

# The base without its package managers: whoever breaks in finds no tool to install more with.
FROM ${NODE_IMAGE} AS runtime
# What Debian has installed stays written down in /var/lib/dpkg, where scanners look.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/pnpm /usr/local/bin/pnpx /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
      /usr/bin/apt /usr/bin/apt-* /usr/bin/dpkg /usr/bin/dpkg-* /usr/sbin/dpkg-* /usr/lib/apt /usr/lib/dpkg \
      /etc/apt /var/lib/apt /var/cache/apt
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 HTTP_PORT=8080 GRPC_PORT=50051 MIGRATE_ON_START=false
EXPOSE 8080 50051
# Every file belongs to root, and the service runs as somebody else: it cannot change itself.
USER node
HEALTHCHECK --interval=5s --timeout=10s --start-period=60s --retries=5 CMD ["bash", "/app/packages/service/src/probe.sh"]
# Node is process 1: it handles SIGTERM and SIGINT itself and starts no other process.
ENTRYPOINT ["node", "/app/service/src/main.ts"]

# What Node compiles at its first start, so that a container needs a third of the processor to start. Node looks for it in
# a folder of the user's number: made by the user who runs it. The program ends at once: it has no settings (78).
FROM runtime AS compiled
COPY --from=dependencies /src ./
COPY --from=source /out/packages ./
COPY --from=source /out/app ./
RUN main=service/src/composed.ts; [ -e "$main" ] || main=service/src/main.ts; \
    NODE_COMPILE_CACHE=/tmp/compiled node "$main" 2>/tmp/said; [ "$?" = 78 ] || { cat /tmp/said; exit 1; }

FROM runtime
COPY --from=dependencies /src ./
COPY --from=source /out/packages ./
COPY --from=source /out/app ./
COPY --from=compiled --chown=root:root /tmp/compiled ./compiled/
# Of the sandbox alone: where Compose mounts certificates. A new volume gets the folder's owner, so that its job can fill it.
COPY --from=source --chown=node:node /out/owned /
ENV NODE_COMPILE_CACHE=/app/compiled
ARG APP
ARG VERSION=0.0.0-dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="holdfast-${APP}" \
      org.opencontainers.image.description="Holdfast, an order system: ${APP}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"

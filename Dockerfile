# Muster in one image: API and worker in one container, PostgreSQL beside it (see compose.yaml).
# Without DATABASE_URL it runs on an embedded PostgreSQL in /data instead, good for a try.

# Builds dist/ with the development packages, which stay behind in this stage.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force
COPY bin ./bin
COPY migrations ./migrations
COPY --from=build /app/dist ./dist

# Uploads, the first API key and the embedded server; the only place that is written to.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
# A container is reached from outside of itself, so not on loopback only.
ENV MUSTER_DATA_DIR=/data MUSTER_HOST=0.0.0.0 MUSTER_PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.MUSTER_PORT}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Node itself, not npm: it gets the signals, and stops in MUSTER_SHUTDOWN_TIMEOUT_MS (20 s).
STOPSIGNAL SIGTERM
# The flags keep the API below 250 MB of memory, also while a file of 1 GB comes in.
CMD ["node", "--max-semi-space-size=4", "--heap-growing-percent=80", "dist/main.js"]

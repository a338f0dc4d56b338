#!/bin/bash
# The health probe of a container: asks the service beside it, on its own HTTP_PORT, and exits 0 (yes) or 1, and
# says what the service has answered.
#
# `probe.sh`        can it serve now? (/readyz: a service that has lost its database is not ready)
# `probe.sh livez`  does it answer at all? For a supervisor that kills what fails the probe: a service without its database
#                   is better left alone, a new one would not fare better.
#
# The shell asks by itself, through its /dev/tcp: starting Node takes a hundred times the processor time, every few seconds
# in every container.
path=/${1:-readyz}
answer_within_s=2

ask() {
  local status line body=''
  printf 'GET %s HTTP/1.0\r\n\r\n' "$path" >&3
  read -r -t "$answer_within_s" status <&3 || { echo "$path: no answer within $answer_within_s s" >&2; return 1; }
  # The last line is the body.
  while read -r -t "$answer_within_s" line <&3 || [[ -n $line ]]; do body=$line; line=''; done
  printf '%s\n' "$body"
  [[ $status == HTTP/1.?' 200 '* ]]
}

# The shell speaks no TLS. The answer of the service beside it needs no proof: nobody else can listen on its port.
ask_by_tls() {
  node -e '
    const [path, port, seconds] = process.argv.slice(1);
    const { get } = require("node:https");
    const timeout = 1000 * Number(seconds);
    get({ host: "127.0.0.1", port, path, timeout, rejectUnauthorized: false }, (answer) => {
      answer.pipe(process.stdout);
      process.exitCode = answer.statusCode === 200 ? 0 : 1;
    }).on("timeout", function () { this.destroy(new Error("no answer in time")); })
      .on("error", ({ message }) => { console.error(`${path}: ${message}`); process.exitCode = 1; });
  ' "$path" "${HTTP_PORT:-8080}" "$answer_within_s"
}

if [[ -n ${HTTP_TLS_CERT:-}${HTTP_TLS_CERT_FILE:-} ]]; then
  ask_by_tls
  exit
fi
ask 3<>"/dev/tcp/127.0.0.1/${HTTP_PORT:-8080}"

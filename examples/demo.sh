#!/usr/bin/env bash
# The walk-through from nothing to a running operator: scaffolds the project, builds it, starts a real Kubernetes control
# plane with simulated nodes, runs the operator and plays the story. Everything it makes is in one temporary folder, and
# goes away at the end, however that comes about. Fails when a step does not hold.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
generated_target=${IRIS_GENERATED_TARGET:-$root/target/generated}
work=$(mktemp -d "${TMPDIR:-/tmp}/iris-demo.XXXXXX")
project=$work/iris
operator_log=$work/operator.log
# How long any one thing may take, in seconds.
patience=120

operator=
cluster=
current="starting"

# Asks a group of processes to stop, and insists after some seconds, which is a failure.
end_group() { # PID SECONDS
  local tenths=$(($2 * 10)) status=0
  kill -TERM -- "-$1" 2>/dev/null || return 0
  while kill -0 -- "-$1" 2>/dev/null; do
    if [ "$tenths" -le 0 ]; then
      kill -KILL -- "-$1" 2>/dev/null || true
      status=1
      break
    fi
    tenths=$((tenths - 1))
    sleep 0.1
  done
  wait "$1" 2>/dev/null || true
  return "$status"
}

clean_up() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP
  if [ "$status" -ne 0 ]; then
    printf '\nerror: the demo failed at: %s\n' "$current" >&2
    if [ -s "$operator_log" ]; then
      printf 'the last lines of the operator:\n' >&2
      tail -n 20 "$operator_log" >&2
    fi
  fi
  printf '\n== cleaning up\n'
  if [ -n "$operator" ]; then end_group "$operator" 15 || true; fi
  if [ -n "$cluster" ]; then end_group "$cluster" 15 || true; fi
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

number=0
step() { # WHAT
  number=$((number + 1))
  current=$1
  printf '\n== %d. %s\n' "$number" "$1"
}
show() { # COMMAND...: as a reader would type it, then runs it
  printf '$ %s\n' "$*"
  "$@"
}
fail() { # MESSAGE
  printf 'error: %s\n' "$1" >&2
  exit 1
}
# Runs a check, which prints what it sees, until it succeeds; says every few seconds what it is waiting for.
await() { # WHAT COMMAND...
  local what=$1 begin=$SECONDS said=$SECONDS seen
  shift
  until seen=$("$@" 2>&1); do
    if [ -n "$operator" ] && ! kill -0 "$operator" 2>/dev/null; then fail "the operator ended"; fi
    if [ $((SECONDS - begin)) -ge "$patience" ]; then fail "no $what after $patience s; last seen: $seen"; fi
    if [ $((SECONDS - said)) -ge 3 ]; then
      said=$SECONDS
      printf '  waiting for %s: %d s\n' "$what" "$((SECONDS - begin))" >&2
    fi
    sleep 0.3
  done
}
# Starts a command in a process group of its own, so that it can be stopped as a whole; its pid is in $started.
start() { # LOG COMMAND...
  local log=$1
  shift
  set -m
  "$@" </dev/null >>"$log" 2>&1 7>&- &
  started=$!
  set +m
}
http() { # PORT PATH: prints the answer; Debian and macOS have no common program for this but bash
  local line found=1
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
  while IFS= read -r line <&3 || [ -n "$line" ]; do
    case $line in "HTTP/1.1 200"*) found=0 ;; esac
    printf '%s\n' "$line"
  done
  exec 3>&-
  return "$found"
}
taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # PORT
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

for tool in cargo go make python3; do
  command -v "$tool" >/dev/null || fail "\`$tool\` is needed and not installed"
done

step "build iris-scaffold"
show cargo install --path "$root" --locked --debug --no-track --root "$work"
# Starts the control plane below.
show cargo install --path "$root/tests/cluster" --locked --debug --no-track --root "$work"
export PATH=$work/bin:$PATH

step "scaffold an operator"
show mkdir "$project"
show cd "$project"
show iris-scaffold init --domain myardyas.club
show iris-scaffold create api --group test --version v1alpha1 --kind Iris

step "build it"
export CARGO_TARGET_DIR=$generated_target CARGO_INCREMENTAL=0
show cargo build --locked

step "start a control plane: etcd, API server, controllers, scheduler, simulated nodes"
programs=$("$root/tests/control-plane/build")
export PATH=$programs:$PATH
export KUBEBUILDER_ASSETS=$programs
printf '$ cluster\n'
# The control plane stops when its standard input closes: with this process, even if that is killed.
mkfifo "$work/alive"
set -m
TMPDIR=$work "$work/bin/cluster" <"$work/alive" >"$work/cluster.out" &
cluster=$!
set +m
exec 7>"$work/alive"
until grep -q '^ready' "$work/cluster.out"; do
  kill -0 "$cluster" 2>/dev/null || fail "the control plane did not start"
  sleep 0.1
done
KUBECONFIG=$(sed -n 's/^ready KUBECONFIG=//p' "$work/cluster.out")
export KUBECONFIG
show kubectl version
show kubectl get nodes

step "install the definition of the kind Iris"
show make install
show kubectl get crd iris.test.myardyas.club
show kubectl wait --for=condition=Established crd/iris.test.myardyas.club --timeout=30s

step "run the operator"
unset WATCH_NAMESPACE
metrics=8080
probes=8081
run=(make run)
if taken "$metrics" || taken "$probes"; then
  metrics=$(free_port)
  probes=$(free_port)
  printf 'ports 8080 or 8081 are taken: %s and %s it is\n' "$metrics" "$probes"
  run=(cargo run --locked -- "--metrics-bind-address=127.0.0.1:$metrics" --metrics-secure=false
    "--health-probe-bind-address=127.0.0.1:$probes")
fi
printf '$ %s\n' "${run[*]}"
start "$operator_log" "${run[@]}"
operator=$started
await "the operator" http "$probes" /readyz
printf 'it is ready\n'

step "make an Iris"
sample=config/samples/test_v1alpha1_iris.yaml
show cat "$sample"
show kubectl apply -f "$sample"
deployment_is() { # READY
  local seen
  seen=$(kubectl get deploy iris -o 'jsonpath={.status.readyReplicas}/{.spec.replicas} {.metadata.ownerReferences[0].kind}')
  printf '%s' "$seen"
  [ "$seen" = "$1/$1 Iris" ]
}
status_is() { # READY
  local seen
  seen=$(kubectl get iris iris -o 'jsonpath={.status.readyReplicas}')
  printf '%s' "$seen"
  [ "$seen" = "$1" ]
}
pods_are() { # COUNT
  local seen
  seen=$(kubectl get pod -l iris/deployment-name=iris -o 'jsonpath={.items[*].status.phase}')
  printf '%s' "$seen"
  [ "$seen" = "$(printf ' Running%.0s' $(seq "$1") | cut -c 2-)" ]
}
await "Deployment 1/1" deployment_is 1
await "a running pod" pods_are 1
await "the status of the Iris" status_is 1
show kubectl get deploy
show kubectl get pod
show kubectl get iris

step "scale it to two"
sed 's/replicas: 1/replicas: 2/' "$sample" >"$work/scaled.yaml"
mv "$work/scaled.yaml" "$sample"
show kubectl apply -f "$sample"
await "Deployment 2/2" deployment_is 2
await "two running pods" pods_are 2
await "the status of the Iris" status_is 2
show kubectl get deploy
show kubectl get pod

step "see what happened"
event_is() { # REASON NOTE: there is exactly one such event about the Iris
  local seen
  seen=$(kubectl get events.v1.events.k8s.io --field-selector "regarding.kind=Iris,reason=$1" -o 'jsonpath={.items[*].note}')
  printf '%s' "$seen"
  [ "$seen" = "$2" ]
}
await "the event Created" event_is Created 'Created deployment "iris"'
await "the event Scaled" event_is Scaled 'Scaled deployment "iris" to 2 replicas'
show kubectl get events --sort-by=.metadata.creationTimestamp
log_ends() {
  tail -n 20 "$operator_log" | grep 'replica count up to date' && tail -n 1 "$operator_log" | grep 'resource status synced'
}
await "the operator to settle" log_ends
printf '$ # the last lines of the operator\n'
tail -n 8 "$operator_log"
printf '$ # http://localhost:%s/metrics\n' "$metrics"
http "$metrics" /metrics >"$work/metrics"
grep '^controller_runtime_reconcile_total' "$work/metrics" || fail "the metrics lack \`controller_runtime_reconcile_total\`"

step "delete it"
show kubectl delete -f "$sample"
all_gone() {
  local seen
  seen=$(kubectl get deploy,replicaset,pod -o name)
  printf '%s' "$seen"
  [ -z "$seen" ]
}
await "garbage collection" all_gone
show kubectl get deploy,replicaset,pod

step "stop the operator"
printf '$ kill -TERM %s\n' "$operator"
end_group "$operator" 15 || fail "the operator did not stop within 15 s"
operator=

printf '\nevery step holds\n'

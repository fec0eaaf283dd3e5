#!/usr/bin/env bash
# Tests the manager's image in a kind cluster, as `make test-e2e`: builds and deploys it, applies the samples, waits for
# them, reads the metrics, and deletes the cluster again. Your kubeconfig is not touched.
#   OPERAND_IMAGE       image the samples run; by default one that only sleeps, since it is the operator that is tested.
#                       Empty: each kind's own image.
#   KEEP_CLUSTER=true   leave the cluster for a look; `make cleanup-test-e2e` deletes it
#   WAIT=5m             how long a sample may take
set -euo pipefail
cd -- "$(dirname -- "$0")/.."

# Programs may have arguments, and quotes where the shell needs them, as in the Makefile.
eval "kind=(${KIND:-kind}) tool=(${CONTAINER_TOOL:-docker}) kubectl=(${KUBECTL:-kubectl})"
cluster=${KIND_CLUSTER:-memcached-test-e2e}
operand=${OPERAND_IMAGE-registry.k8s.io/pause:3.10}
wait=${WAIT:-5m}
image=example.com/memcached:e2e
namespace=memcached-system
deployment=deployment/memcached-controller-manager
account=memcached-controller-manager
KUBECONFIG=$(mktemp)
export KUBECONFIG

step() { printf '\n== %s\n' "$*"; }
fail() { echo "error: $*" >&2; exit 1; }
k() { "${kubectl[@]}" "$@"; }

finish() {
  local status=$?
  trap - EXIT
  [ -z "${forward:-}" ] || kill "$forward" 2>/dev/null || true
  if [ "$status" -ne 0 ] && [ -s "$KUBECONFIG" ]; then
    step "failed: what the cluster says"
    k -n "$namespace" describe pods || true
    k -n "$namespace" logs "$deployment" --tail=100 || true
    k get events -A --sort-by=.lastTimestamp || true
  fi
  if [ "${created:-}" != true ]; then
    echo "the cluster $cluster was there before and is kept"
  elif [ "${KEEP_CLUSTER:-}" = true ]; then
    echo "the cluster $cluster is left running"
  else
    "${kind[@]}" delete cluster --name "$cluster" --kubeconfig "$KUBECONFIG" || true
  fi
  rm -f "$KUBECONFIG"
  exit "$status"
}

for program in "${kind[0]}" "${tool[0]}" "${kubectl[0]}" curl; do
  command -v "$program" >/dev/null || fail "$program is needed and not installed"
done
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "cluster $cluster"
if "${kind[@]}" get clusters 2>/dev/null | grep -qx "$cluster"; then
  "${kind[@]}" export kubeconfig --name "$cluster" --kubeconfig "$KUBECONFIG"
else
  created=true
  "${kind[@]}" create cluster --name "$cluster" --kubeconfig "$KUBECONFIG" --wait 3m
fi

step "image"
make docker-build IMG="$image"
"${tool[@]}" save -o "$KUBECONFIG.tar" "$image"
"${kind[@]}" load image-archive "$KUBECONFIG.tar" --name "$cluster"
rm -f "$KUBECONFIG.tar"

step "deploy, in a namespace that enforces the restricted Pod Security Standard"
k create namespace "$namespace" --dry-run=client -o yaml | k apply -f -
k label --overwrite namespace "$namespace" pod-security.kubernetes.io/enforce=restricted
make deploy IMG="$image"
if [ -n "$operand" ]; then
  k -n "$namespace" get "$deployment" -o jsonpath='{range .spec.template.spec.containers[0].env[*]}{.name}{"\n"}{end}' |
    { grep '_IMAGE$' || true; } |
    while read -r name; do k -n "$namespace" set env "$deployment" "$name=$operand" < /dev/null; done
fi
k -n "$namespace" rollout status "$deployment" --timeout=3m

samples=false
if grep -q '^- ' config/samples/kustomization.yaml; then
  samples=true
  step "samples"
  k apply -k config/samples
  k get -k config/samples -o name | while read -r object; do
    # A kind that reports the condition Ready must become ready; one that does not has to be accepted only.
    for _ in $(seq 30); do
      reported=$(k get "$object" -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}')
      [ -z "$reported" ] || break
      sleep 1
    done
    if [ -n "$reported" ]; then
      k wait --for=condition=Ready --timeout="$wait" "$object" ||
        fail "$object is not ready (OPERAND_IMAGE= uses the kind's own image)"
    else
      echo "$object accepted; it reports no condition Ready"
    fi
  done
fi

step "metrics"
k create clusterrolebinding memcached-e2e-metrics --clusterrole=memcached-metrics-reader \
  --serviceaccount="$namespace:$account" --dry-run=client -o yaml | k apply -f -
"${kubectl[@]}" -n "$namespace" port-forward service/memcached-controller-manager-metrics-service 18443:8443 >/dev/null &
forward=$!
url=https://127.0.0.1:18443/metrics
for _ in $(seq 30); do
  code=$(curl -sk -o /dev/null -w '%{http_code}' "$url" || true)
  [ "$code" = 000 ] || break
  sleep 1
done
case $code in
  401 | 403) echo "refused without a token: $code" ;;
  *) fail "without a token the metrics answer $code, not 401" ;;
esac
token=$(k -n "$namespace" create token "$account")
metrics=$(curl -sSfk -H "Authorization: Bearer $token" "$url")
grep '^controller_runtime_reconcile_total' <<< "$metrics" || [ "$samples" = false ] || fail "the metrics count no reconciles"

step "restarts"
restarts=$(k -n "$namespace" get pods -l control-plane=controller-manager \
  -o jsonpath='{.items[*].status.containerStatuses[*].restartCount}')
[ -z "$(tr -d '0 ' <<< "$restarts")" ] || fail "the manager restarted: $restarts"
step "passed"

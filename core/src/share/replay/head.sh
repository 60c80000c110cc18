#!/bin/sh
# Replays one walk of Chainwalk on this machine's kernel, in network namespaces of its own, and compares what the kernel
# counts with what the walk says. Nothing outside of them is touched, no packet leaves, and they are gone at the end.
# It takes root, python3, and the Debian packages iproute2, iptables and nftables. Exit: 0 equal, 1 different, 2 not done.
set -eu
for program in ip nft python3 awk diff; do
  command -v "$program" > /dev/null || { echo "$program is missing" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "run this as root: it makes network namespaces" >&2; exit 2; }
pod=chainwalk-$$ far=chainwalk-$$-far work=$(mktemp -d)
result=2
clean() {
  for name in "$pod" "$far"; do ip netns delete "$name" 2> /dev/null || :; done
  rm -rf "$work"
  [ "$result" != 2 ] || echo "something failed: nothing was compared" >&2
  exit "$result"
}
trap clean EXIT
trap 'exit 2' HUP INT TERM
within() { ip netns exec "$pod" "$@"; }
# A setting that this kernel has not is left alone.
setting() { within sh -c 'if [ -e "/proc/sys/$1" ]; then echo "$2" > "/proc/sys/$1"; fi' sh "$1" "$2"; }
wire() { # NAME NUMBER
  ip -n "$pod" link add "$1" address "02:00:00:00:05:$2" type veth peer name "far$2" address "02:00:00:00:01:$2" netns "$far"
  ip -n "$pod" link set "$1" addrgenmode none
  ip -n "$pod" link set "$1" up
  ip -n "$far" link set "far$2" up
}
program() { # FAMILY BACKEND TASK
  if command -v "$1-$2-$3" > /dev/null; then echo "$1-$2-$3"; else echo "$1-$3"; fi
}
load() { within "$(program "$1" "$2" restore)" --wait; }
# What was counted: number of the rule set, table, chain, rule or `policy`, packets.
counted() { # NUMBER FAMILY BACKEND
  within "$(program "$2" "$3" save)" -c > "$work/saved"
  awk -v set="$1" '
    /^\*/ { table = substr($0, 2); split("", rules) }
    /^:/ { split($3, packets, ":"); chain = substr($1, 2); rule = "policy"; count = substr(packets[1], 2) }
    /^\[/ { split($1, packets, ":"); chain = $3; rule = ++rules[$3]; count = substr(packets[1], 2) }
    /^[:[]/ { if (count > 0) print set, table, chain, rule, count }' "$work/saved"
}
ip netns add "$pod"
ip netns add "$far"
ip netns exec "$far" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6' 2> /dev/null || :
for scope in all default; do setting "net/ipv4/conf/$scope/rp_filter" 0; done
setting net/ipv4/ip_forward 0
ip -n "$pod" link set lo up

# The namespace.

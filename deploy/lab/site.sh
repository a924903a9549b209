# SPDX-License-Identifier: ISC
# site.sh: make the lab's hosts the blueprint's site: management, five nodes
# that join it, the configuration imported from the blueprint's own files, one
# generation applied. Sourced by ispdns-lab.

# NODE ROLES
site_nodes="dd1:frontend,ha dd2:frontend,ha auth1:authority rec1:resolver
	rec2:resolver"

cli() { cmd_on mgmt ispdns "$@"; }

# A site step: what it prints goes to a log that is shown when it fails.
site_step() { # WHAT COMMAND...
	local what=$1
	shift
	"$@" > "$state/step.log" 2>&1 || {
		cat "$state/step.log" >&2
		die "$what failed"
	}
	{
		echo "== $what"
		cat "$state/step.log"
	} >> "$state/site.log"
}

mgmt_answers() { cli status > /dev/null 2>&1; }

site_mgmt() {
	cp -r "$1" "$(dir_of mgmt)/etc/import"
	cp "$state/internet"/root.{hints,key} "$(dir_of mgmt)/etc/"
	echo 'names: [mgmt, 10.10.2.167]' > "$(dir_of mgmt)/etc/mgmt.yaml"
	ctl mgmt start mgmt || die "mgmt does not start"
	wait_for 15 mgmt_answers || {
		tail -5 "$(dir_of mgmt)/log/mgmt.log" >&2
		die "mgmt does not answer"
	}
}

site_join() { # NODE ROLES
	local out
	out=$(cli node add "$1" --address "10.10.2.$(octet_of "$1")" \
		--roles "$2" --json) || die "node add $1: $out"
	out=$(jq -r '[.. | objects | .command? // empty] | first' <<< "$out")
	[[ $out == "ispdns join"* ]] || die "node add $1 gave no join command"
	# The command has no quoting: names, a token and a pin.
	# shellcheck disable=SC2086
	site_step "$1: join" cmd_on "$1" $out
}

all_seen() {
	local n
	n=$(cli node list --json 2>/dev/null | jq '[.. | objects |
		select(.last_seen_s? != null and .last_seen_s < 10)] | length')
	[ "${n:-0}" -ge 5 ]
}

site_import() {
	local f=/etc/ispdns/import
	site_step "import dd1/dnsdist.conf" cli import dnsdist $f/dd1/dnsdist.conf
	site_step "import auth1/named.conf" cli import bind $f/auth1/named.conf
	site_step "import dd1/keepalived.conf" \
		cli import keepalived $f/dd1/keepalived.conf --node dd1
	site_step "import dd2/keepalived.conf" \
		cli import keepalived $f/dd2/keepalived.conf --node dd2
	site_step "root hints" cli resolver set \
		--root-hints /etc/ispdns/root.hints \
		--trust-anchor /etc/ispdns/root.key
	# The blueprint's timers need up to 3.6 s when a host dies.
	site_step "VRRP version 3" cli vip set VI_DNS --version 3 \
		--interval-ms 100 --auth none
}

site_warnings() {
	local n
	n=$(grep -c 'warning:' "$state/site.log")
	[ "$n" = 0 ] || say "import: $n warnings, see $state/site.log"
}

site_up() { # DIRECTORY
	local n
	. "$lib/drill.sh"
	: > "$state/site.log"
	site_mgmt "$1"
	for n in $site_nodes; do site_join "${n%%:*}" "${n#*:}"; done
	wait_for 15 all_seen || die "not all agents have reached mgmt"
	site_import
	site_step "apply" cli apply -m "the blueprint, imported"
	site_warnings
	wait_for 20 is_green || die "not everything answers: $not_green"
}

# SPDX-License-Identifier: ISC
# drill.sh: the blueprint's failure tests, run in the lab. Sourced by
# ispdns-lab. A drill is: precheck, a client at 1000 q/s to the VIP, the event,
# wait until the service is whole without the failed part, recovery, wait until
# everything is as before; then the measured gap and lost queries are held
# against the drill's limits. Results stay in $state/drills/NAME.json.

# NAME | GAP_MS | LOST | WHAT
# GAP: longest span without an answer from the event on. LOST: queries without
# a good answer (NOERROR), `-` when the gap alone decides.
drill_table() {
	cat <<-EOT
	frontend-stop|1000|-|stop the frontend of the VIP owner
	frontend-crash|1000|-|kill -9 the frontend of the VIP owner
	frontend-freeze|1000|-|SIGSTOP the frontend of the VIP owner
	ha-stop|1000|-|stop ispdns-ha on the VIP owner
	host-cut|3000|-|the VIP owner is cut from the network, carrier stays
	host-off|3000|-|power off the VIP owner
	rec1-stop|1000|0|stop the resolver REC1
	auth1-stop|1000|0|stop the authority AUTH1; recursion must not notice
	mgmt-down|1000|0|stop mgmt, then power-cycle REC1
	EOT
}
drill_names() { drill_table | cut -d'|' -f1; }
drill_field() { drill_table | awk -F'|' -v n="$1" -v f="$2" '$1 == n { print $f }'; }

drill_rate=${ISPDNS_DRILL_RATE:-1000}

# ---- what must be true ----

answers() { # SERVER NAME [HOST]: NOERROR with data, asked on CLIENT1
	in_net "${3:-client1}" dig +tries=1 +time=1 +noall +answer +comments "@$1" "$2" A |
		awk '/status: NOERROR/ { s = 1 } /IN[ \t]+A[ \t]/ { a = 1 }
			END { exit !(s && a) }'
}

services_run() {
	local h
	for h in dd1 dd2 auth1 rec1 rec2 mgmt; do
		ctl "$h" status 2>/dev/null | jq -se 'map(select(.service |
			test("^(agent|frontend|ha|authority|resolver|mgmt)$"))) |
			length > 0 and all(.state == "running")' \
			> /dev/null || return 1
	done
}

one_owner() { [ "$(vip_owners | wc -l)" = 1 ]; }

# The rules by which a drill may begin, and must end.
check_services() { services_run; }
check_owner() { one_owner; }
check_auth() { answers $vip www.zaibdns.lab; }
check_rec() { answers $vip www.google.com; }
# Backends answer the frontends only.
check_backends() {
	answers 10.10.2.163 www.zaibdns.lab dd1 &&
		answers 10.10.2.164 www.google.com dd1 &&
		answers 10.10.2.165 www.google.com dd1
}
check_frontends() {
	local h
	for h in 161 162; do
		answers 10.10.2.$h www.zaibdns.lab &&
			answers 10.10.2.$h www.google.com || return 1
	done
}
green_checks="services owner auth rec backends frontends"
is_green() {
	local c
	for c in $green_checks; do
		"check_$c" > /dev/null 2>&1 || { not_green=$c; return 1; }
	done
	not_green=
}

# The node that takes the VIP whenever it is well: the one with the highest
# priority. Empty when the hosts' ispdns-ha is not configured.
home_of_vip() {
	local h f
	for h in dd1 dd2; do
		f=$(dir_of $h)/lib/current/ha.yaml
		[ -e "$f" ] || f=$(dir_of $h)/etc/ha.yaml
		sed -n "s/^ *priority: *\([0-9]*\).*/\1 $h/p" "$f" 2>/dev/null
	done | sort -rn | sed -n '1s/.* //p'
}

# The VIP is where it stays: a node that was ill takes it back only after it
# has been well for a while, which doubles with each failure, up to 120 s.
is_home() {
	local home
	owner=$(vip_owners)
	home=$(home_of_vip)
	not_green="the VIP at home on $home"
	if [ -n "$home" ] && [ "$owner" != "$home" ]; then
		# After a planned move it stays away until it is asked for.
		(cmd_on "$home" ispdns-ha take) > /dev/null 2>&1
		return 1
	fi
	not_green=
}

precheck() {
	wait_for 30 is_green || return
	is_home || { wait_for 130 is_home && is_green; }
}

# ---- the client ----

drill_sources=$(seq -s, -f '10.10.2.%g' 200 239)

start_client() { # NAME-PATTERN
	local first=$((RANDOM * 100000))
	rm -f "$drill_dir/marks"
	# By exec, so that the signal reaches the client itself.
	(exec nsenter --net="/run/netns/$lab-client1" ispdns-lab-client --rate "$drill_rate" --seconds 300 \
		--source "$drill_sources" --marks "$drill_dir/marks" \
		--first "$first" --name "$1" $vip > "$drill_dir/client.json") &
	client_pid=$!
	wait_for 5 test -p "$drill_dir/marks"
}
mark() { echo "$1" > "$drill_dir/marks"; }
# How long a phase is measured; nothing waits for it to be over.
measure() { sleep "$(awk -v s="$1" -v f="${ISPDNS_DRILL_PACE:-1}" "BEGIN { print s * f }")"; }
stop_client() {
	[ -n "${client_pid:-}" ] || return
	kill -TERM "$client_pid" 2>/dev/null
	wait "$client_pid"
	client_pid=
}

# ---- events: what fails, when it is survived, how it is repaired ----

other_of() { [ "$1" = dd1 ] && echo dd2 || echo dd1; }
owns() { grep -qx "$1" <<< "$(vip_owners)"; }
other_serves() {
	owns "$(other_of "$owner")" && check_auth && check_rec
}

event_frontend_stop() { ctl "$owner" stop frontend; }
survived_frontend_stop() { other_serves; }
repair_frontend_stop() { ctl "$owner" start frontend; }

event_frontend_crash() { ctl "$owner" kill frontend; }
survived_frontend_crash() { check_auth && check_rec; }
repair_frontend_crash() { :; } # it is started again by its supervisor

event_frontend_freeze() { ctl "$owner" freeze frontend; }
survived_frontend_freeze() { other_serves; }
repair_frontend_freeze() { ctl "$owner" thaw frontend; }

event_ha_stop() { ctl "$owner" stop ha; }
survived_ha_stop() { other_serves; }
repair_ha_stop() { ctl "$owner" start ha; }

event_host_cut() { host_cmd cut "$owner"; }
survived_host_cut() { other_serves; }
repair_host_cut() { host_cmd heal "$owner"; }

event_host_off() { host_stop "$owner"; }
survived_host_off() { other_serves; }
repair_host_off() { host_start "$owner"; }

event_rec1_stop() { ctl rec1 stop resolver; }
survived_rec1_stop() { check_rec; }
repair_rec1_stop() { ctl rec1 start resolver; }

event_auth1_stop() { ctl auth1 stop authority; }
survived_auth1_stop() { check_rec && ! check_auth; }
repair_auth1_stop() { ctl auth1 start authority; }

event_mgmt_down() {
	ctl mgmt stop mgmt
	host_stop rec1
	host_start rec1
}
survived_mgmt_down() { check_rec && check_auth && answers 10.10.2.164 www.google.com dd2; }
repair_mgmt_down() { ctl mgmt start mgmt; }

drill_pattern() {
	case $1 in
	rec1-stop | auth1-stop | mgmt-down) echo 'd%u.wildcard.com' ;;
	*) echo www.google.com ;;
	esac
}

# ---- one drill ----

drill_checks=
drill_check() { # NAME STATUS DETAIL
	drill_count=$((drill_count + 1))
	if [ "$2" = 0 ]; then
		[ -n "$drill_json" ] || echo "ok $drill_count - $drill: $1${3:+ ($3)}"
	else
		drill_bad=$((drill_bad + 1))
		[ -n "$drill_json" ] || echo "not ok $drill_count - $drill: $1${3:+ ($3)}"
	fi
	drill_checks+=$(jq -nc --arg n "$1" --arg d "${3:-}" --argjson s "$2" \
		'{check: $n, ok: ($s == 0), detail: $d}')
}

within() { # VALUE LIMIT
	awk -v v="$1" -v l="$2" 'BEGIN { exit !(v != "" && v <= l) }'
}

judge() { # from client.json, by the limits of the table
	local gap lost bad limit max_lost rate
	limit=$(drill_field "$drill" 2)
	max_lost=$(drill_field "$drill" 3)
	read -r gap lost bad < <(jq -r '[.marks[] | select(.name == "event" or
		.name == "repair")] | "\([.[].longest_gap_ms] | max) \(
		[.[].lost] | add) \([.[] | .answered - (.rcodes.NOERROR // 0)] |
		add)"' "$drill_dir/client.json")
	within "$gap" "$limit"
	drill_check "gap" $? "$gap ms, limit $limit ms"
	if [ "$max_lost" != - ]; then
		within "$((lost + bad))" "$max_lost"
		drill_check "lost" $? "$lost lost, $bad not NOERROR, limit $max_lost"
	else
		drill_check "good answers" "$((bad > 0))" "$lost lost, $bad not NOERROR"
	fi
	rate=$(jq -r '.sent / (.elapsed_ms / 1000) | round' "$drill_dir/client.json")
	[ "$rate" -ge $((drill_rate * 9 / 10)) ]
	drill_check "load" $? "$rate q/s"
}

drill_save() {
	jq -s --arg drill "$drill" --arg what "$(drill_field "$drill" 4)" \
		--arg owner "${owner:-}" --argjson ok "$((drill_bad == 0))" \
		--argjson limit "$(drill_field "$drill" 2)" \
		--arg time "$(date -u +%FT%TZ)" \
		--slurpfile client "$drill_dir/client.json" \
		'{drill: $drill, what: $what, time: $time, ok: ($ok == 1),
		vip_owner: $owner, limit_gap_ms: $limit, checks: .,
		client: $client[0]}' <<< "$drill_checks" > "$state/drills/$drill.json"
	[ -z "$drill_json" ] || cat "$state/drills/$drill.json"
}

drill_one() { # NAME; numbers its checks from $drill_count on
	local fn=${1//-/_}
	drill=$1 drill_bad=0 drill_checks='' not_green=
	echo '{}' > "$drill_dir/client.json"
	precheck
	drill_check "precheck" $? "${not_green:+not green: $not_green}"
	if [ "$drill_bad" = 0 ]; then
		start_client "$(drill_pattern "$drill")"
		measure 1
		mark event
		unrepaired=$fn
		"event_$fn"
		drill_check "event" $? "$(drill_field "$drill" 4), owner $owner"
		wait_for 20 "survived_$fn"
		drill_check "service survives" $?
		measure 2
		mark repair
		"repair_$fn"
		unrepaired=
		wait_for 60 is_green
		drill_check "recovery" $? "${not_green:+not green: $not_green}"
		measure 2
		stop_client
		judge
	fi
	drill_save
	[ "$drill_bad" = 0 ]
}

# Also after an interrupt: what was broken is repaired.
drill_cleanup() {
	[ -z "${unrepaired:-}" ] || "repair_$unrepaired"
	stop_client
	rm -rf "$drill_dir"
}

drill_run() { # [--json] NAME...|all
	local names='' n failed=0
	drill_json='' drill_count=0
	for n in "$@"; do
		case $n in
		--json) drill_json=1 ;;
		--tap) ;;
		all) names=$(drill_names) ;;
		*)
			grep -qx -- "$n" <<< "$(drill_names)" || die "no drill '$n'"
			names="$names $n" ;;
		esac
	done
	[ -n "$names" ] || die "drill run NAME...|all"
	need_up
	mkdir -p "$state/drills"
	drill_dir=$(mktemp -d)
	trap drill_cleanup EXIT
	trap 'exit 130' INT TERM HUP
	for n in $names; do drill_one "$n" || failed=$((failed + 1)); done
	[ -n "$drill_json" ] || echo "1..$drill_count"
	# As `ispdns` ends when a drill failed.
	[ $failed = 0 ] || return 11
}

drill_list() {
	local n
	if [ "${1:-}" = --json ]; then
		for n in $(drill_names); do
			jq -nc --arg n "$n" --arg w "$(drill_field "$n" 4)" \
				--argjson g "$(drill_field "$n" 2)" \
				'{drill: $n, what: $w, limit_gap_ms: $g}'
		done | jq -sc .
	else
		drill_table | awk -F'|' '{ printf "%-16s %4d ms  %s\n", $1, $2, $4 }'
	fi
}

drill_report() {
	local n files=''
	for n in $(drill_names); do
		[ ! -e "$state/drills/$n.json" ] || files="$files $state/drills/$n.json"
	done
	[ -n "$files" ] || die "no drill has been run in lab '$lab'"
	if [ "${1:-}" = --json ]; then
		# shellcheck disable=SC2086
		jq -sc . $files
	else
		# shellcheck disable=SC2086
		jq -sr '.[] | "\(.drill)\t\(if .ok then "ok" else "FAILED" end)\t\(
			[.client.marks[]?.longest_gap_ms] | max) ms of \(
			.limit_gap_ms)\t\([.client.marks[]?.lost] | add) lost of \(
			.client.sent)\t\(.time)"' $files | columns
	fi
}

# Wait until a drill may begin.
drill_ready() {
	need_up
	precheck || die "not green: $not_green"
}

drill_main() {
	local verb=${1:-list}
	[ $# -eq 0 ] || shift
	case $verb in
	list) drill_list "$@" ;;
	run) drill_run "$@" ;;
	report) drill_report "$@" ;;
	ready) drill_ready ;;
	*) drill_run "$verb" "$@" ;;
	esac
}

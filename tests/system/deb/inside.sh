#!/bin/bash
# SPDX-License-Identifier: ISC
# Runs inside the container, after boot: one line "pass|fail TEXT" per check.
exec >/result/log 2>&1
tap=/result/tap
: >$tap
check() { # check TEXT COMMAND...
	local text=$1
	shift
	if "$@"; then echo "pass $text" >>$tap; else
		echo "fail $text" >>$tap
		echo "--- $text: failed"
		journalctl --no-pager -n 60 -u 'ispdns-*'
	fi
}
until_true() { # poll COMMAND for up to 30 s
	local i
	for i in $(seq 150); do
		"$@" >/dev/null 2>&1 && return 0
		read -r -t 0.2 <> <(:)
	done
	"$@"
}
active() { [ "$(systemctl is-active "$1")" = active ]; }
answers() { # answers SERVER NAME TYPE TEXT
	dig +time=1 +tries=1 "@$1" "$2" "$3" | grep -q "$4"
}
for d in frontend resolver authority mgmt; do
	check "ispdns-$d.service is active" until_true active ispdns-$d
done
check "authority answers with aa" until_true answers 127.0.0.13 \
	www.example.test A 'flags: qr aa'
check "resolver answers" until_true answers 127.0.0.12 localhost A \
	'127\.0\.0\.1'
check "frontend routes to the authority" until_true answers 127.0.0.11 \
	www.example.test A '192\.0\.2\.80'
check "frontend routes to the resolver" until_true answers 127.0.0.11 \
	localhost A '127\.0\.0\.1'
for d in frontend resolver authority mgmt; do
	pid=$(systemctl show -P MainPID ispdns-$d)
	user=$(stat -c %U /proc/"$pid")
	check "ispdns-$d runs as its own user, not root ($user)" \
		[ "$user" = "_ispdns-$d" ]
done
# The node of the management itself joins, as an engineer would do it.
join=$(ispdns node add here --address 127.0.0.21 --roles authority --json |
	jq -r '.join.command')
check "node add prints a join command" [ -n "$join" ]
check "ispdns join" sh -c "$join --mgmt 127.0.0.1:8444"
check "agent starts" systemctl start ispdns-agent.service
check "ispdns-agent.service is active" until_true active ispdns-agent
check "mgmt sees the node" until_true sh -c \
	'ispdns node list --json | jq -e ".[] | select(.name == \"here\")
	 | .last_seen_s < 10"'
# Death of a daemon: systemd brings it back.
old=$(systemctl show -P MainPID ispdns-frontend)
kill -KILL "$old"
check "a killed frontend comes back and answers" until_true answers \
	127.0.0.11 www.example.test A '192\.0\.2\.80'
check "as a new process" [ "$(systemctl show -P MainPID ispdns-frontend)" \
	!= "$old" ]
check "reload keeps the process" systemctl reload ispdns-frontend
# The role outlives a restart and a crash, and ends with a stop. What the
# peer would see of it is in ha-t.sh; here it is that systemd says the right
# thing at the right time.
vip() { ip -o address show dev svc0 | grep -qwF 198.51.100.53; }
not() { ! "$@"; }
resumed() {
	[ "$(ispdns-ha show --json | jq -r '[.instances[] | .role, .reason] |
		join(" ")')" = "MASTER resume" ]
}
# It runs since the boot, and has seen the frontend die.
check "ispdns-ha is active" until_true active ispdns-ha
check "ispdns-ha leads and has the address" until_true vip
ip monitor address >/result/addresses &
monitor=$!
check "restart of ispdns-ha" systemctl restart ispdns-ha
check "it leads on: the role was kept" until_true resumed
check "the address was there all the time" not \
	grep Deleted.*198.51.100.53 /result/addresses
old=$(systemctl show -P MainPID ispdns-ha)
kill -KILL "$old"
again() { active ispdns-ha && not serves "$old" && vip; }
serves() { [ "$(systemctl show -P MainPID ispdns-ha)" = "$1" ]; }
check "a killed ispdns-ha comes back and leads" until_true again
check "stop of ispdns-ha" systemctl stop ispdns-ha
check "takes the address away" not vip
kill "$monitor"
check "stop is clean" systemctl stop ispdns-frontend ispdns-resolver \
	ispdns-authority ispdns-agent ispdns-mgmt
for d in frontend resolver authority agent mgmt ha; do
	check "ispdns-$d ended with success" [ "$(systemctl show -P Result \
		ispdns-$d)" = success ]
done
